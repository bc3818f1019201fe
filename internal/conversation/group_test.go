package conversation_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/magpie-im/magpie/magpietest"
)

// create makes a group of alice's with bob in it.
func create(t *testing.T, s *Server, kind string, more M) string {
	t.Helper()
	var made struct {
		GroupID string `json:"GroupId"`
	}
	s.MustREST(t, "group_open_http_svc/create_group", magpietest.With(M{
		"Type": kind, "Name": "team", "Owner_Account": "alice", "MemberList": []M{{"Member_Account": "bob"}},
	}, more), &made)
	return made.GroupID
}

// say sends a message to a group by REST: "alice: hello".
func say(t *testing.T, s *Server, id, said string, more M) {
	t.Helper()
	from, text, _ := strings.Cut(said, ": ")
	body := M{"GroupId": id, "From_Account": from, "Random": len(text), "MsgBody": magpietest.Text(text)}
	s.MustREST(t, "group_open_http_svc/send_group_msg", magpietest.With(body, more), nil)
}

// pagedGroup is a conversation of a group as clients read it.
type pagedGroup struct {
	Type                                       int
	To                                         string `json:"ToAccount"`
	Peer                                       string `json:"To_Account"`
	MsgTimeStamp, MsgSeq, MsgRandom            int64
	LastMsgFlags, UnreadMsgCount               int
	GroupNick, GroupImage, GroupType           string
	GroupNextMsgSeq, MsgGroupReadedSeq         int64
	From                                       string `json:"MsgGroupFrom_Account"`
	MsgGroupFromCardName, MsgGroupFromNickName string
	GroupIgnoredUnreadSeqCount, TopFlags       int
	MsgRecvOption                              int
	StandardMark, CustomMark                   string
	ContactGroupID                             []int `json:"ContactGroupId"`
	LastMsg                                    *struct {
		Event     int
		GroupTips *struct {
			Event   int
			MsgSeq  int
			MsgBody struct {
				OpType     int
				MemberList []string `json:"List_Account"`
			}
			GroupInfo struct{ GroupName string }
		}
		MsgBody     json.RawMessage
		RevokerInfo *struct {
			Account string `json:"Revoker_Account"`
		}
	}
}

func (g *pagedGroup) unread() int { return g.UnreadMsgCount - g.GroupIgnoredUnreadSeqCount }

// text is the text of the last message, or what became of it.
func (g *pagedGroup) text() string {
	switch {
	case g.LastMsg == nil:
		return "nothing"
	case g.LastMsg.GroupTips != nil:
		return fmt.Sprintf("tip %d of %v", g.LastMsg.GroupTips.MsgBody.OpType, g.LastMsg.GroupTips.MsgBody.MemberList)
	case g.LastMsg.RevokerInfo != nil:
		return "recalled by " + g.LastMsg.RevokerInfo.Account
	}
	item := magpietest.Item{Body: g.LastMsg.MsgBody}
	return item.Text()
}

// String tells the conversation as stories do: "team: 3 hello, 2 unread".
func (g *pagedGroup) String() string {
	return fmt.Sprintf("%s%s: %d %s, %d unread", g.To, g.Peer, g.MsgSeq, g.text(), g.unread())
}

// groupPage is what a client reads of its list, as far as groups have it.
func groupPage(t *testing.T, c *magpietest.Conn, at cursors) (all []pagedGroup, next cursors) {
	t.Helper()
	var page struct {
		SessionItem  []pagedGroup
		CompleteFlag int
		cursors
	}
	c.MustCall(t, "recentcontact.page_get", magpietest.With(at.request(c.UserID), M{"AssistFlags": 31}), &page)
	if page.CompleteFlag != 1 {
		t.Errorf("the list goes on: %+v", page)
	}
	return page.SessionItem, page.cursors
}

func wantGroups(t *testing.T, c *magpietest.Conn, want ...string) {
	t.Helper()
	all, _ := groupPage(t, c, cursors{})
	lines := make([]string, len(all))
	for i := range all {
		lines[i] = all[i].String()
	}
	if !slices.Equal(lines, want) {
		t.Errorf("%s has %q, want %q", c.UserID, lines, want)
	}
}

