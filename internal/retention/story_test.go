package retention_test

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/bus/bustest"
	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/magpietest"
)

type (
	M      = magpietest.M
	Server = magpietest.Server
)

const (
	day  = 24 * time.Hour
	soon = 2 * time.Minute // a look for old messages comes within it
)

// later lets days go by, and the look for old messages at their end.
func later(t *testing.T, s *Server, d time.Duration) {
	t.Helper()
	s.Jump(t, d-soon)
	s.Pass(t, soon)
}

// story runs a scenario in which messages are kept for a week.
func story(t *testing.T, tell func(t *testing.T, s *Server)) {
	t.Helper()
	magpietest.Scenario(t, func(t *testing.T, s *Server) {
		s.Import(t, "alice", "bob", "carol")
		s.Configure(t, "message.retention_days", "7")
		tell(t, s)
	}, magpietest.Timed(), magpietest.Set(t, "idle-timeout", "1000h"))
}

// list gives an account's conversations.
func list(t *testing.T, s *Server, userID string) []string {
	t.Helper()
	var reply struct {
		SessionItem []struct {
			To    string `json:"To_Account"`
			Group string `json:"GroupId"`
		}
	}
	s.MustREST(t, "recentcontact/get_list", M{"From_Account": userID, "TimeStamp": 0, "StartIndex": 0, "TopTimeStamp": 0, "TopStartIndex": 0}, &reply)
	names := []string{}
	for _, one := range reply.SessionItem {
		names = append(names, one.To+one.Group)
	}
	return names
}

// text is what a stored message says.
type text struct {
	MsgSeq  int64
	MsgBody []struct{ MsgContent struct{ Text string } }
}

func textsOf(all []text) []string {
	said := []string{}
	for _, one := range all {
		for _, part := range one.MsgBody {
			said = append(said, part.MsgContent.Text)
		}
	}
	return said
}

// history gives what two accounts have said, as the owner reads it, oldest first.
func history(t *testing.T, s *Server, owner, peer string) []string {
	t.Helper()
	var reply struct{ MsgList []text }
	s.MustREST(t, "openim/admin_getroammsg", M{"Operator_Account": owner, "Peer_Account": peer, "MaxCnt": 100, "MinTime": 0,
		"MaxTime": s.Now().Add(time.Hour).Unix()}, &reply)
	return textsOf(reply.MsgList)
}

func unread(t *testing.T, s *Server, userID string) int {
	t.Helper()
	var reply struct{ AllC2CUnreadMsgNum int }
	s.MustREST(t, "openim/get_c2c_unread_msg_num", M{"To_Account": userID}, &reply)
	return reply.AllC2CUnreadMsgNum
}

// state is what an account sees of a conversation with another one.
type state struct {
	said   []string
	unread int
	listed []string // all its conversations
}

// want compares what the owner sees.
func want(t *testing.T, s *Server, owner, peer string, is state) {
	t.Helper()
	if got := history(t, s, owner, peer); !slices.Equal(got, is.said) {
		t.Errorf("%s reads %q, want %q", owner, got, is.said)
	}
	if got := unread(t, s, owner); got != is.unread {
		t.Errorf("%s has %d unread, want %d", owner, got, is.unread)
	}
	if got := list(t, s, owner); !slices.Equal(got, is.listed) {
		t.Errorf("%s's list is %q, want %q", owner, got, is.listed)
	}
}

// Messages go when their time is over: what was unread of them is not any more, and a conversation of which nothing is left stands in
// no list until something is said again. Sequences and read marks go on.
func TestOneToOne(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		s.Send(t, "alice", "bob", "one")
		s.MustREST(t, "openim/admin_set_msg_read", M{"Report_Account": "bob", "Peer_Account": "alice"}, nil)
		s.Pass(t, time.Hour)
		s.Send(t, "alice", "bob", "two")
		later(t, s, 3*day)
		s.Send(t, "alice", "bob", "three")
		s.Send(t, "carol", "bob", "hi")
		later(t, s, 4*day-2*time.Hour)
		want(t, s, "bob", "alice", state{[]string{"one", "two", "three"}, 3, []string{"carol", "alice"}})
		s.Pass(t, 3*time.Hour)
		magpietest.Eventually(t, "two messages are gone", func() bool { return len(history(t, s, "bob", "alice")) == 1 })
		want(t, s, "bob", "alice", state{[]string{"three"}, 2, []string{"carol", "alice"}})
		want(t, s, "alice", "bob", state{[]string{"three"}, 0, []string{"bob"}})
		later(t, s, 4*day)
		magpietest.Eventually(t, "all messages are gone", func() bool { return len(list(t, s, "bob")) == 0 })
		want(t, s, "bob", "alice", state{nil, 0, nil})
		want(t, s, "alice", "bob", state{nil, 0, nil})
		s.Send(t, "bob", "alice", "four")
		s.Send(t, "alice", "bob", "five")
		want(t, s, "bob", "alice", state{[]string{"four", "five"}, 1, []string{"alice"}})
		want(t, s, "alice", "bob", state{[]string{"four", "five"}, 1, []string{"bob"}})
	})
}

