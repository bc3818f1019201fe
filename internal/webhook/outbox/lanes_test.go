package outbox_test

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/internal/webhook"
	"github.com/magpie-im/magpie/internal/webhook/outbox"
	"github.com/magpie-im/magpie/magpietest"
)

// gate holds a back end's answers up until it is opened.
type gate struct {
	opened chan struct{}
	open   func()
	inside atomic.Int64
}

func newGate(t *testing.T) *gate {
	t.Helper()
	g := &gate{opened: make(chan struct{})}
	g.open = sync.OnceFunc(func() { close(g.opened) })
	t.Cleanup(g.open)
	return g
}

// await waits at the gate.
func (g *gate) await() {
	g.inside.Add(1)
	<-g.opened
}

// resting makes an engine that has not begun to deliver.
func resting(t *testing.T, o db.Options) *engine {
	t.Helper()
	e := start(t, o)
	e.stop()
	return e
}

// eachStore tells a story on each database.
func eachStore(t *testing.T, story func(t *testing.T, e *engine)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		t.Parallel()
		story(t, resting(t, o))
	})
}

// In one conversation as much is said as would fill the memory for all, while the back end thinks about its first message.
// The others go on meanwhile.
func TestHotConversation(t *testing.T) {
	// Not parallel: it works more than it waits.
	e := resting(t, db.Options{Dir: t.TempDir()})
	got, g := &accepted{}, newGate(t)
	well := got.take(0, always)
	e.back.Answer(func(c *magpietest.Callback) (int, string) {
		if about(c).Lane == 0 {
			<-g.opened
		}
		return well(c)
	})
	const hot, others = 520, 20
	var events []webhook.Callback
	for n := range hot {
		events = append(events, e.event(t, 0, fmt.Sprint(n+1)))
	}
	for n := range others {
		events = append(events, e.event(t, int64(1+n%2), fmt.Sprint(n+1)))
	}
	e.keep(t, events...)
	e.restart(t)
	e.inOrder(t, got, others)
	g.open()
	e.inOrder(t, got, hot+others)
}

// More is said in a conversation that fails than a lane holds in memory. When the back end takes its callbacks again,
// nothing new overtakes those that waited.
func TestNothingOvertakesWhatFailed(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, e *engine) {
		got := &accepted{}
		e.back.Answer(got.take(http.StatusInternalServerError, func(n note) bool { return n.Lane != 0 }))
		e.run(t)
		e.tell(t, 0, numbered(1, 50)...)
		e.tell(t, 1, numbered(1, 5)...)
		e.tell(t, 2, numbered(1, 5)...)
		magpietest.Eventually(t, "the others come", func() bool { return len(got.all()) == 10 })
		e.back.Answer(got.take(0, always))
		const laneMost = 32
		e.soon(t, "the first of them come", func() bool { return len(got.all()) >= 10+laneMost })
		e.tell(t, 0, numbered(51, 55)...)
		e.inOrder(t, got, 10+55)
	})
}

// Conversations that fail have more callbacks than fit into memory. They hold up no other, and come in the end.
func TestFailuresLeaveRoom(t *testing.T) {
	// Not parallel: it works more than it waits.
	e := resting(t, db.Options{Dir: t.TempDir()})
	got := &accepted{}
	// Each third conversation fails: were it half of the calls, the back end would be left alone. What they have is held in
	// memory until they fail.
	const conversations, each = 48, 32
	var events []webhook.Callback
	for conversation := range int64(conversations) {
		for n := range each {
			if n == 0 || conversation%3 == 0 {
				events = append(events, e.event(t, conversation, fmt.Sprint(n+1)))
			}
		}
	}
	e.keep(t, append(events, e.event(t, conversations, "1"))...)
	well, failed := false, 0
	e.back.Answer(got.take(http.StatusInternalServerError, func(n note) bool {
		well = well || n.Lane == conversations
		if well || n.Lane%3 > 0 {
			return true
		}
		failed++
		return false
	}))
	e.restart(t)
	e.inOrder(t, got, len(events)+1)
	if n := len(e.back.Calls("")); n != len(events)+1+failed {
		t.Errorf("%d calls for %d callbacks and %d failures", n, len(events)+1, failed)
	}
}

