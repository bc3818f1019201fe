package webhook_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/magpie-im/magpie/internal/bus/bustest"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/magpietest"
)

// accepted keeps what a back end answered with 200, each event when it did so first.
type accepted struct {
	mutex sync.Mutex
	seen  map[string]bool
	told  []told
}

// take keeps the callbacks that good says yes to, and answers the others with a status.
func (a *accepted) take(status int, good func(*magpietest.Callback) bool) func(*magpietest.Callback) (int, string) {
	return func(c *magpietest.Callback) (int, string) {
		a.mutex.Lock()
		defer a.mutex.Unlock()
		if !good(c) {
			return status, "not now"
		}
		if a.seen == nil {
			a.seen = map[string]bool{}
		}
		if !a.seen[c.Event()] {
			var one told
			if err := json.Unmarshal(c.Body, &one); err != nil {
				return http.StatusBadRequest, err.Error()
			}
			a.seen[c.Event()], a.told = true, append(a.told, one)
		}
		return http.StatusOK, magpietest.OK
	}
}

func always(*magpietest.Callback) bool { return true }
func never(*magpietest.Callback) bool  { return false }

func (a *accepted) all() []told {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	return a.told[:len(a.told):len(a.told)]
}

// inOrder waits for n different callbacks and checks that those to each receiver, whose texts are numbers, came in order.
func (a *accepted) inOrder(t *testing.T, n int) {
	t.Helper()
	magpietest.Eventually(t, fmt.Sprintf("the back end gets all %d", n), func() bool { return len(a.all()) >= n })
	all := a.all()
	if len(all) != n {
		t.Errorf("the back end got %d different callbacks, want %d", len(all), n)
	}
	last := map[string]int{}
	for _, one := range all {
		var number int
		if _, err := fmt.Sscan(one.text(), &number); err != nil {
			t.Fatalf("%q has no number", one.text())
		}
		if number <= last[one.To] {
			t.Errorf("%s: %d came after %d", one.To, number, last[one.To])
		}
		last[one.To] = number
	}
}

// people makes accounts and returns their names.
func people(t *testing.T, s *Server, n int) (users []string) {
	t.Helper()
	for i := range n {
		users = append(users, fmt.Sprint("user", i))
	}
	s.Import(t, users...)
	return users
}

// talk sends so many numbered messages to each user, all at once, and returns how many that are.
func talk(t *testing.T, s *Server, users []string, from, to int) int {
	t.Helper()
	var talking sync.WaitGroup
	for _, user := range users {
		talking.Go(func() {
			for n := from; n <= to; n++ {
				s.Send(t, "alice", user, fmt.Sprint(n))
			}
		})
	}
	talking.Wait()
	return len(users) * (to - from + 1)
}

// A back end that fails now and then, and then wholly, gets everything in the end, in order in each conversation.
func TestEverythingArrivesAfterFailures(t *testing.T) {
	t.Parallel()
	magpietest.Shared(t, func(t *testing.T, s *Server) {
		st := enter(t, s, afterSend)
		users, got := people(t, s, 4), &accepted{}
		st.back.Answer(got.take(http.StatusInternalServerError, func(*magpietest.Callback) bool { return rand.N(5) > 0 }))
		sent := talk(t, s, users, 1, 6)
		st.back.Answer(got.take(http.StatusBadGateway, never))
		sent += talk(t, s, users, 7, 9)
		st.back.Answer(got.take(0, always))
		sent += talk(t, s, users, 10, 12)
		got.inOrder(t, sent)
		// The numbers of an event's attempts rise by one, and its id stays.
		tries := map[string]int{}
		for _, c := range st.back.Calls("") {
			tries[c.Event()]++
			if number := c.Header.Get("X-Magpie-Attempt"); number != fmt.Sprint(tries[c.Event()]) {
				t.Errorf("attempt %d of %s has the number %s", tries[c.Event()], c.Event(), number)
			}
		}
		if len(tries) != sent {
			t.Errorf("%d events for %d messages", len(tries), sent)
		}
		for event, n := range tries {
			magpietest.Eventually(t, "all attempts are recorded", func() bool { return len(attempts(t, s, event)) == n })
			if n > 1 {
				break
			}
		}
		magpietest.Eventually(t, "nothing waits", func() bool { return len(list(t, s, M{"State": "waiting"})) == 0 })
		deadLetters(t, s, 0)
	})
}