// A conversation whose last message goes shows the newest one that is left: an import from before it.
func TestOlderImport(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		s.Send(t, "alice", "bob", "sent")
		at := s.Now().Unix()
		later(t, s, 3*day)
		s.MustREST(t, "openim/importmsg", M{"SyncFromOldSystem": 1, "From_Account": "alice", "To_Account": "bob", "MsgSeq": 1, "MsgRandom": 1,
			"MsgTimeStamp": at - 1000, "MsgBody": magpietest.Text("imported")}, nil)
		want(t, s, "bob", "alice", state{[]string{"imported", "sent"}, 2, []string{"alice"}})
		later(t, s, 4*day+soon)
		magpietest.Eventually(t, "the message is gone", func() bool { return len(history(t, s, "bob", "alice")) == 1 })
		want(t, s, "bob", "alice", state{[]string{"imported"}, 1, []string{"alice"}})
		later(t, s, 4*day)
		magpietest.Eventually(t, "the import is gone", func() bool { return len(history(t, s, "bob", "alice")) == 0 })
		want(t, s, "bob", "alice", state{nil, 0, nil})
	})
}

// groupOf makes a group of all.
func groupOf(t *testing.T, s *Server) string {
	t.Helper()
	var made struct{ GroupId string } //nolint:revive,staticcheck // as on the wire
	s.MustREST(t, "group_open_http_svc/create_group", M{"Type": "Public", "Name": "g", "Owner_Account": "alice",
		"MemberList": []M{{"Member_Account": "bob"}, {"Member_Account": "carol"}}}, &made)
	return made.GroupId
}

func say(t *testing.T, s *Server, id, said string) int64 {
	t.Helper()
	var reply struct{ MsgSeq int64 }
	s.MustREST(t, "group_open_http_svc/send_group_msg", M{"GroupId": id, "From_Account": "alice", "Random": len(said), "MsgBody": magpietest.Text(said),
		"NeedReadReceipt": 1, "SupportMessageExtension": 1}, &reply)
	return reply.MsgSeq
}

// groupHistory gives what is stored of a group, oldest first, tips left out.
func groupHistory(t *testing.T, s *Server, id string) []string {
	t.Helper()
	var reply struct{ RspMsgList []text }
	s.MustREST(t, "group_open_http_svc/group_msg_get_simple", M{"GroupId": id, "ReqMsgNumber": 20}, &reply)
	said := slices.DeleteFunc(textsOf(reply.RspMsgList), func(one string) bool { return one == "" })
	slices.Reverse(said)
	return said
}

func groupUnread(t *testing.T, s *Server, id, member string) int {
	t.Helper()
	var reply struct {
		GroupIdList []struct { //nolint:revive,staticcheck // as on the wire
			SelfInfo struct{ UnreadMsgNum int }
		}
	}
	s.MustREST(t, "group_open_http_svc/get_joined_group_list", M{"Member_Account": member,
		"ResponseFilter": M{"SelfInfoFilter": []string{"UnreadMsgNum"}}}, &reply)
	return reply.GroupIdList[0].SelfInfo.UnreadMsgNum
}

