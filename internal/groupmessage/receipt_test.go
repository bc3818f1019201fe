package groupmessage_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

const (
	giveReceipts  = "group_open_http_svc/group_msg_receipt"
	countReceipts = "group_open_http_svc/get_group_msg_receipt"
	listReceipts  = "group_open_http_svc/get_group_msg_receipt_detail"
	tellsReceipts = "Group.CallbackAfterReadReceipt"
)

// receiptsFor names messages whose receipts are given or asked for.
func receiptsFor(group string, sequences ...int64) M {
	var list []M
	for _, n := range sequences {
		list = append(list, M{"MsgSeq": n})
	}
	return M{"GroupId": group, "MsgSeqList": list}
}

// dotted is the name of a command at the client door.
func dotted(command string) string {
	const service = len("group_open_http_svc")
	return command[:service] + "." + command[service+1:]
}

// counts tells "3: 1 read, 2 not" for each message, or its code.
func counts(t *testing.T, ask func(t *testing.T, command string, body, reply any), body M) (lines []string) {
	t.Helper()
	var reply struct {
		List []struct{ MsgSeq, ReadNum, UnreadNum, Code int } `json:"GroupMsgReceiptList"`
	}
	ask(t, countReceipts, body, &reply)
	for _, one := range reply.List {
		if one.Code != 0 {
			lines = append(lines, fmt.Sprintf("%d: code %d", one.MsgSeq, one.Code))
		} else {
			lines = append(lines, fmt.Sprintf("%d: %d read, %d not", one.MsgSeq, one.ReadNum, one.UnreadNum))
		}
	}
	return lines
}

// asks is a client's way to ask.
func asks(c *Conn) func(t *testing.T, command string, body, reply any) {
	return func(t *testing.T, command string, body, reply any) {
		t.Helper()
		c.MustCall(t, dotted(command), body, reply)
	}
}

func askedBy(s *Server) func(t *testing.T, command string, body, reply any) {
	return func(t *testing.T, command string, body, reply any) {
		t.Helper()
		s.MustREST(t, command, body, reply)
	}
}

// askingFor is a message that asks for receipts.
func askingFor(group, text string, number int) M {
	return magpietest.With(says(group, text, number), M{"NeedReadReceipt": 1})
}

// Members give receipts of what they have read; the sender, and nobody else, is told how many have, and asks who.
func TestReceipts(t *testing.T) {
	story(t, "Public", func(t *testing.T, s *Server, id string) {
		back := s.BackEnd(t, tellsReceipts)
		alice, bob, carol := s.Login(t, "alice"), s.Login(t, "bob"), s.Login(t, "carol")
		for n, body := range []M{askingFor(id, "one", 1), askingFor(id, "two", 2), says(id, "three", 3)} {
			if got := say(t, alice, body); got.Seq != int64(n+1) {
				t.Fatalf("the message is %+v", got)
			}
		}
		for _, c := range []*Conn{bob, carol, alice} {
			c.Pushes(t)
		}
		var given struct {
			List []struct{ MsgSeq, Code int } `json:"MsgSeqList"`
		}
		bob.MustCall(t, dotted(giveReceipts), receiptsFor(id, 1, 2, 3, 9), &given)
		if got := fmt.Sprint(given.List); got != "[{1 0} {2 0} {3 10062} {9 10062}]" {
			t.Errorf("the receipts are %s", got)
		}
		pushed := alice.Pushes(t)
		if len(pushed) != 1 || pushed[0].Event != 5 || pushed[0].String() != "2 read by 1, not by 1, 1 read by 1, not by 1" {
			t.Errorf("alice is pushed %v", pushed)
		}
		bob.SeesNothing(t)
		carol.SeesNothing(t)
		// The same receipt again is told to nobody.
		bob.MustCall(t, dotted(giveReceipts), receiptsFor(id, 1), nil)
		alice.SeesNothing(t)
		s.MustREST(t, giveReceipts, magpietest.With(receiptsFor(id, 1), M{"From_Account": "carol"}), nil)
		alice.Sees(t, "1 read by 2, not by 0")

		want := []string{"1: 2 read, 0 not", "2: 1 read, 1 not", "3: code 10062"}
		wantLines(t, "alice asks", counts(t, asks(alice), receiptsFor(id, 1, 2, 3)), want...)
		wantLines(t, "the back end asks", counts(t, askedBy(s), receiptsFor(id, 1, 2, 3)), want...)
		wantLines(t, "bob asks", counts(t, asks(bob), receiptsFor(id, 1)), "1: code 10007")

		var told struct {
			GroupID string `json:"GroupId"`
			Type    string
			List    []struct {
				MsgSeq, ReadNum, UnreadNum int
				Members                    []struct {
					Account string `json:"Member_Account"`
				} `json:"ReadReceiptMembers"`
			} `json:"GroupMsgReceiptList"`
		}
		for i, want := range []string{"[{2 1 1 [{bob}]} {1 1 1 [{bob}]}]", "[{1 2 0 [{carol}]}]"} {
			back.Gets(t, tellsReceipts, 2)[i].Into(t, &told)
			if got := fmt.Sprint(told.List); told.GroupID != id || told.Type != "Public" || got != want {
				t.Errorf("the back end is told %+v, want %s", told, want)
			}
		}
	})
}

