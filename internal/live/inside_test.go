package live_test

import (
	"testing"
	"time"

	"github.com/magpie-im/magpie/magpietest"
)

// Whoever wants enters at once, hears what is said, and leaves; nobody is stored as a member.
func TestEnterSpeakLeave(t *testing.T) {
	story(t, func(t *testing.T, s *Server, id string) {
		alice := enters(t, s, "alice", id)
		hears(t, alice, "tip 1 of alice, 1 inside")
		bob := s.Login(t, "bob")
		answer := join(t, bob, id)
		if answer.Status != "JoinedSuccess" || answer.Huge != 1 || answer.Key == "" || answer.Poll != nil || len(answer.Backlog) != 0 {
			t.Errorf("the reply to a join: %+v", answer)
		}
		if again := join(t, bob, id); again.Status != "JoinedSuccess" {
			t.Errorf("a second join: %+v", again)
		}
		s.Pass(t, time.Second)
		hears(t, alice, "tip 1 of bob, 2 inside")
		hears(t, bob, "tip 1 of bob, 2 inside")
		if n, names := online(t, s, id), listed(t, s, id); n != 2 || names != "bob alice" {
			t.Errorf("%d are inside: %s", n, names)
		}
		first := say(t, bob, says(id, "hello", 1, "Normal"))
		if first.Seq == 0 || first.Time == 0 {
			t.Errorf("the sender is answered %+v", first)
		}
		for _, c := range []*Conn{alice, bob} {
			hears(t, c, "bob: hello")
		}
		bob.MustCall(t, groups+"quit_group", M{"GroupId": id}, nil)
		s.Pass(t, time.Second)
		hears(t, alice, "tip 2 of bob, 1 inside")
		say(t, alice, says(id, "gone", 1, "Normal"))
		hears(t, alice, "alice: gone")
		bob.SeesNothing(t)
		if got := bob.Call(t, groups+"send_group_msg", says(id, "still here", 2, "Normal"), nil).ErrorCode; got != 10007 {
			t.Errorf("who is outside sends with the code %d", got)
		}
		if got := bob.Call(t, groups+"quit_group", M{"GroupId": id}, nil).ErrorCode; got != 10007 {
			t.Errorf("who is outside quits with the code %d", got)
		}
		if got := alice.Call(t, groups+"quit_group", M{"GroupId": id}, nil).ErrorCode; got != 10009 {
			t.Errorf("the owner quits with the code %d", got)
		}
	})
}

const tellsState = "Group.CallbackOnMemberStateChange"

// stateTold is what a back end is told of members whose connections break.
type stateTold struct {
	EventType string
	Group     string `json:"GroupId"`
	Members   []struct {
		Member string `json:"Member_Account"`
	} `json:"MemberList"`
}

// A counter of the room is told to those inside.
func TestCounters(t *testing.T) {
	story(t, func(t *testing.T, s *Server, id string) {
		bob := enters(t, s, "bob", id)
		s.MustREST(t, rest+"update_group_counter", M{"GroupId": id, "GroupCounter": []M{{"Key": "likes", "Value": 3}}, "Mode": "Increase"}, nil)
		bob.Next(t, "the counter", func(f *magpietest.Frame) bool { return contains(f, `"likes"`) })
		if got := bob.Call(t, groups+"get_group_counter", M{"GroupId": id}, nil).ErrorCode; got != 0 {
			t.Errorf("who is inside reads counters with the code %d", got)
		}
		if got := s.Login(t, "carol").Call(t, groups+"get_group_counter", M{"GroupId": id}, nil).ErrorCode; got != 10007 {
			t.Errorf("who is outside reads counters with the code %d", got)
		}
	})
}

