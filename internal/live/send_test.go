package live_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/magpie-im/magpie/magpietest"
)

const (
	asksBefore = "Group.CallbackBeforeSendMsg"
	tellsSent  = "Group.CallbackAfterSendMsg"
	tellsJoin  = "Group.CallbackAfterNewMemberJoin"
	tellsExit  = "Group.CallbackAfterMemberExit"
)

// Above the rate the lowest priorities are dropped: a client is told of success all the same, a back end why, which is asked
// before every message and told of those that were pushed.
func TestAboveTheRate(t *testing.T) {
	story(t, func(t *testing.T, s *Server, id string) {
		s.Configure(t, "live.message_rate", "3")
		back := s.BackEnd(t, asksBefore+","+tellsSent)
		bob, carol := enters(t, s, "bob", id), s.Login(t, "carol")
		hears(t, bob, "tip 1 of bob, 1 inside")
		s.Pass(t, 5*time.Second)
		join(t, carol, id)
		hears(t, carol, "tip 1 of carol, 2 inside")
		say(t, bob, says(id, "at once", 1, "Normal"))
		hears(t, carol, "bob: at once")
		for i, priority := range []string{"Lowest", "Low", "Normal", "High"} {
			if got := say(t, bob, says(id, strings.ToLower(priority), 10+i, priority)); got.Seq == 0 || got.Dropped != "" {
				t.Errorf("the sender is answered %+v", got)
			}
		}
		s.Pass(t, 100*time.Millisecond)
		hears(t, carol, "bob: normal, bob: high")
		answers := make(chan sent, 2)
		for _, priority := range []string{"High", "Lowest"} {
			go func() {
				var got sent
				s.MustREST(t, rest+"send_group_msg", M{
					"GroupId": id, "From_Account": "dave", "Random": 5, "MsgPriority": priority, "MsgBody": magpietest.Text("rest " + priority),
				}, &got)
				answers <- got
			}()
		}
		magpietest.Eventually(t, "all are asked about", func() bool { return len(back.Calls(asksBefore)) == 7 })
		magpietest.Eventually(t, "both are answered", func() bool {
			s.Pass(t, 200*time.Millisecond)
			return len(answers) == 2
		})
		dropped := 0
		for range 2 {
			if got := <-answers; got.Dropped != "" {
				dropped++
				if got.Seq != 0 || !strings.Contains(got.Dropped, "more than 3 messages") {
					t.Errorf("a dropped message is answered %+v", got)
				}
			} else if got.Seq == 0 {
				t.Errorf("a pushed message is answered %+v", got)
			}
		}
		var told []string
		for _, c := range back.Gets(t, tellsSent, 3+2-dropped) {
			var body struct {
				Body []struct {
					Content struct{ Text string } `json:"MsgContent"`
				} `json:"MsgBody"`
				Sequence int64 `json:"MsgSeq"`
			}
			c.Into(t, &body)
			told = append(told, body.Body[0].Content.Text)
			if body.Sequence == 0 {
				t.Errorf("the back end is told of %+v", body)
			}
		}
		if got := strings.Join(told[:3], ", "); got != "at once, normal, high" {
			t.Errorf("the back end is told of %s", got)
		}
	})
}

// Many that come in one stretch are one push, in the order in which they came, each with a number of its own.
func TestOneWindowIsOnePush(t *testing.T) {
	story(t, func(t *testing.T, s *Server, id string) {
		bob, carol := enters(t, s, "bob", id), enters(t, s, "carol", id)
		s.Pass(t, 5*time.Second)
		for i := range 30 {
			say(t, bob, says(id, fmt.Sprintf("message %02d", i), 10+i, "Normal"))
		}
		s.Pass(t, 200*time.Millisecond)
		// The first message may go at once, if no window has just ended; the others wait for their window.
		all, pushes := "", 0
		for !strings.Contains(all, "message 29") {
			f := carol.Next(t, "what bob says", func(f *magpietest.Frame) bool { return contains(f, "message ") })
			all += string(f.Body)
			pushes++
		}
		if pushes > 2 {
			t.Errorf("30 messages came in %d pushes", pushes)
		}
		last := -1
		for i := range 30 {
			at := strings.Index(all, fmt.Sprintf("message %02d", i))
			if at <= last {
				t.Errorf("message %d is not there, or not in order", i)
			}
			last = at
		}
	}, magpietest.Set(t, "commands-per-second", "0"))
}