// In a group too messages go with all that hangs on them: members who have read up to different places have what is left unread, and
// sequences go on.
func TestGroup(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		id := groupOf(t, s)
		first := say(t, s, id, "a")
		bob, carol := s.Login(t, "bob"), s.Login(t, "carol")
		bob.MustCall(t, "group_open_http_svc.msg_read_report", M{"GroupId": id, "MsgReadedSeq": first}, nil)
		say(t, s, id, "bb")
		s.MustREST(t, "group_open_http_svc/pin_message", M{"GroupId": id, "MsgSeq": first}, nil)
		s.MustREST(t, "openim_msg_ext_http_svc/group_reaction_add", M{"GroupId": id, "MsgSeq": first, "Reaction": "ok", "Add_Account": []string{"bob"}}, nil)
		s.MustREST(t, "openim_msg_ext_http_svc/group_set_key_values", M{"GroupId": id, "MsgSeq": first, "OperateType": 1,
			"ExtensionList": []M{{"Key": "k", "Value": "v", "Seq": 0}}}, nil)
		s.MustREST(t, "group_open_http_svc/group_msg_receipt", M{"GroupId": id, "From_Account": "bob", "MsgSeqList": []M{{"MsgSeq": first}}}, nil)
		carol.MustCall(t, "group_open_http_svc.delete_group_ramble_msg_by_seq", M{"GroupId": id, "Seqs": []string{fmt.Sprint(first)}}, nil)
		later(t, s, 4*day)
		last := say(t, s, id, "ccc")
		wantGroup(t, s, id, groupState{[]string{"a", "bb", "ccc"}, 2, 2})
		later(t, s, 3*day+soon)
		magpietest.Eventually(t, "two messages are gone", func() bool { return len(groupHistory(t, s, id)) == 1 })
		wantGroup(t, s, id, groupState{[]string{"ccc"}, 1, 1})
		var pins struct{ PinnedMsgList []M }
		s.MustREST(t, "group_open_http_svc/get_pinned_messages", M{"GroupId": id}, &pins)
		if len(pins.PinnedMsgList) != 0 {
			t.Errorf("pinned are %v", pins)
		}
		s.Login(t, "bob").MustCall(t, "group_open_http_svc.msg_read_report", M{"GroupId": id, "MsgReadedSeq": last}, nil)
		wantGroup(t, s, id, groupState{[]string{"ccc"}, 0, 1})
		later(t, s, 4*day+soon)
		magpietest.Eventually(t, "all messages are gone", func() bool { return len(groupHistory(t, s, id)) == 0 })
		wantGroup(t, s, id, groupState{nil, 0, 0})
		for _, who := range []string{"bob", "carol"} {
			if got := list(t, s, who); len(got) != 0 {
				t.Errorf("%s's list is %q", who, got)
			}
		}
		if next := say(t, s, id, "dddd"); next != last+1 {
			t.Errorf("the next message has sequence %d, want %d", next, last+1)
		}
		wantGroup(t, s, id, groupState{[]string{"dddd"}, 1, 1})
		s.Login(t, "bob").MustCall(t, "group_open_http_svc.msg_read_report", M{"GroupId": id, "MsgReadedSeq": last + 1}, nil)
		wantGroup(t, s, id, groupState{[]string{"dddd"}, 0, 1})
	})
}

// groupState is what is left of a group, and what bob and carol have unread of it.
type groupState struct {
	said       []string
	bob, carol int
}

func wantGroup(t *testing.T, s *Server, id string, is groupState) {
	t.Helper()
	if got := groupHistory(t, s, id); !slices.Equal(got, is.said) {
		t.Errorf("the group has %q, want %q", got, is.said)
	}
	for who, count := range map[string]int{"bob": is.bob, "carol": is.carol} {
		if got := groupUnread(t, s, id, who); got != count {
			t.Errorf("%s has %d unread, want %d", who, got, count)
		}
	}
}

// A group of which nothing is left is not destroyed before its time: the last message was said when it was said.
func TestGroupIsNotIdleBeforeItsTime(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		s.Configure(t, "group.public.recycle_seconds", fmt.Sprint(9*24*3600))
		id := groupOf(t, s)
		later(t, s, 5*day)
		say(t, s, id, "late")
		later(t, s, 8*day)
		magpietest.Eventually(t, "all messages are gone", func() bool { return len(groupHistory(t, s, id)) == 0 })
		s.Pass(t, soon)
		say(t, s, id, "it lives")
	})
}

// Each application has its own time, and one that has none keeps everything.
func TestApplicationsAreApart(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		long, never := s.App(t, 1400000002, "another key"), s.App(t, 1400000003, "a third key")
		long.Configure(t, "message.retention_days", "14")
		for _, one := range []*Server{long, never} {
			one.Import(t, "alice", "bob")
		}
		all := []*Server{s, long, never}
		for _, one := range all {
			one.Send(t, "alice", "bob", "hi")
		}
		left := func() string {
			var counts []string
			for _, one := range all {
				counts = append(counts, fmt.Sprint(len(history(t, one, "bob", "alice"))))
			}
			return strings.Join(counts, " ")
		}
		for _, at := range []struct {
			after time.Duration
			want  string
		}{{6 * day, "1 1 1"}, {day + soon, "0 1 1"}, {7 * day, "0 0 1"}, {100 * day, "0 0 1"}} {
			later(t, s, at.after)
			magpietest.Eventually(t, "it is "+at.want, func() bool { return left() == at.want })
		}
		never.Configure(t, "message.retention_days", "30")
		s.Pass(t, soon)
		magpietest.Eventually(t, "what was kept until now goes", func() bool { return left() == "0 0 0" })
	})
}