// Two servers, one after the other, on one store: what the first could not deliver, the second does, in order.
func TestRestartDeliversWhatWaited(t *testing.T) {
	t.Parallel()
	magpietest.Scenario(t, func(t *testing.T, s *Server) {
		st := enter(t, s, afterSend)
		users, got := people(t, s, 4), &accepted{}
		st.back.Answer(got.take(http.StatusBadGateway, never))
		sent := talk(t, s, users, 1, 5)
		magpietest.Eventually(t, "attempts were made", func() bool { return len(st.back.Calls("")) >= 3 })
		waiting := list(t, s, M{"State": "waiting"})
		if len(waiting) != sent {
			t.Errorf("%d are listed as waiting, want %d", len(waiting), sent)
		}
		s.Restart(t)
		if again := list(t, s, M{"State": "waiting"}); len(again) != sent {
			t.Errorf("after the restart %d are listed as waiting, want %d", len(again), sent)
		}
		sent += talk(t, s, users, 6, 7)
		st.back.Answer(got.take(0, always))
		got.inOrder(t, sent)
	})
}

// One conversation whose callbacks the back end never takes does not hold up the others, however much is said in it.
func TestPoisonedConversation(t *testing.T) {
	t.Parallel()
	s := magpietest.Enter(t)
	st := enter(t, s, afterSend)
	got := &accepted{}
	st.back.Answer(got.take(http.StatusInternalServerError, func(c *magpietest.Callback) bool {
		return !strings.Contains(string(c.Body), "poison")
	}))
	s.Import(t, "carol", "dave")
	st.Send(t, "alice", "carol", "poison")
	var sending sync.WaitGroup
	for range 4 {
		sending.Go(func() {
			for range 110 {
				st.Send(t, "alice", "carol", "behind it")
			}
		})
	}
	sending.Wait()
	for n := range 3 {
		st.Send(t, "alice", "dave", fmt.Sprint("fine ", n))
	}
	magpietest.Eventually(t, "the other conversation is told of", func() bool {
		return len(slices.DeleteFunc(slices.Clone(got.all()), func(one told) bool { return one.To != "dave" })) == 3
	})
}

// Two nodes on one database: what either stores is delivered once. The one that delivers stops, and the other goes on.
func TestTwoNodes(t *testing.T) {
	t.Parallel()
	database, nats := dbtest.URL(t), bustest.StartServer(t)
	first := magpietest.Start(t, magpietest.Database(database), magpietest.Bus(nats.URL()))
	st := enter(t, first, afterSend)
	users, got := people(t, first, 4), &accepted{}
	st.back.Answer(got.take(0, always))
	sent := talk(t, first, users[:1], 1, 1)
	got.inOrder(t, sent) // the first node delivers
	second := magpietest.Start(t, magpietest.Database(database), magpietest.Bus(nats.URL()))
	var both sync.WaitGroup
	both.Go(func() { talk(t, first, users[:2], 2, 20) })
	both.Go(func() { talk(t, second, users[2:], 2, 20) })
	both.Wait()
	sent += 4 * 19
	got.inOrder(t, sent)
	if n := len(st.back.Calls("")); n != sent {
		t.Errorf("%d callbacks for %d messages", n, sent)
	}
	if metricOf(t, second, "magpie_webhook_calls_total", "kind", "after", "outcome", "answered") > 0 {
		t.Error("both nodes deliver")
	}
	st.back.Answer(got.take(http.StatusBadGateway, never))
	sent += talk(t, second, users, 21, 22)
	first.Stop(t)
	sent += talk(t, second, users, 23, 24)
	st.back.Answer(got.take(0, always))
	got.inOrder(t, sent)
	if slices.IndexFunc(st.back.Calls(""), func(c magpietest.Callback) bool { return c.Event() == "" }) >= 0 {
		t.Error("a callback without event id")
	}
}
