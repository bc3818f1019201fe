package gateway_test

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/gateway"
	"github.com/magpie-im/magpie/magpietest"
)

// audited lets the time of an audit pass, in which quiet clients stay.
const audited = 31 * time.Second

// A session whose signature ends is closed also when it only receives; its way back says that a new signature is needed.
func TestExpiredSessionIsClosed(t *testing.T) {
	timedStory(t, func(t *testing.T, s *Server, m *clock.Manual) {
		alice, bob := s.Connect(t), s.Login(t, "bob")
		if e := alice.TryLogin(t, "alice", s.UserSigAt(t, "alice", s.Now(), 10*time.Second)); e.ErrorCode != 0 {
			t.Fatalf("log in: %+v", e)
		}
		m.Advance(audited)
		wantClosed(t, alice, gateway.Expired)
		bob.Open(t)
		if e := s.Connect(t).Resume(t, "alice", alice.Session); e.ErrorCode != 70001 {
			t.Errorf("come back: answered %+v, want 70001", e)
		}
	})
}

// A key that is exchanged ends what was logged in by it, at once or when its time is over.
func TestRotatedKey(t *testing.T) {
	timedStory(t, func(t *testing.T, s *Server, m *clock.Manual) {
		before := s.Login(t, "alice")
		old := s.UserSig(t, "alice")
		fresh := s.RotateKey(t, time.Hour)
		m.Advance(audited)
		before.MustCall(t, "openim.getmsg", M{}, nil) // it is served, and is not silent
		if e := s.Connect(t).TryLogin(t, "bob", s.UserSig(t, "bob")); e.ErrorCode != 0 {
			t.Errorf("a login by the former key, in its time: %+v", e)
		}
		after := fresh.Login(t, "bob")
		last := fresh.RotateKey(t, 0)
		m.Advance(audited)
		wantClosed(t, before, gateway.Expired)
		wantClosed(t, after, gateway.Expired)
		for name, c := range map[string]*Conn{"the first key": before, "the second key": after} {
			if e := s.Connect(t).Resume(t, "alice", c.Session); e.ErrorCode != 70001 {
				t.Errorf("come back by %s: %+v, want 70001", name, e)
			}
		}
		if e := s.Connect(t).TryLogin(t, "alice", old); e.ErrorCode != 70009 {
			t.Errorf("a login by the first key: %+v, want 70009", e)
		}
		if e := s.REST(t, "im_open_login_svc/account_check", M{"CheckItem": []M{{"UserID": "bob"}}}, nil); e.ErrorCode != 70009 {
			t.Errorf("REST by the first key: %+v, want 70009", e)
		}
		last.Login(t, "alice")
		last.Send(t, "bob", "alice", "hi")
	})
}

// A disabled application lets nobody in, and keeps what it has.
func TestDisabledApplication(t *testing.T) {
	timedStory(t, func(t *testing.T, s *Server, m *clock.Manual) {
		alice := s.Login(t, "alice")
		s.Disable(t, true)
		m.Advance(audited)
		wantClosed(t, alice, gateway.Expired)
		if e := s.Connect(t).TryLogin(t, "alice", s.UserSig(t, "alice")); e.ErrorCode != 60016 {
			t.Errorf("log in: %+v, want 60016", e)
		}
		if e := s.REST(t, "openim/sendmsg", magpietest.Message("alice", "bob", "hi"), nil); e.ErrorCode != 60016 {
			t.Errorf("REST: %+v, want 60016", e)
		}
		s.Disable(t, false)
		back := s.Connect(t)
		if e := back.Resume(t, "alice", alice.Session); e.ErrorCode != 0 {
			t.Errorf("come back: %+v", e)
		}
		s.Send(t, "bob", "alice", "hi")
	})
}

// Who fails to log in is told to the operator with his address and the reason, and is counted.
func TestFailedLoginIsTold(t *testing.T) {
	log := &journal{}
	s := start(t, magpietest.Log(log.log()))
	if e := s.Connect(t).TryLogin(t, "alice", "garbage"); e.ErrorCode != 70003 {
		t.Fatalf("log in: %+v", e)
	}
	if lines := log.lines("refused", "door=client", "reason=usersig-malformed", "peer=127.0.0.1", "user=alice"); len(lines) != 1 || len(log.lines("garbage")) > 0 {
		t.Errorf("the log has %q", lines)
	}
}

// journal keeps what a server logs.
type journal struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

// Write keeps a line.
func (j *journal) Write(line []byte) (int, error) {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	return j.text.Write(line)
}

func (j *journal) log() *slog.Logger { return slog.New(slog.NewTextHandler(j, nil)) }

// lines are those that hold all of the words.
func (j *journal) lines(words ...string) (found []string) {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	for line := range strings.Lines(j.text.String()) {
		if !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(line, word) }) {
			found = append(found, line)
		}
	}
	return found
}