// Groups stand in the list beside chats with others, in the order of time, with their last messages and what is unread.
func TestGroupsInList(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		first, second := create(t, s, "Public", nil), create(t, s, "Private", M{"Name": "second"})
		alice, bob := s.Login(t, "alice"), s.Login(t, "bob")
		wantGroups(t, bob) // nothing was said yet
		say(t, s, first, "alice: one", nil)
		s.NextSecond(t)
		s.SendWith(t, magpietest.Message("carol", "bob", "hi"), M{"MsgSeq": 1})
		s.NextSecond(t)
		say(t, s, second, "bob: two", nil)
		wantGroups(t, bob, second+": 1 two, 0 unread", "carol: 1 hi, 1 unread", first+": 1 one, 1 unread")
		wantGroups(t, alice, second+": 1 two, 1 unread", first+": 1 one, 0 unread")
		wantList(t, s, "bob", second, "carol", first)
		s.NextSecond(t)
		say(t, s, first, "alice: three", nil)
		say(t, s, first, "alice: unlisted", M{"SendMsgControl": []string{"NoLastMsg", "NoUnread"}})
		say(t, s, first, "alice: for alice alone", M{"To_Account": []string{"alice"}})
		wantGroups(t, bob, first+": 2 three, 2 unread", second+": 1 two, 0 unread", "carol: 1 hi, 1 unread")
		all, _ := groupPage(t, bob, cursors{})
		if g := all[0]; g.Type != 2 || g.GroupNick != "team" || g.GroupType != "Public" || g.GroupNextMsgSeq != 5 || g.MsgGroupReadedSeq != 0 ||
			g.From != "alice" || g.MsgGroupFromNickName != "nick of alice" || g.MsgGroupFromCardName != "" || g.MsgRecvOption != 0 || g.MsgTimeStamp == 0 {
			t.Errorf("the group is %+v", g)
		}
	})
}

// A recalled last message is shown as such, the sender by its name in the group, and each receive option by its number.
func TestGroupInListInDetail(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		id := create(t, s, "Public", nil)
		bob := s.Login(t, "bob")
		set := func(member string, more M) {
			t.Helper()
			s.MustREST(t, "group_open_http_svc/modify_group_member_info", magpietest.With(M{"GroupId": id, "Member_Account": member}, more), nil)
		}
		set("alice", M{"NameCard": "the boss"})
		say(t, s, id, "alice: one", nil)
		say(t, s, id, "alice: three", nil)
		s.MustREST(t, "group_open_http_svc/group_msg_recall", M{"GroupId": id, "MsgSeqList": []M{{"MsgSeq": 2}}}, nil)
		all, _ := groupPage(t, bob, cursors{})
		if g := all[0]; g.String() != id+": 2 recalled by administrator, 1 unread" || g.LastMsgFlags != 2 || g.MsgGroupFromCardName != "the boss" {
			t.Errorf("the group is %+v", g)
		}
		for option, want := range map[string]int{"AcceptAndNotify": 0, "Discard": 1, "AcceptNotNotify": 2, "AcceptNotNotifyExceptAt": 3} {
			set("bob", M{"MsgFlag": option})
			if all, _ = groupPage(t, bob, cursors{}); all[0].MsgRecvOption != want {
				t.Errorf("%s is option %d, want %d", option, all[0].MsgRecvOption, want)
			}
		}
	})
}

// A member sees of a group what came since it joined, and of one that it left, or that is gone, nothing.
func TestGroupInListOfMembers(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		closed, open := create(t, s, "Public", nil), create(t, s, "ChatRoom", M{"Name": "open"})
		carol := s.Login(t, "carol")
		say(t, s, closed, "alice: before", nil)
		say(t, s, open, "alice: before too", nil)
		for _, id := range []string{closed, open} {
			s.MustREST(t, "group_open_http_svc/add_group_member", M{"GroupId": id, "MemberList": []M{{"Member_Account": "carol"}}, "Silence": 1}, nil)
		}
		all, _ := groupPage(t, carol, cursors{})
		names := func() string {
			var lines []string
			for i := range all {
				lines = append(lines, strings.NewReplacer(closed, "closed", open, "open").Replace(all[i].To))
			}
			return strings.Join(lines, " ")
		}
		if got := names(); got != "open" {
			t.Errorf("carol has %q, want the group whose history reaches back", got)
		}
		s.NextSecond(t)
		say(t, s, closed, "alice: after", nil)
		if all, _ = groupPage(t, carol, cursors{}); names() != "closed open" || all[0].text() != "after" || all[0].unread() != 1 {
			t.Errorf("carol has %q: %v", names(), all)
		}
		s.MustREST(t, "group_open_http_svc/delete_group_member", M{"GroupId": closed, "MemberToDel_Account": []string{"carol"}}, nil)
		s.MustREST(t, "group_open_http_svc/destroy_group", M{"GroupId": open}, nil)
		if all, _ = groupPage(t, carol, cursors{}); len(all) != 0 {
			t.Errorf("carol has %q", names())
		}
	})
}

