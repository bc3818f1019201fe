package message_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/magpietest"
)

// faulty is a server whose store fails when a story wants it to.
type faulty struct {
	*Server
	faults *dbtest.Faults
	alice  *magpietest.Conn
	peer   string // of this attempt
	first  magpietest.Sent
	seq    int
}

// deed is a call that writes, made when alice has sent the peer "first".
type deed struct {
	name string
	// do makes the call, always the same one for a peer, and returns its code.
	do func(t *testing.T, f *faulty) int
	// again is the code of the call when it was done already.
	again int
	// lines and unread are what the peer reads when it was done, after "first" and 1.
	lines  []string
	unread int
}

func deeds() []deed {
	rest := func(command string, body func(f *faulty) M) func(*testing.T, *faulty) int {
		return func(t *testing.T, f *faulty) int { return f.REST(t, command, body(f), nil).ErrorCode }
	}
	client := func(command string, body func(f *faulty) M) func(*testing.T, *faulty) int {
		return func(t *testing.T, f *faulty) int { return f.alice.Call(t, command, body(f), nil).ErrorCode }
	}
	second := func(f *faulty) M {
		return With(magpietest.Message("alice", f.peer, "second"), M{"MsgSeq": 77, "MsgRandom": f.seq})
	}
	const editConflict, recalled = 20027, 20023
	return []deed{
		{"send by REST", rest("openim/sendmsg", second), 0, []string{"first", "second"}, 2},
		{"send", client("openim.sendmsg", func(f *faulty) M {
			return With(fromClient("alice", f.peer, "second"), M{"MsgSeq": 78, "MsgRandom": f.seq, "MsgClientTime": f.first.MsgTime})
		}), 0, []string{"first", "second"}, 2},
		{"batch", func(t *testing.T, f *faulty) int {
			var reply batchReply
			code := f.REST(t, "openim/batchsendmsg", With(second(f), M{"To_Account": []string{f.peer, "carol"}}), &reply).ErrorCode
			for _, refused := range reply.ErrorList {
				code = max(code, refused.Code)
			}
			return code
		}, 0, []string{"first", "second"}, 2},
		{"import", rest("openim/importmsg", func(f *faulty) M {
			return With(second(f), M{"SyncFromOldSystem": 1, "MsgTimeStamp": f.first.MsgTime})
		}), 0, []string{"first", "second"}, 2},
		{"recall by REST", rest("openim/admin_msgwithdraw", func(f *faulty) M { return withdraw("alice", f.peer, f.first.MsgKey) }),
			recalled, []string{"first (recalled by administrator)"}, 0},
		{"recall", client("openim.msgwithdraw", func(f *faulty) M {
			return M{"MsgInfo": M{"From_Account": "alice", "To_Account": f.peer, "MsgTimeStamp": f.first.MsgTime, "MsgSeq": f.seq, "MsgRandom": 1}}
		}), recalled, []string{"first (recalled by alice)"}, 0},
		{"edit by REST", rest("openim/modify_c2c_msg", func(f *faulty) M { return edit("alice", f.peer, f.first.MsgKey, "edited") }),
			0, []string{"edited"}, 1},
		{"edit", client("openim.modify_c2c_msg", func(f *faulty) M {
			return M{"From_Account": "alice", "To_Account": f.peer, "MsgSeq": f.seq, "MsgRandom": 1, "MsgTime": f.first.MsgTime,
				"MsgVersion": 0, "MsgBody": magpietest.Text("edited"), "CloudCustomData": ""}
		}), editConflict, []string{"edited"}, 1},
		{"read mark", rest("openim/admin_set_msg_read", func(f *faulty) M {
			return M{"Report_Account": f.peer, "Peer_Account": "alice", "MsgReadTime": f.first.MsgTime}
		}), 0, []string{"first"}, 0},
	}
}

