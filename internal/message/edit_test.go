package message_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// editLine is how Push.String tells of an edit.
func editLine(from, to, key, text string, version int) string {
	return fmt.Sprintf("%s → %s: %s is now %s, version %d", from, to, key, text, version)
}

// requested is a back end's request.
func edit(from, to, key, text string) M {
	return M{"From_Account": from, "To_Account": to, "MsgKey": key, "MsgBody": magpietest.Text(text)}
}

// clientEdit is a client's request for a message that came by history or push.
func clientEdit(item WireMessage, text string) M {
	return M{"From_Account": item.From, "To_Account": item.To, "MsgSeq": item.Seq, "MsgRandom": item.Random,
		"MsgTime": item.Time, "MsgVersion": item.Version, "MsgBody": magpietest.Text(text), "CloudCustomData": item.CloudCustomData}
}

// A back end edits: both sides are told, and history says the new thing, with its version.
func TestAdminEdit(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice, bob, carol := s.Login(t, "alice"), s.Login(t, "bob"), s.Login(t, "carol")
		sent := s.SendWith(t, magpietest.Message("alice", "bob", "thr"), M{"CloudCustomData": "mine"})
		alice.Pushes(t)
		bob.Pushes(t)
		s.MustREST(t, "openim/modify_c2c_msg", edit("alice", "bob", sent.MsgKey, "the"), nil)
		line := editLine("alice", "bob", sent.MsgKey, "the", 1)
		bob.Sees(t, line)
		alice.Sees(t, line)
		carol.SeesNothing(t)
		for _, viewer := range [][2]string{{"alice", "bob"}, {"bob", "alice"}} {
			items := history(t, s, viewer[0], viewer[1])
			if len(items) != 1 || items[0].Text() != "the" || items[0].Version != 1 || items[0].CloudCustomData != "mine" {
				t.Errorf("%s reads %+v", viewer[0], items)
			}
		}
		wantUnread(t, s, "bob", 1)
		s.MustREST(t, "openim/modify_c2c_msg", M{"From_Account": "alice", "To_Account": "bob", "MsgKey": sent.MsgKey,
			"CloudCustomData": "yours"}, nil)
		pushes := bob.Pushes(t)
		var seq, random, at int64
		_, _ = fmt.Sscanf(sent.MsgKey, "%d_%d_%d", &seq, &random, &at)
		want := fmt.Sprintf(`{"Event":18,"C2cMsgModNotifys":[{"From_Account":"alice","To_Account":"bob","MsgSeq":%d,"MsgRandom":%d,`+
			`"MsgTime":%d,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"the"}}],"CloudCustomData":"yours","MsgVersion":2}]}`,
			seq, random, at)
		if len(pushes) != 1 || string(pushes[0].Raw) != want {
			t.Errorf("bob was pushed %v, want\n%s", pushes, want)
		}
	})
}

// Either party edits; the other devices of both follow, and the one that asked learns it by the reply.
func TestClientEdit(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice, phone, bob := s.Login(t, "alice"), s.Login(t, "alice", magpietest.Platform(2)), s.Login(t, "bob")
		s.Send(t, "alice", "bob", "one")
		bob.Pushes(t)
		item := history(t, s, "bob", "alice")[0]
		for version, by := range []*magpietest.Conn{alice, bob} {
			text := "by " + by.UserID
			var reply struct {
				MsgBody         json.RawMessage
				MsgVersion      int
				CloudCustomData string
			}
			by.MustCall(t, "openim.modify_c2c_msg", With(clientEdit(item, text), M{"MsgVersion": version, "CloudCustomData": text}), &reply)
			now := WireMessage{Body: reply.MsgBody}
			if now.Text() != text || reply.MsgVersion != version+1 || reply.CloudCustomData != text {
				t.Errorf("%s is answered %+v", by.UserID, reply)
			}
			for _, other := range []*magpietest.Conn{alice, phone, bob} {
				if other == by {
					other.SeesNothing(t)
				} else {
					other.Sees(t, editLine("alice", "bob", item.Key(), text, version+1))
				}
			}
		}
	})
}

