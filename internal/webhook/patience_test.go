package webhook_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/magpie-im/magpie/magpietest"
)

// gate holds a back end's answers up until it is opened.
type gate struct {
	opened chan struct{}
	open   func()
	inside atomic.Int64
	most   atomic.Int64
}

func newGate(t *testing.T) *gate {
	t.Helper()
	g := &gate{opened: make(chan struct{})}
	g.open = sync.OnceFunc(func() { close(g.opened) })
	t.Cleanup(g.open)
	return g
}

// through waits at the gate and says what the back end answers.
func (g *gate) through(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		n := g.inside.Add(1)
		defer g.inside.Add(-1)
		for most := g.most.Load(); n > most && !g.most.CompareAndSwap(most, n); most = g.most.Load() {
		}
		select {
		case <-g.opened:
		case <-r.Context().Done():
		}
		_, _ = io.WriteString(w, body)
	}
}

// A caller that goes away does not take the decision from the back end, nor is the back end blamed for it.
func TestImpatientCaller(t *testing.T) {
	t.Parallel()
	magpietest.Shared(t, func(t *testing.T, s *Server) {
		st := enter(t, s, beforeSend)
		g := newGate(t)
		roughly(st.back, beforeSend, g.through(`{"ErrorCode":1}`))
		const calls = 12
		ctx, leave := context.WithCancel(t.Context())
		var gone sync.WaitGroup
		for n := range calls {
			gone.Go(func() { st.post(ctx, t, magpietest.Message("alice", "bob", fmt.Sprint("refused ", n))) })
		}
		magpietest.Eventually(t, "the back end is asked", func() bool { return g.inside.Load() == calls })
		leave()
		gone.Wait()
		g.open()
		st.Refuses(t, "openim/sendmsg", magpietest.Message("alice", "bob", "patient"), 20006)
		if state := st.metric(t, "magpie_webhook_breaker", "kind", "before"); state != 0 {
			t.Errorf("the breaker's state is %v", state)
		}
		st.bob.SeesNothing(t)
		if got := st.history(t); len(got) != 0 {
			t.Errorf("the history is %q", got)
		}
	})
}

// post sends a message by a REST call that ends with ctx.
func (s *stage) post(ctx context.Context, t *testing.T, message M) {
	body, _ := json.Marshal(message)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+s.Path(t, "openim/sendmsg"), bytes.NewReader(body))
	if err != nil {
		t.Error(err)
		return
	}
	if response, err := http.DefaultClient.Do(request); err == nil {
		_ = response.Body.Close()
	}
}

// Two conversations on one connection: while the back end thinks about the one, the other goes on; and what was sent
// behind the slow message arrives behind it.
func TestSlowConversationHoldsUpItselfOnly(t *testing.T) {
	t.Parallel()
	s := magpietest.Enter(t)
	st := enter(t, s, beforeSend)
	s.Import(t, "carol")
	carol := s.Login(t, "carol")
	g := newGate(t)
	st.back.Rough(func(w http.ResponseWriter, r *http.Request, c *magpietest.Callback) {
		if one := readTold(t, *c); one.To == "bob" && one.text() == "slow" {
			g.through(magpietest.OK)(w, r)
			return
		}
		_, _ = io.WriteString(w, magpietest.OK)
	})
	credentials := M{"a2": st.alice.Session.A2Key, "tinyid": st.alice.Session.TinyID, "status_instid": st.alice.Session.InstID}
	send := func(to, text string) {
		st.alice.Write(t, st.alice.Request(t, credentials, "openim.sendmsg", magpietest.Message("alice", to, text)))
	}
	send("bob", "slow")
	for n := range 3 {
		send("bob", fmt.Sprint("behind ", n))
		send("carol", fmt.Sprint("hi ", n))
	}
	var heard []string
	magpietest.Eventually(t, "carol hears all", func() bool {
		for _, p := range carol.Pushes(t) {
			heard = append(heard, p.String())
		}
		return len(heard) >= 3
	})
	if want := []string{"alice → carol: hi 0", "alice → carol: hi 1", "alice → carol: hi 2"}; !slices.Equal(heard, want) {
		t.Errorf("carol hears %q", heard)
	}
	st.bob.SeesNothing(t)
	g.open()
	magpietest.Eventually(t, "all are in the history", func() bool { return len(st.history(t)) == 4 })
	st.bob.Sees(t, "alice → bob: slow", "alice → bob: behind 0", "alice → bob: behind 1", "alice → bob: behind 2")
}

// A back end gets no more calls at once than the operator allows, of either kind.
func TestCallsAtOnceAreBounded(t *testing.T) {
	t.Parallel()
	const bound, callers = 3, 12
	s := magpietest.Start(t, magpietest.Set(t, "webhook-before", fmt.Sprint(bound)), magpietest.Set(t, "webhook-after", fmt.Sprint(bound)))
	st := enter(t, s, beforeSend+","+afterSend)
	asked, told := newGate(t), newGate(t)
	st.back.Rough(func(w http.ResponseWriter, r *http.Request, c *magpietest.Callback) {
		g := told
		if c.Command == beforeSend {
			g = asked
		}
		g.through(magpietest.OK)(w, r)
	})
	users := make([]string, callers)
	var sent sync.WaitGroup
	for n := range users {
		users[n] = fmt.Sprint("user", n)
		s.Import(t, users[n])
	}
	for _, user := range users {
		sent.Go(func() { s.Send(t, "alice", user, "hi") })
	}
	full := func(kind string, g *gate) {
		magpietest.Eventually(t, "the back end is busy", func() bool { return g.inside.Load() == bound })
		if n := st.metric(t, "magpie_webhook_calls", "kind", kind); n != bound {
			t.Errorf("%s: %v calls under way, want %d", kind, n, bound)
		}
		g.open()
	}
	full("before", asked)
	sent.Wait()
	full("after", told)
	st.back.Gets(t, afterSend, callers)
	if asked.most.Load() != bound || told.most.Load() != bound {
		t.Errorf("at most %d and %d calls at once, want %d", asked.most.Load(), told.most.Load(), bound)
	}
}