// More conversations wait for their next attempts than fit into memory. They hold up no other, and when they are due, all
// at once, they come.
func TestManyPoisonedConversations(t *testing.T) {
	// Not parallel: it works more than it waits.
	e := resting(t, db.Options{Dir: t.TempDir()})
	got := &accepted{}
	e.back.Answer(got.take(0, always))
	const poisoned, others = 520, 20
	now := e.manual.Clock().Now()
	e.write(t, func(tx *db.Tx) error {
		for lane := range int64(poisoned) {
			_, err := tx.Exec(`INSERT INTO webhook_event
				(id, app_id, hook, command, lane, address, platform, body, attempts, since, next_at, dead_at)
				VALUES ($1, $2, '', $3, $4, '::1', 'Web', $5, 9, $6, $7, 0)`,
				tx.NextID(), int64(appID), command, lane, string(e.event(t, lane, "1").Body), now.UnixMilli(), now.Add(time.Hour).UnixMilli())
			if err != nil {
				return err
			}
		}
		return nil
	})
	var events []webhook.Callback
	for n := range int64(others) {
		events = append(events, e.event(t, n, "2"), e.event(t, poisoned, fmt.Sprint(n+1)))
	}
	e.keep(t, events...)
	e.restart(t)
	e.inOrder(t, got, others)
	e.pass(t, time.Hour)
	e.inOrder(t, got, poisoned+2*others)
	if n := len(e.back.Calls(command)); n != poisoned+2*others {
		t.Errorf("%d calls", n)
	}
}

// A node stops while callbacks of several conversations wait for their next attempts, and others stand behind them in
// the outbox.
func TestRestartKeepsOrderBehindFailures(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, e *engine) {
		const conversations = 4 // one more failure would have the back end left alone
		round := func(from, to int) (events []webhook.Callback) {
			for _, text := range numbered(from, to) {
				for lane := range int64(conversations) {
					events = append(events, e.event(t, lane, text))
				}
			}
			return events
		}
		got := &accepted{}
		e.back.Answer(got.take(http.StatusBadGateway, func(note) bool { return false }))
		e.keep(t, round(1, 3)...)
		e.restart(t)
		magpietest.Eventually(t, "all have failed and wait", func() bool {
			failed := 0
			for _, one := range e.stored(t, false) {
				failed += min(one.Attempts, 1)
			}
			return failed == conversations
		})
		e.stop()
		e.keep(t, round(4, 6)...)
		e.back.Answer(got.take(0, always))
		e.restart(t)
		e.inOrder(t, got, 6*conversations)
	})
}

// A node stops when the back end has taken all callbacks of a row, some of others, refuses some and thinks about the
// rest. What it has taken does not come again; what was cut off does, as if for the first time.
func TestStopAmidARow(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, e *engine) {
		const conversations, taken, all = 8, 3, 6
		got, g := &accepted{}, newGate(t)
		well, ill := got.take(0, always), got.take(http.StatusInternalServerError, never)
		e.back.Answer(func(c *magpietest.Callback) (int, string) {
			n := about(c)
			switch {
			case n.number() <= taken:
				return well(c)
			case n.Lane%2 == 1:
				g.await()
			}
			return ill(c)
		})
		var events []webhook.Callback
		for _, text := range numbered(1, all) {
			for lane := range int64(conversations) {
				events = append(events, e.event(t, lane, text))
			}
		}
		from := 0
		for _, upTo := range []int{conversations, conversations*taken + 4, conversations*taken + 6, len(events)} {
			e.keep(t, events[from:upTo]...)
			from = upTo
		}
		e.restart(t)
		magpietest.Eventually(t, "the back end takes some and thinks", func() bool {
			return len(got.all()) == conversations*taken && g.inside.Load() == conversations/2
		})
		e.stop()
		g.open()
		before := len(e.back.Calls(""))
		e.back.Answer(well)
		e.restart(t)
		e.inOrder(t, got, len(events))
		for _, c := range e.back.Calls("")[before:] {
			n := about(&c)
			if n.number() <= taken {
				t.Errorf("%d: %d comes again", n.Lane, n.number())
			}
			if try := c.Header.Get("X-Magpie-Attempt"); n.Lane%2 == 1 && try != "1" {
				t.Errorf("%d: %d comes as attempt %s", n.Lane, n.number(), try)
			}
		}
	})
}