// The store fails at each statement of a call in turn: it refuses it, or the answer is lost with the connection, or it is
// down from there on. Whatever was acknowledged is there, nothing is there by half, the same call may be made again, and
// the next one and the session go on.
func TestStoreFaults(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		t.Parallel()
		f := &faulty{faults: &dbtest.Faults{}}
		// The clock stands: a back end's message is known again within its second.
		with := []magpietest.Option{magpietest.Timed(), magpietest.Faulty(f.faults), magpietest.Database(o.URL)}
		if o.URL == "" {
			with = append(with, magpietest.Dir(o.Dir))
		}
		f.Server = magpietest.Start(t, with...)
		f.Import(t, "alice", "carol")
		f.alice = f.Login(t, "alice")
		for _, one := range deeds() {
			t.Run(one.name, func(t *testing.T) {
				for _, how := range dbtest.Modes() {
					failures := 0
					for n := 1; f.attempt(t, &one, n, how); n++ {
						failures = n
					}
					if failures < 2 { // begin and commit, at least
						t.Errorf("%v: only %d statements could fail", how, failures)
					}
				}
			})
		}
		f.wantSequences(t, o)
	})
}

// attempt does the deed for a new peer while statement n fails, and reports whether one did.
func (f *faulty) attempt(t *testing.T, one *deed, n int, how dbtest.Mode) (failed bool) {
	f.seq++
	f.peer = fmt.Sprintf("peer-%d", f.seq)
	f.Import(t, f.peer)
	f.first = f.SendWith(t, magpietest.Message("alice", f.peer, "first"), M{"MsgSeq": f.seq, "MsgRandom": 1})
	f.faults.Fail(n, how)
	code := one.do(t, f)
	failed = f.faults.Heal()
	before, after := f.tells([]string{"first"}, 1), f.tells(one.lines, one.unread)
	switch is := f.reads(t); {
	case code == 0 && is != after, is != after && is != before:
		t.Errorf("statement %d is %v: answered %d, and there is %s", n, how, code, is)
	}
	if code := one.do(t, f); code != 0 && code != one.again {
		t.Errorf("statement %d was %v: the same call again is answered %d", n, how, code)
	}
	f.SendWith(t, magpietest.Message("alice", f.peer, "next"), nil)
	f.alice.MustCall(t, "openim.sendmsg", fromClient("alice", f.peer, "last"), nil)
	if is, want := f.reads(t), f.tells(append(slices.Clone(one.lines), "next", "last"), one.unread+2); is != want {
		t.Errorf("statement %d was %v: after the same call again and two more messages there is %s, want %s", n, how, is, want)
	}
	if n > 200 {
		t.Fatal("a call never gets to its end")
	}
	return failed && !t.Failed()
}

// reads is what the peer reads.
func (f *faulty) reads(t *testing.T) string {
	var lines []string
	for _, item := range history(t, f.Server, f.peer, "alice") {
		lines = append(lines, item.String())
	}
	return fmt.Sprintf("%q, %d unread", lines, unread(t, f.Server, f.peer))
}

// tells is how reads tells of texts.
func (f *faulty) tells(texts []string, unread int) string {
	var lines []string
	for _, text := range texts {
		lines = append(lines, "alice → "+f.peer+": "+text)
	}
	return fmt.Sprintf("%q, %d unread", lines, unread)
}

// wantSequences looks whether every chat's sequences are 1, 2, 3, … up to its counter.
func (f *faulty) wantSequences(t *testing.T, o db.Options) {
	raw := chat.NewRaw(dbtest.Open(t, o))
	chats, err := raw.Chats(t.Context())
	if err != nil || len(chats) < 10 {
		t.Fatalf("%d chats, %v", len(chats), err)
	}
	for _, one := range chats {
		found, err := raw.Sequences(t.Context(), one.ID)
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(found)
		for i, sequence := range found {
			if sequence != int64(i)+1 || one.LastSequence != int64(len(found)) {
				t.Fatalf("chat %d has the sequences %v and counts %d", one.ID, found, one.LastSequence)
			}
		}
	}
}