// The addresses of several applications may be on one host. The slow ones do not take the others' connections.
func TestOneHostOfManyApplications(t *testing.T) {
	t.Parallel()
	s := magpietest.Start(t, magpietest.Set(t, "webhook-before", "1"), magpietest.Set(t, "webhook-after", "1"))
	back, g := magpietest.NewBackEnd(t), newGate(t)
	fine := enter(t, s, beforeSend+","+afterSend, "webhook.url", back.URL, "webhook.on_timeout", "refuse")
	back.Rough(func(w http.ResponseWriter, r *http.Request, c *magpietest.Callback) {
		if c.Query.Get("SdkAppid") != fmt.Sprint(fine.AppID) {
			g.through(magpietest.OK)(w, r)
			return
		}
		_, _ = io.WriteString(w, magpietest.OK)
	})
	var setting sync.WaitGroup
	for range 5 {
		setting.Go(func() {
			slow := enter(t, tenant(t, s), afterSend, "webhook.url", back.URL)
			slow.Send(t, "alice", "bob", "slow")
		})
	}
	setting.Wait()
	magpietest.Eventually(t, "the others' calls are under way", func() bool { return g.inside.Load() == 5 })
	fine.Send(t, "alice", "bob", "fine")
	magpietest.Eventually(t, "the fine one is told", func() bool {
		return slices.ContainsFunc(back.Calls(afterSend), func(c magpietest.Callback) bool { return c.Query.Get("SdkAppid") == fmt.Sprint(fine.AppID) })
	})
	if n := g.inside.Load(); n != 5 {
		t.Errorf("%d calls of the others are under way, want 5", n)
	}
}

// While one application's back end is slow or dead, the messages of others, and those of its own that need no callback,
// take as long as before.
func TestSlowBackEndsDelayNobodyElse(t *testing.T) {
	t.Parallel()
	s := magpietest.Enter(t)
	slow, other := enter(t, s, beforeSend+","+afterSend), enter(t, tenant(t, s), afterSend)
	median := func() time.Duration {
		var took []time.Duration
		for n := range 41 {
			started := time.Now()
			other.alice.MustCall(t, "openim.sendmsg", magpietest.Message("alice", "bob", fmt.Sprint(n)), nil)
			took = append(took, time.Since(started))
		}
		slices.Sort(took)
		return took[len(took)/2]
	}
	quiet := median()
	g := newGate(t)
	slow.back.Rough(func(w http.ResponseWriter, r *http.Request, _ *magpietest.Callback) { g.through(magpietest.OK)(w, r) })
	var sending sync.WaitGroup
	for n := range 20 {
		sending.Go(func() { slow.Send(t, "alice", "bob", fmt.Sprint(n)) })
	}
	magpietest.Eventually(t, "the slow one is asked", func() bool { return g.inside.Load() >= 10 })
	if busy := median(); busy > 2*quiet+50*time.Millisecond {
		t.Errorf("a message takes %v, and %v beside a slow back end", quiet, busy)
	}
	g.open()
	sending.Wait()
	other.back.Gets(t, afterSend, 82)
}

// The breaker opens for a back end that is dead, answers by the policy at once, and closes when it is back.
func TestBreaker(t *testing.T) {
	t.Parallel()
	st := enter(t, magpietest.Enter(t), beforeSend, "webhook.on_timeout", "refuse")
	if state := st.metric(t, "magpie_webhook_breaker", "kind", "before"); state != -1 {
		t.Errorf("before the first call its state is %v", state)
	}
	roughly(st.back, beforeSend, reset(""))
	for range 5 {
		st.Refuses(t, "openim/sendmsg", magpietest.Message("alice", "bob", "lost"), 80003)
	}
	if state := st.metric(t, "magpie_webhook_breaker", "kind", "before"); state != 2 {
		t.Errorf("after five failures its state is %v", state)
	}
	g := newGate(t)
	roughly(st.back, beforeSend, g.through(magpietest.OK))
	asked := len(st.back.Calls(beforeSend))
	started := time.Now()
	st.Refuses(t, "openim/sendmsg", magpietest.Message("alice", "bob", "at once"), 80003)
	if took := time.Since(started); took > time.Second || len(st.back.Calls(beforeSend)) != asked {
		t.Errorf("refused after %v and %d calls", took, len(st.back.Calls(beforeSend))-asked)
	}
	// A single call tries; the others do not wait for it.
	var trying sync.WaitGroup
	magpietest.Eventually(t, "one call tries", func() bool {
		trying.Go(func() { st.post(t.Context(), t, magpietest.Message("alice", "bob", "tries")) })
		return g.inside.Load() == 1
	})
	if state := st.metric(t, "magpie_webhook_breaker", "kind", "before"); state != 1 {
		t.Errorf("while one call tries its state is %v", state)
	}
	st.Refuses(t, "openim/sendmsg", magpietest.Message("alice", "bob", "meanwhile"), 80003)
	g.open()
	trying.Wait()
	st.Send(t, "alice", "bob", "well again")
	if state := st.metric(t, "magpie_webhook_breaker", "kind", "before"); state != 0 || g.most.Load() != 1 {
		t.Errorf("after the recovery its state is %v, %d calls tried", state, g.most.Load())
	}
}