// lists asks for all pages of a list of those who have read a message, or have not.
func lists(t *testing.T, ask func(t *testing.T, command string, body, reply any), body M) (names []string, pages int) {
	t.Helper()
	cursor := ""
	for {
		var reply struct {
			Cursor   string
			IsFinish int
			Read     []struct {
				Account string `json:"Read_Account"`
			} `json:"ReadList"`
			Unread []struct {
				Account string `json:"Unread_Account"`
			} `json:"UnreadList"`
		}
		ask(t, listReceipts, magpietest.With(body, M{"Cursor": cursor}), &reply)
		for _, one := range reply.Read {
			names = append(names, one.Account)
		}
		for _, one := range reply.Unread {
			names = append(names, one.Account)
		}
		pages++
		if reply.IsFinish == 1 || pages > 20 {
			return names, pages
		}
		cursor = reply.Cursor
	}
}

// Of a large group the sender reads by pages who has read his message, and who has not.
func TestReceiptLists(t *testing.T) {
	story(t, "ChatRoom", func(t *testing.T, s *Server, id string) {
		var crowd []M
		var names []string
		for i := range 23 {
			names = append(names, fmt.Sprintf("user%02d", i))
			crowd = append(crowd, M{"Member_Account": names[i]})
		}
		s.Import(t, names...)
		s.MustREST(t, "group_open_http_svc/import_group_member", M{"GroupId": id, "MemberList": crowd}, nil)
		alice := s.Login(t, "alice")
		say(t, alice, askingFor(id, "hello", 1))
		for _, name := range names[:12] {
			s.MustREST(t, giveReceipts, magpietest.With(receiptsFor(id, 1), M{"From_Account": name}), nil)
		}
		wantLines(t, "alice asks", counts(t, asks(alice), receiptsFor(id, 1)), "1: 12 read, 13 not")
		read, pages := lists(t, asks(alice), M{"GroupId": id, "MsgSeq": 1, "Flag": 0, "Num": 5})
		wantLines(t, "who has read", read, names[:12]...)
		if pages != 3 {
			t.Errorf("they came in %d pages", pages)
		}
		unread, pages := lists(t, askedBy(s), M{"GroupId": id, "MsgSeq": 1, "Filter": 1, "Count": 4})
		slices.Sort(unread)
		wantLines(t, "who has not", unread, append([]string{"bob", "carol"}, names[12:]...)...)
		if pages != 4 {
			t.Errorf("they came in %d pages", pages)
		}
		// Who left has read what he has read, and is missed no more if he has not; a newcomer is not waited for.
		s.MustREST(t, "group_open_http_svc/delete_group_member", M{"GroupId": id, "MemberToDel_Account": []string{names[0], names[20]}, "Silence": 1}, nil)
		s.MustREST(t, "group_open_http_svc/add_group_member", M{"GroupId": id, "MemberList": []M{{"Member_Account": "dave"}}, "Silence": 1}, nil)
		wantLines(t, "alice asks", counts(t, asks(alice), receiptsFor(id, 1)), "1: 12 read, 12 not")
		s.Refuses(t, listReceipts, M{"GroupId": id, "MsgSeq": 2}, 10062)
		s.Refuses(t, listReceipts, M{"GroupId": id, "MsgSeq": 1, "Filter": 2}, 10004)
		s.Refuses(t, listReceipts, M{"GroupId": id, "MsgSeq": 1, "Cursor": "x"}, 10004)
		if e := s.Login(t, "bob").Call(t, dotted(listReceipts), M{"GroupId": id, "MsgSeq": 1}, nil); e.ErrorCode != 10007 {
			t.Errorf("another member is answered %+v", e)
		}
	})
}