// A device whose connection breaks is inside again when it is back, of which its client does not think; one that does not come
// back has left after a while, and one that logs out at once.
func TestBrokenConnections(t *testing.T) {
	story(t, func(t *testing.T, s *Server, id string) {
		s.Configure(t, "live.grace_seconds", "3")
		back := s.BackEnd(t, tellsState)
		alice, bob := enters(t, s, "alice", id), enters(t, s, "bob", id)
		session := bob.Session
		bob.Close()
		s.Pass(t, 2*time.Second)
		if n := online(t, s, id); n != 2 {
			t.Errorf("%d are inside after two seconds", n)
		}
		again := s.Connect(t)
		if got := again.Resume(t, "bob", session); got.ErrorCode != 0 {
			t.Fatalf("bob comes back with %+v", got)
		}
		again.Pull(t, "")
		s.Pass(t, time.Second)
		say(t, alice, says(id, "welcome back", 1, "Normal"))
		again.Next(t, "what is said", func(f *magpietest.Frame) bool { return contains(f, "welcome back") })
		for i, call := range back.Gets(t, tellsState, 2) {
			var told stateTold
			call.Into(t, &told)
			if want := []string{"Offline", "Online"}[i]; told.EventType != want || told.Group != id || told.Members[0].Member != "bob" {
				t.Errorf("the back end is told %+v, want %s of bob", told, want)
			}
		}
		again.Close()
		magpietest.Eventually(t, "bob's grace is over", func() bool {
			s.Pass(t, time.Second)
			return online(t, s, id) == 1
		})
		carol := enters(t, s, "carol", id)
		carol.MustCall(t, "im_open_status.wslogout", M{}, nil)
		magpietest.Eventually(t, "carol has left", func() bool { return online(t, s, id) == 1 })
	})
}

// A room that is destroyed tells so, and nobody is inside of it any more.
func TestDestroy(t *testing.T) {
	story(t, func(t *testing.T, s *Server, id string) {
		bob := enters(t, s, "bob", id)
		hears(t, bob, "tip 1 of bob, 1 inside")
		alice := s.Login(t, "alice")
		if got := bob.Call(t, groups+"destroy_group", M{"GroupId": id}, nil).ErrorCode; got != 10007 {
			t.Errorf("a member destroys with the code %d", got)
		}
		alice.MustCall(t, groups+"destroy_group", M{"GroupId": id}, nil)
		hears(t, bob, "report 5 by alice ")
		if got := bob.Call(t, groups+"apply_join_group", M{"GroupId": id}, nil).ErrorCode; got != 10010 {
			t.Errorf("a destroyed room is joined with the code %d", got)
		}
		if got := bob.Call(t, groups+"send_group_msg", says(id, "x", 1, "Normal"), nil).ErrorCode; got != 10010 {
			t.Errorf("a destroyed room is spoken in with the code %d", got)
		}
	})
}

// The owner and administrators are stored, and have their rights also when they are not inside.
func TestRoles(t *testing.T) {
	story(t, func(t *testing.T, s *Server, id string) {
		s.MustREST(t, special+"modify_admin", M{"GroupId": id, "CommandType": 1, "Admin_Account": []string{"carol"}}, nil)
		var admins struct {
			List []struct {
				Admin string `json:"Admin_Account"`
			} `json:"Admin_List"`
		}
		s.MustREST(t, special+"get_admin_list", M{"GroupId": id}, &admins)
		if len(admins.List) != 1 || admins.List[0].Admin != "carol" {
			t.Errorf("administrators: %+v", admins.List)
		}
		bob, carol := enters(t, s, "bob", id), enters(t, s, "carol", id)
		mute := func(c *Conn, who string, seconds int) int {
			return c.Call(t, groups+"modify_group_member_info", M{"GroupId": id, "Member_Account": who, "ShutUpTime": seconds}, nil).ErrorCode
		}
		if got := mute(bob, "carol", 60); got != 10007 {
			t.Errorf("a member mutes with the code %d", got)
		}
		if got := mute(carol, "bob", 5); got != 0 {
			t.Errorf("an administrator mutes with the code %d", got)
		}
		if got := bob.Call(t, groups+"send_group_msg", says(id, "x", 1, "Normal"), nil).ErrorCode; got != 10017 {
			t.Errorf("a muted member sends with the code %d", got)
		}
		s.Pass(t, 6*time.Second)
		say(t, bob, says(id, "free again", 2, "Normal"))
		s.MustREST(t, rest+"modify_group_base_info", M{"GroupId": id, "MuteAllMember": "On"}, nil)
		if got := bob.Call(t, groups+"send_group_msg", says(id, "x", 3, "Normal"), nil).ErrorCode; got != 10017 {
			t.Errorf("a member sends in a muted room with the code %d", got)
		}
		say(t, carol, says(id, "administrators speak", 1, "Normal"))
		s.MustREST(t, special+"modify_admin", M{"GroupId": id, "CommandType": 2, "Admin_Account": []string{"carol"}}, nil)
		if got := carol.Call(t, groups+"send_group_msg", says(id, "x", 2, "Normal"), nil).ErrorCode; got != 10017 {
			t.Errorf("a former administrator sends in a muted room with the code %d", got)
		}
		for _, row := range []struct {
			command string
			body    M
			code    int
		}{
			{special + "modify_admin", M{"CommandType": 1, "Admin_Account": []string{"alice"}}, 10004},
			{special + "modify_admin", M{"CommandType": 3, "Admin_Account": []string{"bob"}}, 10004},
			{special + "modify_admin", M{"CommandType": 1, "Admin_Account": []string{"a", "b", "c", "d", "e", "f"}}, 10004},
			{special + "modify_admin", M{"CommandType": 1, "Admin_Account": []string{"nobody"}}, 10019},
			{rest + "change_group_owner", M{"NewOwner_Account": "bob"}, 10007},
			{rest + "add_group_member", M{"MemberList": []M{{"Member_Account": "bob"}}}, 10007},
			{rest + "delete_group_member", M{"MemberToDel_Account": []string{"bob"}}, 10004},
			{rest + "get_group_member_info", M{"Limit": 10, "Offset": 0}, 10007},
			{rest + "modify_group_member_info", M{"Member_Account": "bob", "Role": "Admin"}, 10007},
			{rest + "group_msg_get_simple", M{"ReqMsgNumber": 10}, 10044},
		} {
			s.Refuses(t, row.command, magpietest.With(row.body, M{"GroupId": id}), row.code)
		}
	})
}