// A server that is stopped while many messages go, goes on when it is back; what is said meanwhile stays.
func TestRestartInTheMiddle(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		const many, left = 1200, 5
		for n := 0; n < many; n += 400 {
			names := make([]string, 400)
			for i := range names {
				names[i] = fmt.Sprint("user", n+i)
			}
			for some := range slices.Chunk(names, 100) {
				s.MustREST(t, "im_open_login_svc/multiaccount_import", M{"Accounts": some}, nil)
			}
			s.MustREST(t, "openim/batchsendmsg", M{"From_Account": "alice", "To_Account": names, "MsgSeq": n + 1, "MsgRandom": n + 1,
				"MsgBody": magpietest.Text("old")}, nil)
		}
		later(t, s, 7*day+soon)
		s.Restart(t)
		for range left {
			s.Send(t, "carol", "bob", "new")
		}
		s.Pass(t, soon)
		magpietest.Eventually(t, "all old messages are gone", func() bool {
			return unread(t, s, "user0")+unread(t, s, "user600")+unread(t, s, "user1199") == 0
		})
		want(t, s, "bob", "carol", state{slices.Repeat([]string{"new"}, left), left, []string{"carol"}})
		magpietest.Eventually(t, "alice has no conversations", func() bool { return len(list(t, s, "alice")) == 0 })
	})
}

// A step is of few chats, as what it does for each keeps the commits of others waiting; all go in the end.
func TestManyChats(t *testing.T) {
	const many, most = 100, 40
	faults := &dbtest.Faults{}
	s := magpietest.Start(t, magpietest.Faulty(faults), magpietest.Timed(), magpietest.Set(t, "idle-timeout", "1000h"))
	names := make([]string, many)
	for i := range names {
		names[i] = fmt.Sprint("user", i)
	}
	s.Import(t, append(names, "alice")...)
	s.Configure(t, "message.retention_days", "7")
	s.MustREST(t, "openim/batchsendmsg", M{"From_Account": "alice", "To_Account": names, "MsgSeq": 1, "MsgRandom": 1, "MsgBody": magpietest.Text("old")}, nil)
	faults.Seen()
	later(t, s, 7*day+soon)
	magpietest.Eventually(t, "alice has no conversations", func() bool { return len(list(t, s, "alice")) == 0 })
	if steps := faults.Seen("DELETE FROM message WHERE id"); steps < (many+most-1)/most {
		t.Errorf("%d chats are gone in %d steps", many, steps)
	}
}

// Who sends while messages go loses nothing, and everybody counts what there is.
func TestSendsMeanwhile(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		for range 300 {
			s.Send(t, "alice", "bob", "old")
		}
		later(t, s, 7*day-time.Minute)
		alice := s.Login(t, "alice")
		sent := 0
		for range 10 {
			s.Pass(t, 20*time.Second)
			for range 10 {
				sent++
				alice.MustCall(t, "openim.sendmsg", M{"From_Account": "alice", "To_Account": "bob", "MsgSeq": sent, "MsgRandom": sent,
					"MsgBody": magpietest.Text("new")}, nil)
			}
		}
		magpietest.Eventually(t, "the old messages are gone", func() bool { return history(t, s, "bob", "alice")[0] == "new" })
		if got := unread(t, s, "bob"); got != sent {
			t.Errorf("bob has %d unread, want %d", got, sent)
		}
	})
}

// What merged messages hold apart goes when nobody has read it or sent it on for as long as messages are kept.
func TestBundles(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		var keys [3]struct {
			Key string `json:"JsonMsgKey"`
		}
		for i := range keys {
			s.Login(t, "alice").MustCall(t, "im_long_msg.save_relay_json_msg", M{"MsgList": []M{{"From_Account": "alice"}}}, &keys[i])
		}
		read := func(i int) int {
			return s.Login(t, "alice").Call(t, "im_long_msg.get_relay_json_msg", M{"JsonMsgKey": keys[i].Key}, nil).ErrorCode
		}
		later(t, s, time.Hour+2*soon)
		s.Send(t, "alice", "bob", "sign")
		later(t, s, 4*day)
		if code := read(0); code != 0 {
			t.Errorf("answered %d", code)
		}
		s.MustREST(t, "openim/sendmsg", M{"From_Account": "alice", "To_Account": "carol", "MsgRandom": 1,
			"MsgBody": merged(keys[2].Key)}, nil)
		later(t, s, 3*day-soon)
		later(t, s, 2*soon)
		// A bundle that is read stays, so the message that goes after it tells that it is gone.
		magpietest.Eventually(t, "the sign is gone", func() bool { return len(history(t, s, "alice", "bob")) == 0 })
		if kept, gone, sent := read(0), read(1), read(2); kept != 0 || gone != 20022 || sent != 0 {
			t.Errorf("the one that was read is answered %d, that which was sent on %d, the other %d", kept, sent, gone)
		}
	})
}

