package webhook_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/magpie-im/magpie/magpietest"
)

// Several addresses: each gets what it ticked, and the first that ticked a callback that blocks decides alone.
func TestSeveralAddresses(t *testing.T) {
	t.Parallel()
	s := magpietest.Enter(t)
	st := enter(t, s, afterSend)
	judge, second, log := magpietest.NewBackEnd(t), magpietest.NewBackEnd(t), magpietest.NewBackEnd(t)
	st.Configure(t, "webhook.a-judge.url", judge.URL, "webhook.a-judge.commands", beforeSend,
		"webhook.b.url", second.URL, "webhook.b.commands", beforeSend,
		"webhook.log.url", log.URL, "webhook.log.commands", "all")
	st.alice.MustCall(t, "openim.sendmsg", magpietest.Message("alice", "bob", "hi"), nil)
	judge.Gets(t, beforeSend, 1)
	one, other := st.back.Gets(t, afterSend, 1)[0], log.Gets(t, afterSend, 1)[0]
	if string(one.Body) != string(other.Body) || one.Event() == other.Event() {
		t.Errorf("the two are told %s and %s, as events %s and %s", one.Body, other.Body, one.Event(), other.Event())
	}
	st.MustREST(t, "openim/admin_set_msg_read", M{"Report_Account": "bob", "Peer_Account": "alice"}, nil)
	log.Gets(t, afterRead, 1)
	judge.Says(`{"ErrorCode":1}`)
	st.Refuses(t, "openim/sendmsg", magpietest.Message("alice", "bob", "no"), 20006)
	judge.Says(magpietest.OK)
	st.Send(t, "alice", "bob", "yes")
	st.back.Gets(t, afterSend, 2)
	log.Gets(t, afterSend, 2)
	if len(judge.Calls("")) != 3 || len(second.Calls("")) != 0 || len(st.back.Calls("")) != 2 || len(log.Calls(beforeSend)) != 0 {
		t.Errorf("calls: %d, %d, %d, %d", len(judge.Calls("")), len(second.Calls("")), len(st.back.Calls("")), len(log.Calls(beforeSend)))
	}
}

// A change is in force within two seconds, for connections that are open too.
func TestChangeIsInForceSoon(t *testing.T) {
	t.Parallel()
	s := magpietest.Enter(t)
	st := enter(t, s, beforeSend+","+afterSend)
	next := magpietest.NewBackEnd(t)
	next.Answer(func(c *magpietest.Callback) (int, string) {
		if c.Command == beforeSend {
			return http.StatusOK, `{"ErrorCode":120005,"ErrorInfo":"moved"}`
		}
		return http.StatusOK, magpietest.OK
	})
	started := time.Now()
	st.Configure(t, "webhook.url", next.URL)
	if took := time.Since(started); took > 2*time.Second {
		t.Logf("the change took %v", took)
	}
	if e := st.alice.Call(t, "openim.sendmsg", magpietest.Message("alice", "bob", "hi"), nil); e.ErrorCode != 120005 {
		t.Errorf("answered %+v, want the new address's refusal", e)
	}
	next.Says(magpietest.OK)
	st.alice.MustCall(t, "openim.sendmsg", magpietest.Message("alice", "bob", "hi again"), nil)
	next.Gets(t, afterSend, 1)
	st.Configure(t, "webhook.commands", "")
	st.alice.MustCall(t, "openim.sendmsg", magpietest.Message("alice", "bob", "unticked"), nil)
	st.Configure(t, "webhook.commands", afterSend)
	st.alice.MustCall(t, "openim.sendmsg", magpietest.Message("alice", "bob", "ticked"), nil)
	if got := textsOf(t, next.Gets(t, afterSend, 2)); got[1] != "ticked" || len(st.back.Calls("")) != 0 {
		t.Errorf("the new address is told of %q, the old one of %d", got, len(st.back.Calls("")))
	}
}

