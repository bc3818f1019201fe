package groupmessage_test

import (
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// What an application switches off for messages of a type is refused there, and goes on in other types; what it switches on is there.
func TestSwitchesOfMessages(t *testing.T) {
	story(t, "Public", func(t *testing.T, s *Server, public string) {
		meeting, community := create(t, s, "Meeting"), create(t, s, "Community")
		s.Import(t, "dave")
		s.MustREST(t, "group_open_http_svc/modify_group_member_info", M{"GroupId": public, "Member_Account": "carol", "Role": "Admin"}, nil)
		bob, carol := s.Login(t, "bob"), s.Login(t, "carol")
		number := 0
		sends := func(c *Conn, id string, more M) (e magpietest.Envelope, answer sent) {
			t.Helper()
			number++
			e = c.Call(t, clientSend, magpietest.With(says(id, "hi", number), more), &answer)
			return e, answer
		}
		recall := func(id string, at int64) int {
			t.Helper()
			return bob.Call(t, "group_open_http_svc.group_msg_recall", M{"GroupId": id, "MsgSeqList": []M{{"MsgSeq": at}}}, nil).ErrorCode
		}
		asksReceipts := func(id string) (code int) {
			t.Helper()
			number++
			var answer struct{ ReadReceiptCode int }
			bob.MustCall(t, clientSend, magpietest.With(says(id, "hi", number), M{"NeedReadReceipt": 1}), &answer)
			return answer.ReadReceiptCode
		}
		all := M{"GroupAtInfo": []M{{"GroupAtAllFlag": 1}}}
		mentionsAll := func(c *Conn, id string) int { t.Helper(); e, _ := sends(c, id, all); return e.ErrorCode }
		edits := func(c *Conn, id string, at int64) int {
			t.Helper()
			return c.Call(t, "openim.modify_group_msg", M{"GroupId": id, "MsgSeq": at, "MsgVersion": 0, "MsgBody": magpietest.Text("changed")}, nil).ErrorCode
		}
		want := func(what string, got, code int) {
			t.Helper()
			if got != code {
				t.Errorf("%s: %d, want %d", what, got, code)
			}
		}
		_, first := sends(bob, public, nil)
		_, other := sends(bob, meeting, nil)
		want("at all in a community", mentionsAll(bob, community), 10007)
		want("at all by a member", mentionsAll(bob, public), 0)
		s.Configure(t, "group.public.recall", "off", "group.public.receipts", "off", "group.public.at_all_who", "admin", "group.community.at_all", "on",
			"group.edit_who", "sender")
		want("recall where it is off", recall(public, first.Seq), 10041)
		want("recall elsewhere", recall(meeting, other.Seq), 0)
		want("receipts where they are off", asksReceipts(public), 10007)
		want("receipts elsewhere", asksReceipts(meeting), 0)
		want("at all by a member where administrators do", mentionsAll(bob, public), 10007)
		want("at all by an administrator", mentionsAll(carol, public), 0)
		want("at all elsewhere", mentionsAll(bob, meeting), 0)
		want("at all in a community that has it", mentionsAll(bob, community), 0)
		want("an edit by somebody else", edits(carol, public, first.Seq), 10007)
		want("an edit by the sender", edits(bob, public, first.Seq), 0)
		order(t, s, public, "all", magpietest.With(all, M{"From_Account": "bob"})) // a back end leads
	})
}

// The rate of a type is its own, and where it has none, that of all groups.
func TestRateOfType(t *testing.T) {
	story(t, "Public", func(t *testing.T, s *Server, public string) {
		s.Configure(t, "group.message_rate", "3", "group.public.rate", "1")
		for id, most := range map[string]int{public: 1, create(t, s, "Meeting"): 3} {
			kept := 0
			for n := range 5 {
				if order(t, s, id, "hi", M{"Random": n + 1}).Dropped == "" {
					kept++
				}
			}
			if kept != most {
				t.Errorf("%d of 5 messages of a second are kept, want %d", kept, most)
			}
		}
	}, magpietest.Timed())
}
