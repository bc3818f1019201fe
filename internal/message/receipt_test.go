package message_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

const (
	giveReceipts  = "openim/c2c_msg_read_receipt"
	tellsReceipts = "C2C.CallbackAfterMsgReadReceipt"
)

// asking sends a message that asks for a receipt.
func asking(t *testing.T, s *Server, from, to, text string) magpietest.Sent {
	t.Helper()
	return s.SendWith(t, magpietest.Message(from, to, text), M{"IsNeedReadReceipt": 1})
}

// receiptOf is the request by which a reader gives receipts of messages, by their keys.
func receiptOf(reader, peer string, keys ...string) M {
	var list []M
	for _, key := range keys {
		list = append(list, M{"From_Account": peer, "To_Account": reader, "MsgKey": key})
	}
	return M{"Operator_Account": reader, "Peer_Account": peer, "C2CMsgInfo": list}
}

// clientReceipt is what a client sends for messages that it has.
func clientReceipt(messages ...WireMessage) M {
	var list []M
	for _, m := range messages {
		list = append(list, M{
			"From_Account": m.From, "To_Account": m.To, "MsgSeq": m.Seq, "MsgRandom": m.Random, "MsgTime": m.Time, "MsgClientTime": m.ClientTime,
		})
	}
	return M{"Peer_Account": messages[0].From, "C2CMsgInfo": list}
}

func readLine(from, to, key string) string {
	return fmt.Sprintf("%s → %s: %s has its receipt", from, to, key)
}

// read tells of each message in the history whether it has been read.
func readOf(t *testing.T, s *Server, owner, peer string) (read []int) {
	t.Helper()
	for _, one := range history(t, s, owner, peer) {
		read = append(read, one.PeerRead)
	}
	return read
}

// A client gives receipts of what it has read, several in one call; the sender is told on all devices, once, and finds it in the
// history. What asked for none has none.
func TestReceipts(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		back := s.BackEnd(t, tellsReceipts)
		alice, phone, bob, carol := s.Login(t, "alice"), s.Login(t, "alice", magpietest.Platform(2)), s.Login(t, "bob"), s.Login(t, "carol")
		one, two := asking(t, s, "alice", "bob", "one"), asking(t, s, "alice", "bob", "two")
		s.Send(t, "alice", "bob", "three")
		asking(t, s, "bob", "alice", "mine")
		alice.Pushes(t)
		phone.Pushes(t)
		bob.MustCall(t, "openim.c2c_msg_read_receipt", clientReceipt(history(t, s, "bob", "alice")[:3]...), nil)
		for _, c := range []*magpietest.Conn{alice, phone} {
			c.Sees(t, readLine("alice", "bob", one.MsgKey)+", "+readLine("alice", "bob", two.MsgKey))
		}
		bob.Pushes(t)
		carol.SeesNothing(t)
		if got := readOf(t, s, "alice", "bob"); !slices.Equal(got, []int{1, 1, 0, 0}) {
			t.Errorf("alice reads that %v were read", got)
		}
		// Receipts that were given are not told again, by either door.
		s.MustREST(t, giveReceipts, receiptOf("bob", "alice", one.MsgKey, two.MsgKey), nil)
		alice.SeesNothing(t)

		var told struct {
			Operator string `json:"Operator_Account"`
			Peer     string `json:"Peer_Account"`
			List     []struct {
				From  string `json:"From_Account"`
				To    string `json:"To_Account"`
				Key   string `json:"MsgKey"`
				MsgID string `json:"MsgId"`
			} `json:"C2CMsgInfo"`
			EventTime int64
		}
		back.Gets(t, tellsReceipts, 1)[0].Into(t, &told)
		if told.Operator != "bob" || told.Peer != "alice" || len(told.List) != 2 || told.List[0].From != "alice" || told.List[0].To != "bob" ||
			told.List[0].MsgID == "" || told.EventTime == 0 || told.List[0].Key != one.MsgKey || told.List[1].Key != two.MsgKey {
			t.Errorf("the back end is told %+v", told)
		}
	})
}