// The store takes no results when the node stops. What failed is not recorded, and must stay in its row.
func TestStopWithoutRecord(t *testing.T) {
	t.Parallel()
	e := resting(t, db.Options{Dir: t.TempDir()})
	got, g := &accepted{}, newGate(t)
	well, ill := got.take(0, always), got.take(http.StatusInternalServerError, never)
	e.back.Answer(func(c *magpietest.Callback) (int, string) {
		if about(c).Lane == 2 {
			g.await()
		}
		return ill(c)
	})
	broken := `CREATE TRIGGER broken BEFORE INSERT ON webhook_event BEGIN SELECT RAISE(ABORT, 'disk'); END`
	e.write(t, func(tx *db.Tx) error { _, err := tx.Exec(broken); return err })
	e.keep(t, e.event(t, 1, "1"), e.event(t, 1, "2"), e.event(t, 2, "1"), e.event(t, 2, "2"))
	e.restart(t)
	magpietest.Eventually(t, "one fails, one is thought about", func() bool {
		return len(e.back.Calls("")) == 2 && g.inside.Load() == 1
	})
	e.stop()
	g.open()
	e.write(t, func(tx *db.Tx) error { _, err := tx.Exec(`DROP TRIGGER broken`); return err })
	e.back.Answer(well)
	e.restart(t)
	e.inOrder(t, got, 4)
}

// A row that cannot be read holds up nothing that stands behind it.
func TestUnreadableRow(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, e *engine) {
		got := &accepted{}
		e.back.Answer(got.take(0, always))
		e.tell(t, 1, "1")
		e.write(t, func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE webhook_outbox SET events = $1`, []byte{0xff})
			return err
		})
		e.tell(t, 1, "2")
		e.restart(t)
		e.inOrder(t, got, 1)
		e.quiet(t)
	})
}

// The store takes nothing for a while. What is to be recorded waits for it, and no callback comes twice.
func TestStoreIsBroken(t *testing.T) {
	// Not parallel: it works more than it waits.
	e := resting(t, db.Options{Dir: t.TempDir()})
	got := &accepted{}
	e.back.Answer(got.take(0, always))
	broken := `CREATE TRIGGER broken BEFORE INSERT ON webhook_attempt BEGIN SELECT RAISE(ABORT, 'disk'); END`
	e.write(t, func(tx *db.Tx) error { _, err := tx.Exec(broken); return err })
	var events []webhook.Callback
	for n := range 1200 {
		events = append(events, e.event(t, int64(n%40), fmt.Sprint(n+1)))
	}
	e.keep(t, events...)
	e.restart(t)
	e.soon(t, "the log tells of it", func() bool { return len(e.log.String()) > 0 && len(got.all()) > 200 })
	e.write(t, func(tx *db.Tx) error { _, err := tx.Exec(`DROP TRIGGER broken`); return err })
	e.inOrder(t, got, len(events))
	e.quiet(t)
	if n := len(e.back.Calls("")); n != len(events) {
		t.Errorf("%d calls for %d callbacks", n, len(events))
	}
	tries, err := outbox.Attempts(t.Context(), e.db, appID, e.back.Calls("")[0].Event())
	if err != nil || len(tries) != 1 {
		t.Errorf("the attempts are %+v: %v", tries, err)
	}
}
