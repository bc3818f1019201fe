package outbox_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/internal/webhook/outbox"
)

// nobody is an address where nobody listens, and no test will: their servers are at 127.0.0.1.
const nobody = "http://127.0.0.2:1/"

// An address that did not answer for long is changed to one that does, which is called at once.
func TestNewAddressIsNotBlamedForTheOld(t *testing.T) {
	t.Parallel()
	e := start(t, db.Options{Dir: t.TempDir()}, "webhook.url", nobody)
	for lane := range int64(8) {
		e.tell(t, lane, "lost")
	}
	started := e.manual.Clock().Now()
	e.soon(t, "the breaker is open for long", func() bool { return e.manual.Clock().Since(started) > time.Minute })
	if calls := len(e.back.Calls("")); calls != 0 {
		t.Fatalf("%d calls", calls)
	}
	e.set(t, "webhook.url", e.back.URL)
	changed := e.manual.Clock().Now()
	e.tell(t, 100, "hi")
	e.soon(t, "the new address is told", func() bool { return len(e.texts(100)) == 1 })
	if took := e.manual.Clock().Since(changed); took > 10*time.Second {
		t.Errorf("the new address is told after %v", took)
	}
	e.quiet(t)
}

// When the time for trying is over, a callback is a dead letter; a replay brings it again, also a day later.
func TestRetryTimeIsOver(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		t.Parallel()
		e := start(t, o, "webhook.retry_seconds", "60")
		e.fails(http.StatusNotFound, always)
		e.tell(t, 1, "first", "second")
		e.soon(t, "both are dead letters", func() bool { return len(e.stored(t, true)) == 2 })
		dead := e.stored(t, true)
		for i, d := range dead {
			tries, err := outbox.Attempts(t.Context(), e.db, appID, d.EventID)
			if err != nil || len(tries) != d.Attempts || len(tries) == 0 || len(tries) > 8 {
				t.Errorf("%+v has the attempts %+v: %v", d, tries, err)
			}
			for n, a := range tries {
				if a.Number != n+1 || a.Status != http.StatusNotFound || a.Reply != "cannot store it" {
					t.Errorf("attempt %d is %+v", n, a)
				}
			}
			if took := d.DeadAt - d.Since; i == 0 && (took < 28_000 || took > 65_000) {
				t.Errorf("it was given up after %d ms", took)
			}
		}
		e.manual.Advance(24 * time.Hour)
		e.fails(0, never)
		before := len(e.back.Calls(""))
		if n, err := outbox.Replay(t.Context(), e.db, appID, nil); n != 2 || err != nil {
			t.Errorf("%d are replayed: %v", n, err)
		}
		e.quiet(t)
		for i, c := range e.back.Calls("")[before:] {
			if c.Event() != dead[i].EventID {
				t.Errorf("the replay brings %s in the place of %s", c.Event(), dead[i].EventID)
			}
		}
	})
}

// Attempts and dead letters are kept for as long as the operator says, and no longer.
func TestOldOnesAreRemoved(t *testing.T) {
	t.Parallel()
	e := start(t, db.Options{Dir: t.TempDir()}, "webhook.retry", "off")
	e.fails(http.StatusNotFound, func(n note) bool { return n.Text == "dead" })
	e.tell(t, 1, "dead", "fine")
	e.quiet(t)
	rows := func() []int64 {
		var counts []int64
		for _, table := range []string{"webhook_event", "webhook_attempt"} {
			n, err := db.One(t.Context(), e.db, db.Number, `SELECT COUNT(*) FROM `+table)
			if err != nil {
				t.Fatal(err)
			}
			counts = append(counts, n)
		}
		return counts
	}
	e.manual.Advance(71 * time.Hour)
	e.tell(t, 1, "later")
	e.quiet(t)
	if got := rows(); !slices.Equal(got, []int64{1, 3}) {
		t.Errorf("after 71 hours there are %d rows", got)
	}
	e.manual.Advance(time.Hour + 2*time.Minute)
	e.soon(t, "the old ones are removed", func() bool { return slices.Equal(rows()[:1], []int64{0}) && rows()[1] <= 1 })
	if calls := len(e.back.Calls("")); calls != 3 {
		t.Errorf("%d calls", calls)
	}
}