// A group that its member takes out of the list comes back with the next message; what was cleared does not come back.
func TestGroupRemoved(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		id := create(t, s, "Public", nil)
		bob, phone, alice := s.Login(t, "bob"), s.Login(t, "bob", magpietest.Platform(2)), s.Login(t, "alice")
		history := func() (texts []string) {
			var page struct {
				Messages []struct {
					Body json.RawMessage `json:"MsgBody"`
				} `json:"RspMsgList"`
			}
			bob.MustCall(t, "group_open_http_svc.group_msg_get", M{"GroupId": id, "ReqMsgNumber": 20}, &page)
			for _, one := range page.Messages {
				item := magpietest.Item{Body: one.Body}
				texts = append(texts, item.Text())
			}
			return texts
		}
		say(t, s, id, "alice: one", nil)
		phone.Pushes(t)
		bob.MustCall(t, "recentcontact.batch_delete", M{"ContactItem": []M{{"Type": 2, "ToGroupid": id}}}, nil)
		wantGroups(t, bob)
		wantGroups(t, alice, id+": 1 one, 0 unread")
		phone.Sees(t, "conversation 2 with "+id+" removed elsewhere")
		s.NextSecond(t)
		say(t, s, id, "alice: three", nil)
		wantGroups(t, bob, id+": 2 three, 1 unread")
		if got := history(); !slices.Equal(got, []string{"three", "one"}) {
			t.Errorf("bob reads %q", got)
		}
		s.MustREST(t, "recentcontact/delete", M{"From_Account": "bob", "Type": 2, "ToGroupid": id, "ClearRamble": 1}, nil)
		wantGroups(t, bob)
		say(t, s, id, "alice: fourth", nil)
		wantGroups(t, bob, id+": 3 fourth, 1 unread")
		if got := history(); !slices.Equal(got, []string{"fourth"}) {
			t.Errorf("bob reads %q", got)
		}
		bob.MustCall(t, "recentcontact.clear_msg", M{"Type": 2, "ToGroupid": id}, nil)
		wantGroups(t, bob, id+": 3 nothing, 0 unread")
		if got := history(); len(got) != 0 {
			t.Errorf("bob reads %q", got)
		}
		wantList(t, s, "alice", id)
		wantGroups(t, alice, id+": 3 fourth, 0 unread")
	})
}

// After a reconnect the groups come that changed since: by a message, or by what another device did.
func TestGroupsAfterReconnect(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		first, second := create(t, s, "Public", nil), create(t, s, "Public", M{"Name": "second"})
		say(t, s, first, "alice: one", nil)
		say(t, s, second, "alice: one", nil)
		bob, phone := s.Login(t, "bob"), s.Login(t, "bob", magpietest.Platform(2))
		all, next := groupPage(t, bob, cursors{})
		if len(all) != 2 || next.StartIndex != 0 {
			t.Fatalf("bob has %v, %+v", all, next)
		}
		s.Pass(t, 15*time.Second)
		_, next = groupPage(t, bob, cursors{})
		if all, _ = groupPage(t, bob, next); len(all) != 0 {
			t.Errorf("nothing happened, and bob gets %v", all)
		}
		say(t, s, second, "alice: three", nil)
		phone.MustCall(t, "group_open_http_svc.msg_read_report", M{"GroupId": first, "MsgReadedSeq": 1}, nil)
		all, _ = groupPage(t, bob, next)
		if len(all) != 2 || all[0].String() != second+": 2 three, 2 unread" || all[1].String() != first+": 1 one, 0 unread" {
			t.Errorf("bob gets %v", all)
		}
	})
}

// A message that a device's list counts already when it logs in is not counted again by a push.
func TestGroupsAtLogin(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		id := create(t, s, "Public", nil)
		bob := s.Connect(t)
		bob.TryLogin(t, "bob", s.UserSig(t, "bob"))
		say(t, s, id, "alice: one", nil)
		wantGroups(t, bob, id+": 1 one, 1 unread")
		say(t, s, id, "alice: three", nil)
		bob.Pull(t, "")
		s.Pass(t, 50*time.Millisecond)
		say(t, s, id, "alice: fourth", nil)
		bob.Sees(t, "2 three", "3 fourth")
	}, magpietest.Shapes(magpietest.Reads("GroupMsgArray", func(all []struct {
		MsgSeq  int
		MsgBody json.RawMessage
	}) (lines []string) {
		for _, one := range all {
			item := magpietest.Item{Body: one.MsgBody}
			lines = append(lines, fmt.Sprint(one.MsgSeq, " ", item.Text()))
		}
		return lines
	})))
}

// A tip that is kept is a last message as any other, and does not count as unread.
func TestTipInList(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		id := create(t, s, "Public", nil)
		bob := s.Login(t, "bob")
		say(t, s, id, "alice: one", nil)
		s.MustREST(t, "group_open_http_svc/add_group_member", M{"GroupId": id, "MemberList": []M{{"Member_Account": "carol"}}}, nil)
		wantGroups(t, bob, id+": 2 tip 1 of [carol], 1 unread")
		all, _ := groupPage(t, bob, cursors{})
		if g := all[0]; g.From != "@TIM#SYSTEM" || g.LastMsg.Event != 4 || g.LastMsg.GroupTips.Event != 4 || g.LastMsg.GroupTips.MsgSeq != 2 ||
			g.LastMsg.GroupTips.GroupInfo.GroupName != "team" || g.LastMsg.MsgBody != nil {
			t.Errorf("the group is %+v, its last message %+v", g, g.LastMsg)
		}
		wantGroups(t, s.Login(t, "carol"), id+": 2 tip 1 of [carol], 0 unread")
	})
}
