package outbox_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/magpietest"
)

// A callback that the back end can never take is parked after five tries, and those behind it go on. The log says which.
func TestOneThatAlwaysFailsIsParked(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		t.Parallel()
		for _, status := range []int{404, 500} {
			e := start(t, db.Options{Dir: o.Dir, URL: o.URL})
			e.fails(status, func(n note) bool { return n.Text == "poison" })
			started := e.manual.Clock().Now()
			e.tell(t, 1, "before", "poison", "behind", "and more")
			e.tell(t, 2, "elsewhere")
			e.within(t, 200*time.Millisecond, "nothing waits", func() bool { return len(e.stored(t, false)) == 0 })
			if took := e.manual.Clock().Since(started); took > 30*time.Second {
				t.Errorf("%d: those behind it go on after %v", status, took)
			}
			if got := e.texts(1); !slices.Equal(got, []string{"before", "poison", "behind", "and more"}) {
				t.Errorf("%d: the back end is told of %q", status, got)
			}
			dead := e.stored(t, true)
			if len(dead) != 1 || dead[0].Attempts != 5 || !strings.Contains(string(dead[0].Body), "poison") {
				t.Fatalf("%d: the dead letters are %+v", status, dead)
			}
			host, _, _ := strings.Cut(strings.TrimPrefix(e.back.URL, "http://"), "/")
			for _, part := range []string{"event_id=" + dead[0].EventID, fmt.Sprint("status=", status), "host=" + host} {
				if !strings.Contains(e.log.String(), part+" ") && !strings.Contains(e.log.String(), part+"\n") {
					t.Errorf("%d: the log lacks %s: %s", status, part, e.log)
				}
			}
			if strings.Contains(e.log.String(), "secret") || strings.Contains(e.log.String(), "poison") {
				t.Errorf("%d: the log says too much: %s", status, e.log)
			}
			e.stop()
			e.write(t, func(tx *db.Tx) error { _, err := tx.Exec(`DELETE FROM webhook_event`); return err })
		}
	})
}

// Several callbacks that can never be taken, one behind the other, are parked one after the other.
func TestSeveralThatAlwaysFail(t *testing.T) {
	t.Parallel()
	for _, poisons := range []int{2, 7} {
		t.Run(fmt.Sprint(poisons), func(t *testing.T) {
			t.Parallel()
			e := start(t, db.Options{Dir: t.TempDir()})
			e.fails(http.StatusInternalServerError, func(n note) bool { return n.Text[0] == 'p' })
			started := e.manual.Clock().Now()
			for n := range poisons {
				e.tell(t, 1, fmt.Sprint("p", n))
			}
			e.tell(t, 1, "1", "2", "3")
			e.within(t, 2*time.Second, "those behind them come", func() bool { return len(e.texts(1)) == poisons+3 })
			e.within(t, 2*time.Second, "they are parked", func() bool { return len(e.stored(t, true)) == poisons })
			if took := e.manual.Clock().Since(started); took > 8*time.Minute { // each has its tries, with pauses that are drawn by lot
				t.Errorf("that takes %v", took)
			}
			if got := e.texts(1)[poisons:]; !slices.Equal(got, []string{"1", "2", "3"}) {
				t.Errorf("those behind them come as %q", got)
			}
			e.quiet(t)
		})
	}
}

// One on which the back end breaks the connection off is parked too, later: it may be the back end that comes and goes.
func TestOneThatIsNeverAnsweredIsParked(t *testing.T) {
	t.Parallel()
	e := start(t, db.Options{Dir: t.TempDir()})
	e.back.Rough(func(w http.ResponseWriter, _ *http.Request, c *magpietest.Callback) {
		if about(c).Text == "poison" {
			panic(http.ErrAbortHandler)
		}
	})
	e.tell(t, 1, "poison", "1", "2")
	e.within(t, 4*time.Second, "nothing waits", func() bool { return len(e.stored(t, false)) == 0 })
	if dead := e.stored(t, true); len(dead) != 1 || dead[0].Attempts != 9 {
		t.Errorf("the dead letters are %+v", dead)
	}
	if got := e.texts(1); !slices.Equal(got, []string{"poison", "1", "2"}) {
		t.Errorf("the back end is told of %q", got)
	}
}

// A back end that is away for an hour, however it looks from here, loses nothing, and gets everything in order.
func TestNothingIsParkedWhileTheBackEndIsAway(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]http.HandlerFunc{
		"500": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"cut": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := start(t, db.Options{Dir: t.TempDir()})
			e.back.Rough(func(w http.ResponseWriter, r *http.Request, _ *magpietest.Callback) { answer(w, r) })
			started := e.manual.Clock().Now()
			e.tell(t, 1, numbered(1, 10)...)
			e.tell(t, 2, numbered(1, 10)...)
			e.within(t, time.Minute, "an hour is over", func() bool { return e.manual.Clock().Since(started) > time.Hour })
			if dead := e.stored(t, true); len(dead) != 0 {
				t.Errorf("dead letters: %+v", dead)
			}
			e.pass(t, 0)
			before := len(e.back.Calls(""))
			e.fails(0, never)
			e.tell(t, 1, numbered(11, 12)...)
			e.quiet(t)
			var came []string
			for _, c := range e.back.Calls(command)[before:] {
				if n := about(&c); n.Lane == 1 {
					came = append(came, n.Text)
				}
			}
			if want := numbered(1, 12); !slices.Equal(came, want) {
				t.Errorf("the back end gets %q, want %q", came, want)
			}
		})
	}
}

// With nothing behind it a callback holds up nobody, and is tried until its time is over.
func TestAloneItIsTriedOn(t *testing.T) {
	t.Parallel()
	e := start(t, db.Options{Dir: t.TempDir()}, "webhook.retry_seconds", "3600")
	e.fails(http.StatusInternalServerError, always)
	started := e.manual.Clock().Now()
	e.tell(t, 1, "alone")
	e.within(t, 30*time.Second, "it is given up", func() bool { return len(e.stored(t, true)) == 1 })
	// On a busy machine the clock of the test runs ahead of what is recorded, so the bound above is wide.
	if took := e.manual.Clock().Since(started); took < 54*time.Minute || took > 3*time.Hour {
		t.Errorf("it is given up after %v", took)
	}
	if n := len(e.back.Calls("")); n < 12 {
		t.Errorf("it was tried %d times", n)
	}
}
