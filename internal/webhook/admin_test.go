package webhook_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

type stored struct {
	EventID               string `json:"EventId"`
	Hook, CallbackCommand string
	Attempts              int
	Since, NextAt, DeadAt int64
	Body                  told
}

type attempt struct {
	EventID               string `json:"EventId"`
	Number                int
	Hook, CallbackCommand string
	At, Took              int64
	Status                int
	Reply                 string
}

func list(t *testing.T, s *Server, query M) []stored {
	t.Helper()
	var reply struct{ Events []stored }
	s.MustREST(t, "magpie_webhook/list", query, &reply)
	return reply.Events
}

// deadLetters waits until there are so many, and fails if there are more.
func deadLetters(t *testing.T, s *Server, n int) []stored {
	t.Helper()
	var dead []stored
	magpietest.Eventually(t, fmt.Sprint("there are dead letters: ", n), func() bool {
		dead = list(t, s, M{"State": "dead"})
		return len(dead) >= n
	})
	if len(dead) != n {
		t.Fatalf("there are %d dead letters, want %d", len(dead), n)
	}
	return dead
}

func attempts(t *testing.T, s *Server, event string) []attempt {
	t.Helper()
	var reply struct{ Attempts []attempt }
	s.MustREST(t, "magpie_webhook/attempts", M{"EventId": event}, &reply)
	return reply.Attempts
}

func replay(t *testing.T, s *Server, events ...string) int {
	t.Helper()
	var reply struct{ Replayed int }
	s.MustREST(t, "magpie_webhook/replay", M{"EventIds": events}, &reply)
	return reply.Replayed
}

// With webhook.retry=off there is one attempt. Its record says what went wrong, and a replay brings the same event.
func TestDeadLetterAndReplay(t *testing.T) {
	t.Parallel()
	magpietest.Shared(t, func(t *testing.T, s *Server) {
		st := enter(t, s, afterSend, "webhook.retry", "off")
		st.back.Answer(func(*magpietest.Callback) (int, string) { return http.StatusServiceUnavailable, "down \xff\x00today" })
		sent := st.Send(t, "alice", "bob", "first")
		st.Send(t, "alice", "bob", "second")
		dead := deadLetters(t, s, 2)
		if got := textsOf(t, st.back.Gets(t, afterSend, 2)); got[0] != "first" || got[1] != "second" {
			t.Errorf("the back end got %q", got)
		}
		one := dead[0]
		if one.Attempts != 1 || one.DeadAt == 0 || one.Since == 0 || one.CallbackCommand != afterSend || one.Hook != "" || one.Body.MsgKey != sent.MsgKey {
			t.Errorf("the dead letter is %+v", one)
		}
		tries := attempts(t, s, one.EventID)
		if len(tries) != 1 || tries[0].Status != 503 || tries[0].Reply != "down today" || tries[0].Number != 1 || tries[0].At == 0 {
			t.Errorf("its attempts are %+v", tries)
		}
		if waiting := list(t, s, M{"State": "waiting"}); len(waiting) != 0 {
			t.Errorf("there wait %+v", waiting)
		}
		if page := list(t, s, M{"Limit": 1, "After": one.EventID}); len(page) != 1 || page[0].EventID != dead[1].EventID {
			t.Errorf("the second page is %+v", page)
		}
		st.back.Says(magpietest.OK)
		if n := replay(t, s, one.EventID, one.EventID, "5"); n != 1 {
			t.Errorf("%d were replayed, want 1", n)
		}
		calls := st.back.Gets(t, afterSend, 3)
		if calls[2].Event() != one.EventID || calls[0].Event() != one.EventID || string(calls[2].Body) != string(calls[0].Body) {
			t.Errorf("the replay brings %v %s", calls[2].Header, calls[2].Body)
		}
		if first, second := calls[0].Header.Get("X-Magpie-Attempt"), calls[2].Header.Get("X-Magpie-Attempt"); first != "1" || second != "2" {
			t.Errorf("the attempts have the numbers %s and %s", first, second)
		}
		deadLetters(t, s, 1)
		if n := replay(t, s); n != 1 {
			t.Errorf("%d of all were replayed, want 1", n)
		}
		st.back.Gets(t, afterSend, 4)
		deadLetters(t, s, 0)
		magpietest.Eventually(t, "the second attempt is recorded", func() bool { return len(attempts(t, s, one.EventID)) == 2 })
	})
}

// What the commands of an operator refuse.
func TestAdminRefuses(t *testing.T) {
	t.Parallel()
	s := magpietest.Enter(t)
	s.Refuses(t, "magpie_webhook/list", M{"State": "gone"}, 90010)
	s.Refuses(t, "magpie_webhook/list", M{"After": "x"}, 90010)
	s.Refuses(t, "magpie_webhook/attempts", M{"EventId": "-1"}, 90010)
	s.Refuses(t, "magpie_webhook/replay", M{"EventIds": []string{"1", "a"}}, 90010)
	s.Refuses(t, "magpie_webhook/replay", M{"EventIds": make([]string, 1001)}, 90010)
	s.Import(t, "alice")
	if e := s.Login(t, "alice").Call(t, "magpie_webhook.list", M{}, nil); e.ErrorCode != 60009 {
		t.Errorf("a client is answered %+v", e)
	}
	var raw struct{ Events []any }
	s.MustREST(t, "magpie_webhook/list", M{}, &raw)
	if raw.Events == nil {
		t.Error("an empty list is null")
	}
}