// A message of which a group has no receipts is sent without, and its sender learns why.
func TestNoReceipts(t *testing.T) {
	story(t, "Public", func(t *testing.T, s *Server, id string) {
		alice, bob := s.Login(t, "alice"), s.Login(t, "bob")
		var sent struct{ MsgSeq, ReadReceiptCode int }
		alice.MustCall(t, clientSend, askingFor(id, "with", 1), &sent)
		if sent.ReadReceiptCode != 0 {
			t.Errorf("a message with receipts: %+v", sent)
		}
		if e := alice.Call(t, clientSend, magpietest.With(askingFor(id, "typing", 2), M{"OnlineOnlyFlag": 1}), nil); e.ErrorCode != 10061 {
			t.Errorf("one for whoever is online: %+v", e)
		}
		s.Configure(t, "group.receipt_members", "2")
		s.MustREST(t, sendCommand, M{"GroupId": id, "From_Account": "alice", "Random": 3, "MsgBody": magpietest.Text("many"), "NeedReadReceipt": 1}, &sent)
		if sent.ReadReceiptCode != 10060 || sent.MsgSeq != 2 {
			t.Errorf("one to a group that is too large: %+v", sent)
		}
		wantLines(t, "alice asks", counts(t, asks(alice), receiptsFor(id, 1, 2)), "1: 0 read, 2 not", "2: code 10062")
		s.MustREST(t, "group_open_http_svc/group_msg_recall", receiptsFor(id, 1), nil)
		wantLines(t, "alice asks of a recalled one", counts(t, asks(alice), receiptsFor(id, 1)), "1: code 10062")

		s.Refuses(t, giveReceipts, magpietest.With(receiptsFor(id, 1), M{"From_Account": "dave"}), 10007)
		s.Refuses(t, giveReceipts, magpietest.With(receiptsFor(id, 1), M{"From_Account": "nobody"}), 10019)
		s.Refuses(t, giveReceipts, magpietest.With(receiptsFor(id), M{"From_Account": "bob"}), 10005)
		s.MustREST(t, "group_open_http_svc/delete_group_member", M{"GroupId": id, "MemberToDel_Account": []string{"bob"}, "Silence": 1}, nil)
		if e := bob.Call(t, dotted(giveReceipts), receiptsFor(id, 2), nil); e.ErrorCode != 10007 {
			t.Errorf("who was removed is answered %+v", e)
		}
		made := create(t, s, "Community")
		alice.MustCall(t, clientSend, askingFor(made, "to all", 3), &sent)
		if sent.ReadReceiptCode != 10007 {
			t.Errorf("one to a community: %+v", sent)
		}
		s.Refuses(t, countReceipts, receiptsFor(made, 1), 10007)
	})
}