// What is read of a live room: by anybody what is public, by whoever is inside all, and in no list of one's groups.
func TestRead(t *testing.T) {
	story(t, func(t *testing.T, s *Server, id string) {
		alice, bob := s.Login(t, "alice"), s.Login(t, "bob")
		type info struct {
			Groups []struct {
				ErrorCode            int
				Notification         *string
				MemberNum, MaxMember int
				Type                 string
				Self                 *struct{ Role string } `json:"SelfInfo"`
			} `json:"GroupInfo"`
		}
		read := func(c *Conn) (got info) {
			c.MustCall(t, groups+"get_group_self_member_info", M{"GroupIdList": []string{id}}, &got)
			return got
		}
		if got := read(bob).Groups[0]; got.ErrorCode != 0 || got.Notification != nil || got.Type != "AVChatRoom" || got.Self != nil {
			t.Errorf("bob reads %+v", got)
		}
		join(t, bob, id)
		if got := read(bob).Groups[0]; got.Notification == nil || got.MemberNum != 1 || got.Self == nil || got.Self.Role != "Member" {
			t.Errorf("bob reads inside %+v", got)
		}
		if got := read(alice).Groups[0]; got.Self == nil || got.Self.Role != "Owner" {
			t.Errorf("alice reads %+v", got)
		}
		var list struct {
			Total int `json:"TotalCount"`
		}
		alice.MustCall(t, groups+"get_joined_group_list", M{"Member_Account": "alice", "Limit": 10}, &list)
		if list.Total != 0 {
			t.Errorf("alice's list has %d groups", list.Total)
		}
		s.MustREST(t, rest+"get_joined_group_list", M{"Member_Account": "alice"}, &list)
		if list.Total != 0 {
			t.Errorf("the back end's list has %d groups", list.Total)
		}
		s.MustREST(t, rest+"get_joined_group_list", M{"Member_Account": "alice", "WithHugeGroups": 1}, &list)
		if list.Total != 1 {
			t.Errorf("with live rooms the back end's list has %d groups", list.Total)
		}
		carol := s.Login(t, "carol")
		if got := carol.Call(t, "group_open_avchatroom_http_svc.get_members", M{"GroupId": id, "Timestamp": 0}, nil).ErrorCode; got != 10007 {
			t.Errorf("who is outside lists those inside with the code %d", got)
		}
	})
}

// A change of the profile is told to whoever is inside, by either door.
func TestProfile(t *testing.T) {
	story(t, func(t *testing.T, s *Server, id string) {
		alice, bob := s.Login(t, "alice"), enters(t, s, "bob", id)
		hears(t, bob, "tip 1 of bob, 1 inside")
		alice.MustCall(t, groups+"modify_group_base_info", M{"GroupId": id, "Notification": "soon"}, nil)
		hears(t, bob, "tip 6 by alice: map[GroupNotification:soon]")
		s.MustREST(t, rest+"modify_group_base_info", M{"GroupId": id, "Name": "night show", "MaxMemberNum": 5}, nil)
		hears(t, bob, "tip 6 by administrator: map[GroupName:night show]")
		if got := bob.Call(t, groups+"modify_group_base_info", M{"GroupId": id, "Name": "mine"}, nil).ErrorCode; got != 10007 {
			t.Errorf("a member changes the name with the code %d", got)
		}
	})
}