// Who edits what he has not seen is answered what the message says by now.
func TestEditConflict(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice, bob := s.Login(t, "alice"), s.Login(t, "bob")
		sent := s.Send(t, "alice", "bob", "one")
		item := history(t, s, "bob", "alice")[0]
		s.MustREST(t, "openim/modify_c2c_msg", edit("alice", "bob", sent.MsgKey, "theirs"), nil)
		bob.Pushes(t)
		var reply struct {
			MsgBody    json.RawMessage
			MsgVersion int
		}
		e := alice.Call(t, "openim.modify_c2c_msg", clientEdit(item, "mine"), &reply)
		now := WireMessage{Body: reply.MsgBody}
		if e.ErrorCode != 20027 || now.Text() != "theirs" || reply.MsgVersion != 1 {
			t.Errorf("answered %+v %+v", e, reply)
		}
		bob.SeesNothing(t)
	})
}

func TestEditRefuses(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		alice, bob, carol := s.Login(t, "alice"), s.Login(t, "bob"), s.Login(t, "carol")
		sent := s.Send(t, "alice", "bob", "one")
		gone := s.Send(t, "alice", "bob", "gone")
		item := history(t, s, "bob", "alice")[0]
		s.MustREST(t, "openim/admin_msgwithdraw", withdraw("alice", "bob", gone.MsgKey), nil)
		alice.Pushes(t)
		bob.Pushes(t)
		good := edit("alice", "bob", sent.MsgKey, "two")
		long := strings.Repeat("x", 12<<10)
		for _, row := range []struct {
			name string
			body M
			code int
		}{
			{"no sender", With(good, M{"From_Account": nil}), 90008},
			{"no receiver", With(good, M{"To_Account": nil}), 90003},
			{"an unknown receiver", With(good, M{"To_Account": "nobody"}), 90003},
			{"no key", With(good, M{"MsgKey": nil}), 90054},
			{"an unknown key", With(good, M{"MsgKey": "1_2_3"}), 20022},
			{"the wrong way round", With(good, M{"From_Account": "bob", "To_Account": "alice"}), 20022},
			{"a recalled one", With(good, M{"MsgKey": gone.MsgKey}), 20023},
			{"nothing to edit", With(good, M{"MsgBody": nil}), 90010},
			{"a body that is no list", With(good, M{"MsgBody": "x"}), 90007},
			{"an empty body", With(good, M{"MsgBody": []M{}}), 90002},
			{"a long body", With(good, M{"MsgBody": magpietest.Text(long)}), 93000},
			{"long data", With(good, M{"MsgBody": nil, "CloudCustomData": long}), 93000},
		} {
			t.Run(row.name, func(t *testing.T) { s.Refuses(t, "openim/modify_c2c_msg", row.body, row.code) })
		}
		for _, row := range []struct {
			name string
			by   *magpietest.Conn
			body M
			code int
		}{
			{"a third party", carol, clientEdit(item, "two"), 20003},
			{"another time", alice, With(clientEdit(item, "two"), M{"MsgTime": 1}), 20022},
			{"a long body", alice, clientEdit(item, long), 80002},
		} {
			if e := row.by.Call(t, "openim.modify_c2c_msg", row.body, nil); e.ErrorCode != row.code || e.ErrorInfo == "" {
				t.Errorf("%s: answered %+v, want %d", row.name, e, row.code)
			}
		}
		alice.SeesNothing(t)
		bob.SeesNothing(t)
		wantHistory(t, s, "bob", "alice", "alice → bob: one", "alice → bob: gone (recalled by administrator)")
	})
}

// A device that was away is brought a new message with what it says by now, and pushed the edits of those it may have.
func TestPullBringsEdits(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		first := s.Send(t, "alice", "bob", "early")
		bob := s.Login(t, "bob")
		cookie := bob.Cookie
		bob.Close()
		second := s.Send(t, "alice", "bob", "late")
		for _, key := range []string{first.MsgKey, second.MsgKey} {
			s.MustREST(t, "openim/modify_c2c_msg", edit("alice", "bob", key, "edited"), nil)
		}
		again := connectAs(t, s, "bob")
		pulled := again.Pull(t, cookie)
		if want := []string{"alice → bob: edited", "alice → bob: edited"}; !slices.Equal(pulled.Lines, want) {
			t.Errorf("pulled %q, want %q", pulled.Lines, want)
		}
		again.Sees(t, editLine("alice", "bob", first.MsgKey, "edited", 1), editLine("alice", "bob", second.MsgKey, "edited", 1))

		fresh := connectAs(t, s, "bob")
		for _, item := range fresh.Pull(t, "").Items {
			if item.Text() != "edited" || item.Version != 1 {
				t.Errorf("a new device pulls %+v", item)
			}
		}
	})
}