// A back end gives receipts for an account.
func TestBackEndGivesReceipts(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice := s.Login(t, "alice")
		sent := asking(t, s, "alice", "bob", "one")
		alice.Pushes(t)
		s.MustREST(t, giveReceipts, receiptOf("bob", "alice", sent.MsgKey), nil)
		alice.Sees(t, readLine("alice", "bob", sent.MsgKey))
		s.Refuses(t, giveReceipts, receiptOf("", "alice", sent.MsgKey), 90008)
		s.Refuses(t, giveReceipts, receiptOf("bob", "", sent.MsgKey), 90003)
		s.Refuses(t, giveReceipts, receiptOf("bob", "alice"), 90010)
		s.Refuses(t, giveReceipts, receiptOf("bob", "alice", "1_2"), 90054)
		s.Refuses(t, giveReceipts, receiptOf("bob", "alice", slices.Repeat([]string{sent.MsgKey}, 51)...), 90010)
	})
}

// Nobody gives receipts of what is not for him, of his own messages, or of what is gone.
func TestNoReceipts(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		back := s.BackEnd(t, tellsReceipts)
		alice := s.Login(t, "alice")
		sent := asking(t, s, "alice", "bob", "one")
		gone := asking(t, s, "alice", "bob", "two")
		s.MustREST(t, "openim/admin_msgwithdraw", withdraw("alice", "bob", gone.MsgKey), nil)
		hidden := s.SendWith(t, magpietest.Message("alice", "bob", "three"), M{"IsNeedReadReceipt": 1, "OnlineOnlyFlag": 1})
		alice.Pushes(t)
		for _, r := range []M{
			receiptOf("carol", "alice", sent.MsgKey), receiptOf("alice", "bob", sent.MsgKey), receiptOf("bob", "alice", gone.MsgKey),
			receiptOf("bob", "alice", hidden.MsgKey), receiptOf("bob", "carol", sent.MsgKey), receiptOf("alice", "alice", sent.MsgKey),
		} {
			s.MustREST(t, giveReceipts, r, nil)
		}
		alice.SeesNothing(t)
		if got := readOf(t, s, "alice", "bob"); !slices.Equal(got, []int{0, 0}) {
			t.Errorf("alice reads that %v were read", got)
		}
		// Whoever emptied the conversation has not read what stood in it.
		s.MustREST(t, "recentcontact/delete", M{"From_Account": "bob", "Type": 1, "To_Account": "alice", "ClearRamble": 1}, nil)
		s.MustREST(t, giveReceipts, receiptOf("bob", "alice", sent.MsgKey), nil)
		alice.SeesNothing(t)
		if calls := back.Calls(""); len(calls) != 0 {
			t.Errorf("the back end was told of %d", len(calls))
		}
	})
}

// A receipt that came while the sender was away is told when he comes back, and a message that he missed has its own.
func TestReceiptsWhileAway(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice := s.Login(t, "alice")
		before := asking(t, s, "alice", "bob", "before")
		alice.Close()
		after := s.SendWith(t, magpietest.Message("alice", "bob", "from the phone"), M{"IsNeedReadReceipt": 1, "SyncOtherMachine": 1})
		s.MustREST(t, giveReceipts, receiptOf("bob", "alice", before.MsgKey, after.MsgKey), nil)
		back := connectAs(t, s, "alice")
		back.Pull(t, alice.Cookie)
		var told []string
		for _, p := range back.Pushes(t) {
			told = append(told, p.String())
		}
		want := readLine("alice", "bob", before.MsgKey) + ", " + readLine("alice", "bob", after.MsgKey)
		if !slices.Contains(told, want) {
			t.Errorf("alice is told %q, want %q", told, want)
		}
	})
}