// merged is the body of a merged message that carries the key alone.
func merged(key string) []M {
	return []M{{"MsgType": "TIMRelayElem", "MsgContent": M{"Title": "t", "JsonMsgKey": key}}}
}

// A bundle is there for as long as a message that carries its key: one that was sent soon after it was stored, one that was edited so
// that it carries it, and one that was imported into a group.
func TestBundlesOfMessages(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		id := groupOf(t, s)
		save := func() string {
			var reply struct {
				Key string `json:"JsonMsgKey"`
			}
			s.Login(t, "alice").MustCall(t, "im_long_msg.save_relay_json_msg", M{"MsgList": []M{{"From_Account": "alice"}}}, &reply)
			return reply.Key
		}
		sent, edited, inGroup, imported := save(), save(), save(), save()
		s.Pass(t, 50*time.Minute)
		var reply struct{ MsgKey string }
		s.MustREST(t, "openim/sendmsg", M{"From_Account": "alice", "To_Account": "bob", "MsgRandom": 1, "MsgBody": merged(sent)}, &reply)
		later(t, s, 4*day)
		s.MustREST(t, "openim/sendmsg", M{"From_Account": "alice", "To_Account": "carol", "MsgRandom": 1, "MsgBody": magpietest.Text("x")}, &reply)
		s.MustREST(t, "openim/modify_c2c_msg", M{"From_Account": "alice", "To_Account": "carol", "MsgKey": reply.MsgKey, "MsgBody": merged(edited)}, nil)
		s.MustREST(t, "openim/modify_group_msg", M{"GroupId": id, "MsgSeq": say(t, s, id, "a"), "MsgBody": merged(inGroup)}, nil)
		s.MustREST(t, "group_open_http_svc/import_group_msg", M{"GroupId": id, "MsgList": []M{
			{"From_Account": "alice", "SendTime": s.Now().Unix(), "MsgBody": merged(imported)},
		}}, nil)
		later(t, s, 3*day-30*time.Minute) // it is a week since all were stored, and not since any of them was sent
		read := func(name, key string) {
			t.Helper()
			if e := s.Login(t, "bob").Call(t, "im_long_msg.get_relay_json_msg", M{"JsonMsgKey": key}, nil); e.ErrorCode != 0 {
				t.Errorf("the bundle of the message that was %s is answered %d %s", name, e.ErrorCode, e.ErrorInfo)
			}
		}
		if got := history(t, s, "bob", "alice"); len(got) != 1 {
			t.Errorf("bob reads %q", got)
		}
		read("sent", sent)
		later(t, s, 2*time.Hour)
		read("edited", edited)
		read("edited in a group", inGroup)
		read("imported", imported)
	})
}

// Two nodes that look at once remove each message once, and count it once.
func TestTwoNodes(t *testing.T) {
	database, nats, hands := dbtest.URL(t), bustest.StartServer(t), clock.NewManual(time.Now())
	here := magpietest.Start(t, magpietest.Database(database), magpietest.Bus(nats.URL()), magpietest.Clock(hands))
	there := beside(t, hands, magpietest.Database(database), magpietest.Bus(nats.URL()), magpietest.Clock(hands))
	here.Import(t, "alice", "bob")
	here.Configure(t, "message.retention_days", "7")
	for range 500 {
		here.Send(t, "alice", "bob", "old")
	}
	here.Jump(t, 6*day)
	here.Send(t, "alice", "bob", "new")
	here.Jump(t, day)
	for range 4 {
		here.Pass(t, time.Minute)
	}
	magpietest.Eventually(t, "the old messages are gone", func() bool { return slices.Equal(history(t, here, "bob", "alice"), []string{"new"}) })
	want(t, there, "bob", "alice", state{[]string{"new"}, 1, []string{"alice"}})
}

// beside starts a second node on the clock of the first one, which goes on meanwhile: a node asks on the bus whether it is heard.
func beside(t *testing.T, hands *clock.Manual, with ...magpietest.Option) *Server {
	t.Helper()
	var started atomic.Bool
	passed := make(chan struct{})
	go func() {
		defer close(passed)
		magpietest.Eventually(t, "the second node has started", func() bool {
			hands.Advance(10 * time.Millisecond)
			return started.Load()
		})
	}()
	s := magpietest.Start(t, with...)
	started.Store(true)
	<-passed
	return s
}