// Edits that meet are all made, each with a version of its own.
func TestEditsThatMeet(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		sent := s.Send(t, "alice", "bob", "one")
		const editors = 20
		var running sync.WaitGroup
		for n := range editors {
			running.Go(func() {
				if e := s.REST(t, "openim/modify_c2c_msg", edit("alice", "bob", sent.MsgKey, fmt.Sprint(n)), nil); e.ErrorCode != 0 {
					t.Errorf("answered %+v", e)
				}
			})
		}
		running.Wait()
		if item := history(t, s, "bob", "alice")[0]; item.Version != editors {
			t.Errorf("version %d after %d edits", item.Version, editors)
		}
	})
}

// A back end in a typed language writes empty values for what it leaves alone.
func TestEditWithZeroValues(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		sent := s.SendWith(t, magpietest.Message("alice", "bob", "one"), M{"CloudCustomData": "data"})
		s.MustREST(t, "openim/modify_c2c_msg", With(edit("alice", "bob", sent.MsgKey, "two"), M{"CloudCustomData": ""}), nil)
		if got := history(t, s, "alice", "bob")[0]; got.Text() != "two" || got.CloudCustomData != "data" {
			t.Errorf("after an edit of the body: %s with %q", &got, got.CloudCustomData)
		}
		s.MustREST(t, "openim/modify_c2c_msg", With(edit("alice", "bob", sent.MsgKey, ""), M{"MsgBody": []M{}, "CloudCustomData": "other"}), nil)
		if got := history(t, s, "alice", "bob")[0]; got.Text() != "two" || got.CloudCustomData != "other" {
			t.Errorf("after an edit of the data: %s with %q", &got, got.CloudCustomData)
		}
	})
}

// Every edit that somebody asks for is told to the back end, with what the message says then; one that is refused is not.
func TestEditCallback(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		const command = "C2C.CallbackAfterModifyMsg"
		back := s.BackEnd(t, command)
		bob := s.Login(t, "bob")
		sent := s.SendWith(t, magpietest.Message("alice", "bob", "one"), M{"CloudCustomData": "mine"})
		s.MustREST(t, "openim/modify_c2c_msg", edit("alice", "bob", sent.MsgKey, "two"), nil)
		item := history(t, s, "bob", "alice")[0]
		if e := bob.Call(t, "openim.modify_c2c_msg", With(clientEdit(item, "late"), M{"MsgVersion": 0}), nil); e.ErrorCode != 20027 {
			t.Errorf("an old version is answered %+v", e)
		}
		bob.MustCall(t, "openim.modify_c2c_msg", With(clientEdit(item, "three"), M{"CloudCustomData": "ours"}), nil)
		type body struct {
			CallbackCommand            string
			Operator                   string `json:"Operator_Account"`
			From                       string `json:"From_Account"`
			To                         string `json:"To_Account"`
			MsgSeq, MsgRandom, MsgTime int64
			MsgKey                     string
			MsgBody                    json.RawMessage
			CloudCustomData            string
			EventTime                  int64
		}
		for i, want := range []struct{ by, text, data string }{{"administrator", "two", "mine"}, {"bob", "three", "ours"}} {
			var got body
			back.Gets(t, command, 2)[i].Into(t, &got)
			now, key := WireMessage{Body: got.MsgBody}, fmt.Sprintf("%d_%d_%d", got.MsgSeq, got.MsgRandom, got.MsgTime)
			if got.Operator != want.by || got.From != "alice" || got.To != "bob" || now.Text() != want.text ||
				got.CloudCustomData != want.data || got.MsgKey != sent.MsgKey || key != sent.MsgKey || got.EventTime == 0 {
				t.Errorf("edit %d is told as %+v", i, got)
			}
		}
	})
}