// A back end hears of who enters and who leaves.
func TestEnterAndLeaveCallbacks(t *testing.T) {
	story(t, func(t *testing.T, s *Server, id string) {
		back := s.BackEnd(t, tellsJoin+","+tellsExit)
		bob := enters(t, s, "bob", id)
		hears(t, bob, "tip 1 of bob, 1 inside")
		bob.MustCall(t, groups+"quit_group", M{"GroupId": id}, nil)
		s.Pass(t, time.Second)
		for command, members := range map[string]string{tellsJoin: "NewMemberList", tellsExit: "ExitMemberList"} {
			body := M{}
			back.Gets(t, command, 1)[0].Into(t, &body)
			if got := fmt.Sprint(body["GroupId"], body["Type"], body["JoinType"], body["ExitType"], body[members]); !strings.Contains(got, "AVChatRoom") ||
				!strings.Contains(got, "bob") {
				t.Errorf("%s says %v", command, body)
			}
		}
	})
}

// Who is banned is put out, told so, and kept out for the time.
func TestBans(t *testing.T) {
	story(t, func(t *testing.T, s *Server, id string) {
		alice := enters(t, s, "alice", id)
		hears(t, alice, "tip 1 of alice, 1 inside")
		bob := enters(t, s, "bob", id)
		s.Pass(t, 2*time.Second)
		hears(t, alice, "tip 1 of bob, 2 inside")
		hears(t, bob, "tip 1 of bob, 2 inside")
		alice.MustCall(t, groups+"ban_group_member", M{"GroupId": id, "Members_Account": []string{"bob"}, "Duration": 5, "Description": "spam"}, nil)
		hears(t, bob, "report 21 by alice ")
		hears(t, alice, "tip 10 of bob, 1 inside")
		if got := bob.Call(t, groups+"apply_join_group", M{"GroupId": id}, nil).ErrorCode; got != 10007 {
			t.Errorf("a banned account joins with the code %d", got)
		}
		say(t, alice, says(id, "without him", 1, "Normal"))
		hears(t, alice, "alice: without him")
		bob.SeesNothing(t)
		s.Pass(t, 6*time.Second)
		join(t, bob, id)
	})
}

// Attributes and notifications reach whoever is inside.
func TestAttributesAndNotifications(t *testing.T) {
	story(t, func(t *testing.T, s *Server, id string) {
		bob, carol := enters(t, s, "bob", id), s.Login(t, "carol")
		hears(t, bob, "tip 1 of bob, 1 inside")
		s.MustREST(t, rest+"send_group_system_notification", M{"GroupId": id, "Content": "closing soon"}, nil)
		hears(t, bob, "report 255 by administrator closing soon")
		s.Refuses(t, rest+"send_group_system_notification", M{"GroupId": id, "Content": "x", "ToMembers_Account": []string{"bob"}}, 10007)
		attributes := M{"GroupId": id, "GroupAttr": []M{{"key": "state", "value": "live", "seq": 0}}, "AttrMainSeq": 0}
		if got := carol.Call(t, groups+"set_group_attr", attributes, nil).ErrorCode; got != 10007 {
			t.Errorf("who is outside sets attributes with the code %d", got)
		}
		s.MustREST(t, rest+"set_group_attr", M{"GroupId": id, "GroupAttr": []M{{"key": "state", "value": "live"}}}, nil)
		bob.Next(t, "news of attributes", func(f *magpietest.Frame) bool { return contains(f, "state") })
	})
}