// What waits for an address that is removed becomes dead letters, and a replay finds the address when it is back.
func TestRemovedAddress(t *testing.T) {
	t.Parallel()
	magpietest.Shared(t, func(t *testing.T, s *Server) {
		st := enter(t, s, "")
		st.Configure(t, "webhook.extra.url", st.back.URL, "webhook.extra.commands", afterSend)
		st.back.Answer(func(*magpietest.Callback) (int, string) { return http.StatusBadGateway, "" })
		for n := range 3 {
			st.Send(t, "alice", "bob", fmt.Sprint(n))
		}
		magpietest.Eventually(t, "an attempt was made", func() bool { return len(st.back.Calls("")) > 0 })
		st.Configure(t, "webhook.extra.url", "", "webhook.extra.commands", "")
		dead := deadLetters(t, s, 3)
		for _, d := range dead {
			tries := attempts(t, s, d.EventID)
			if last := tries[len(tries)-1]; d.Hook != "extra" || last.Reply == "" || last.Status != 0 {
				t.Errorf("%+v has the attempts %+v", d, tries)
			}
		}
		n := len(st.back.Calls(""))
		st.back.Says(magpietest.OK)
		st.Configure(t, "webhook.extra.url", st.back.URL)
		if got := replay(t, s); got != 3 {
			t.Errorf("%d were replayed", got)
		}
		if got := textsOf(t, st.back.Gets(t, afterSend, n+3)[n:]); !slices.Equal(got, []string{"0", "1", "2"}) {
			t.Errorf("the replay brings %q", got)
		}
		deadLetters(t, s, 0)
	})
}

// Two applications see nothing of each other's callbacks, dead letters and attempts.
func TestApplicationsAreApart(t *testing.T) {
	t.Parallel()
	magpietest.Shared(t, func(t *testing.T, s *Server) {
		mine, theirs := enter(t, s, "all", "webhook.retry", "off"), enter(t, tenant(t, s), "all", "webhook.retry", "off")
		down := func(*magpietest.Callback) (int, string) { return http.StatusTeapot, "secret" }
		mine.back.Answer(down)
		mine.Send(t, "alice", "bob", "mine")
		event := slices.DeleteFunc(deadLettersOf(t, mine.Server, afterSend, 1), func(d stored) bool { return d.CallbackCommand != afterSend })[0].EventID
		theirs.Send(t, "alice", "bob", "theirs")
		theirs.back.Gets(t, afterSend, 1)
		magpietest.Eventually(t, "what the other application was told of waits no more", func() bool {
			return len(list(t, theirs.Server, M{"State": "waiting"})) == 0
		})
		if dead := list(t, theirs.Server, M{}); len(dead) != 0 {
			t.Errorf("the other application sees %+v", dead)
		}
		if tries := attempts(t, theirs.Server, event); len(tries) != 0 {
			t.Errorf("the other application sees the attempts %+v", tries)
		}
		if n := replay(t, theirs.Server, event) + replay(t, theirs.Server); n != 0 {
			t.Errorf("the other application replays %d", n)
		}
		if got := textsOf(t, theirs.back.Calls(afterSend)); !slices.Equal(got, []string{"theirs"}) {
			t.Errorf("the other application is told of %q", got)
		}
		for _, c := range append(mine.back.Calls(""), theirs.back.Calls("")...) {
			if app := c.Query.Get("SdkAppid"); app != fmt.Sprint(mine.AppID) && app != fmt.Sprint(theirs.AppID) {
				t.Errorf("a callback of application %s", app)
			}
		}
		for _, c := range theirs.back.Calls("") {
			if c.Query.Get("SdkAppid") != fmt.Sprint(theirs.AppID) {
				t.Errorf("the other application's back end got %v", c.Query)
			}
		}
	})
}

// deadLettersOf waits until n dead letters of the command are among the others.
func deadLettersOf(t *testing.T, s *Server, command string, n int) (dead []stored) {
	t.Helper()
	magpietest.Eventually(t, "dead letters of "+command, func() bool {
		dead = slices.DeleteFunc(list(t, s, M{}), func(d stored) bool { return d.CallbackCommand != command })
		return len(dead) == n
	})
	return dead
}
