package webhook_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
	"github.com/magpie-im/magpie/internal/webhook"
	"github.com/magpie-im/magpie/magpietest"
)

// eachStore is magpietest.Scenario with a store that a test finds beside the server.
func eachStore(t *testing.T, story func(t *testing.T, s *Server, o db.Options)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		t.Parallel()
		story(t, magpietest.Start(t, magpietest.Dir(o.Dir), magpietest.Database(o.URL)), o)
	})
}

// tell makes the callback of a numbered message in a numbered conversation.
func tell(t *testing.T, s *Server, conversation, n int) webhook.Event {
	t.Helper()
	app := &im.App{ID: im.AppID(s.AppID), Settings: im.DefaultSettings()}
	app.Settings.Webhooks = []im.Webhook{{URL: "http://any", Commands: []string{afterSend}}}
	events, err := webhook.NewAfter[M](webhook.Spec{Command: afterSend}).Events(
		webhook.Origin{App: app, Address: "::1", Platform: "Web"}, int64(conversation),
		magpietest.Message("alice", fmt.Sprint(conversation), fmt.Sprint(n)))
	if err != nil || len(events) != 1 {
		t.Fatalf("%d events, %v", len(events), err)
	}
	return events[0]
}

// beside writes to the store while no server runs.
func beside(t *testing.T, o db.Options, write func(tx *db.Tx) error) {
	t.Helper()
	d, err := db.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Write(t.Context(), write); err != nil {
		t.Fatal(err)
	}
}

// keep stores callbacks in one transaction while no server runs.
func keep(t *testing.T, o db.Options, events []webhook.Event) {
	t.Helper()
	hooks := webhook.New(nil, bus.NewMemory(), slog.New(slog.DiscardHandler), telemetry.NewMetrics(), webhook.Options{Alone: true})
	beside(t, o, func(tx *db.Tx) error { return hooks.Add(tx, events...) })
}

// about reads which message in which conversation a callback tells of.
func about(c *magpietest.Callback) (conversation, n int) {
	var of told
	_ = json.Unmarshal(c.Body, &of)
	_, _ = fmt.Sscan(of.To+" "+of.text(), &conversation, &n)
	return conversation, n
}

// In one conversation as much is said as would fill the memory for all, while the back end thinks about its first message.
// The others go on meanwhile.
func TestHotConversation(t *testing.T) {
	// Not parallel: it works more than it waits.
	dir := t.TempDir()
	s := magpietest.Start(t, magpietest.Dir(dir))
	back, got, g := s.BackEnd(t, afterSend), &accepted{}, newGate(t)
	s.Stop(t)
	well := got.take(0, always)
	back.Answer(func(c *magpietest.Callback) (int, string) {
		if conversation, _ := about(c); conversation == 0 {
			<-g.opened
		}
		return well(c)
	})
	const hot, others = 520, 20
	var events []webhook.Event
	for n := range hot {
		events = append(events, tell(t, s, 0, n+1))
	}
	for n := range others {
		events = append(events, tell(t, s, 1+n%2, n+1))
	}
	keep(t, db.Options{Dir: dir}, events)
	s.Restart(t)
	got.inOrder(t, others)
	g.open()
	got.inOrder(t, hot+others)
}

// More is said in a conversation that fails than a lane holds in memory. When the back end takes its callbacks again,
// nothing new overtakes those that waited.
func TestNothingOvertakesWhatFailed(t *testing.T) {
	t.Parallel()
	magpietest.Scenario(t, func(t *testing.T, s *Server) {
		st := enter(t, s, afterSend)
		users, got := people(t, s, 3), &accepted{}
		hot, others := users[:1], users[1:]
		st.back.Answer(got.take(http.StatusInternalServerError, func(c *magpietest.Callback) bool {
			return readTold(t, *c).To != hot[0]
		}))
		sent := talk(t, s, hot, 1, 50)
		meanwhile := talk(t, s, others, 1, 5)
		got.inOrder(t, meanwhile)
		st.back.Answer(got.take(0, always))
		const laneMost = 32
		magpietest.Eventually(t, "the first of them come", func() bool { return len(got.all()) >= meanwhile+laneMost })
		sent += talk(t, s, hot, 51, 55)
		got.inOrder(t, meanwhile+sent)
	})
}

// Conversations that fail have more callbacks than fit into memory. They hold up no other, and come in the end.
func TestFailuresLeaveRoom(t *testing.T) {
	// Not parallel: it works more than it waits.
	dir := t.TempDir()
	s := magpietest.Start(t, magpietest.Dir(dir))
	back, got := s.BackEnd(t, afterSend), &accepted{}
	s.Stop(t)
	// Each third conversation fails: were it half of the calls, the back end would be left alone. What they have is held in
	// memory until they fail.
	const conversations, each = 48, 32
	var events []webhook.Event
	for conversation := range conversations {
		for n := range each {
			if n == 0 || conversation%3 == 0 {
				events = append(events, tell(t, s, conversation, n+1))
			}
		}
	}
	keep(t, db.Options{Dir: dir}, append(events, tell(t, s, conversations, 1)))
	well, failed := false, 0
	back.Answer(got.take(http.StatusInternalServerError, func(c *magpietest.Callback) bool {
		conversation, _ := about(c)
		well = well || conversation == conversations
		if well || conversation%3 > 0 {
			return true
		}
		failed++
		return false
	}))
	s.Restart(t)
	got.inOrder(t, len(events)+1)
	if n := len(back.Calls("")); n != len(events)+1+failed {
		t.Errorf("%d calls for %d callbacks and %d failures", n, len(events)+1, failed)
	}
}

// More conversations wait for their next attempts than fit into memory. They hold up no other, and when they are due, all
// at once, they come.
func TestManyPoisonedConversations(t *testing.T) {
	// Not parallel: it works more than it waits.
	dir := t.TempDir()
	s, o := magpietest.Start(t, magpietest.Dir(dir)), db.Options{Dir: dir}
	back, got := s.BackEnd(t, afterSend), &accepted{}
	back.Answer(got.take(0, always))
	s.Stop(t)
	const poisoned, others = 520, 20
	beside(t, o, func(tx *db.Tx) error {
		for conversation := range poisoned {
			body, _ := json.Marshal(magpietest.Message("alice", fmt.Sprint(conversation), "1"))
			_, err := tx.Exec(`INSERT INTO webhook_event
				(id, app_id, hook, command, lane, address, platform, body, attempts, since, next_at, dead_at)
				VALUES ($1, $2, '', $3, $4, '::1', 'Web', $5, 9, $6, $7, 0)`,
				tx.NextID(), int64(s.AppID), afterSend, conversation, string(body), tx.Now().UnixMilli(), tx.Now().Add(time.Hour).UnixMilli())
			if err != nil {
				return err
			}
		}
		return nil
	})
	var events []webhook.Event
	for n := range others {
		events = append(events, tell(t, s, n, 2), tell(t, s, poisoned, n+1))
	}
	keep(t, o, events)
	s.Restart(t)
	got.inOrder(t, others)
	s.Stop(t)
	beside(t, o, func(tx *db.Tx) error {
		_, err := tx.Exec(`UPDATE webhook_event SET next_at = 0`)
		return err
	})
	s.Restart(t)
	got.inOrder(t, poisoned+2*others)
	back.Gets(t, afterSend, poisoned+2*others)
}

// A server stops while callbacks of several conversations wait for their next attempts, and others stand behind them in
// the outbox.
func TestRestartKeepsOrderBehindFailures(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Server, o db.Options) {
		const conversations = 4 // one more failure would have the back end left alone
		round := func(from, to int) (events []webhook.Event) {
			for n := from; n <= to; n++ {
				for conversation := range conversations {
					events = append(events, tell(t, s, conversation, n))
				}
			}
			return events
		}
		back, got := s.BackEnd(t, afterSend), &accepted{}
		back.Answer(got.take(http.StatusBadGateway, never))
		s.Stop(t)
		keep(t, o, round(1, 3))
		s.Restart(t)
		magpietest.Eventually(t, "all have failed and wait", func() bool {
			failed := 0
			for _, one := range list(t, s, M{"State": "waiting"}) {
				failed += min(one.Attempts, 1)
			}
			return failed == conversations
		})
		s.Stop(t)
		keep(t, o, round(4, 6))
		back.Answer(got.take(0, always))
		s.Restart(t)
		got.inOrder(t, 6*conversations)
	})
}

// A server stops when the back end has taken all callbacks of a row, some of others, refuses some and thinks about the
// rest. What it has taken does not come again; what was cut off does, as if for the first time.
func TestStopAmidARow(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *Server, o db.Options) {
		const conversations, taken, all = 8, 3, 6
		back, got, g := s.BackEnd(t, afterSend), &accepted{}, newGate(t)
		s.Stop(t)
		well, ill := got.take(0, always), got.take(http.StatusInternalServerError, never)
		back.Answer(func(c *magpietest.Callback) (int, string) {
			conversation, n := about(c)
			switch {
			case n <= taken:
				return well(c)
			case conversation%2 == 0:
				return ill(c)
			}
			g.inside.Add(1)
			<-g.opened
			return ill(c)
		})
		var events []webhook.Event
		for n := range all {
			for conversation := range conversations {
				events = append(events, tell(t, s, conversation, n+1))
			}
		}
		from := 0
		for _, upTo := range []int{conversations, conversations*taken + 4, conversations*taken + 6, len(events)} {
			keep(t, o, events[from:upTo])
			from = upTo
		}
		s.Restart(t)
		magpietest.Eventually(t, "the back end takes some and thinks", func() bool {
			return len(got.all()) == conversations*taken && g.inside.Load() == conversations/2
		})
		s.Stop(t)
		g.open()
		before := len(back.Calls(""))
		back.Answer(well)
		s.Restart(t)
		got.inOrder(t, len(events))
		for _, c := range back.Calls("")[before:] {
			conversation, n := about(&c)
			if n <= taken {
				t.Errorf("%d: %d comes again", conversation, n)
			}
			if try := c.Header.Get("X-Magpie-Attempt"); conversation%2 == 1 && try != "1" {
				t.Errorf("%d: %d comes as attempt %s", conversation, n, try)
			}
		}
	})
}

// The store takes no results when the server stops. What failed is not recorded, and must stay in its row.
func TestStopWithoutRecord(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, o := magpietest.Start(t, magpietest.Dir(dir), magpietest.Log(slog.New(slog.DiscardHandler))), db.Options{Dir: dir}
	back, got, g := s.BackEnd(t, afterSend), &accepted{}, newGate(t)
	s.Stop(t)
	well, ill := got.take(0, always), got.take(http.StatusInternalServerError, never)
	back.Answer(func(c *magpietest.Callback) (int, string) {
		if conversation, _ := about(c); conversation == 2 {
			g.inside.Add(1)
			<-g.opened
		}
		return ill(c)
	})
	beside(t, o, func(tx *db.Tx) error {
		_, err := tx.Exec(`CREATE TRIGGER broken BEFORE INSERT ON webhook_event BEGIN SELECT RAISE(ABORT, 'disk'); END`)
		return err
	})
	keep(t, o, []webhook.Event{tell(t, s, 1, 1), tell(t, s, 1, 2), tell(t, s, 2, 1), tell(t, s, 2, 2)})
	s.Restart(t)
	magpietest.Eventually(t, "one fails, one is thought about", func() bool { return len(back.Calls("")) == 2 && g.inside.Load() == 1 })
	s.Stop(t)
	g.open()
	beside(t, o, func(tx *db.Tx) error { _, err := tx.Exec(`DROP TRIGGER broken`); return err })
	back.Answer(well)
	s.Restart(t)
	got.inOrder(t, 4)
}

// A row that cannot be read holds up nothing that stands behind it.
func TestUnreadableRow(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		t.Parallel()
		s := magpietest.Start(t, magpietest.Dir(o.Dir), magpietest.Database(o.URL), magpietest.Log(slog.New(slog.DiscardHandler)))
		back, got := s.BackEnd(t, afterSend), &accepted{}
		back.Answer(got.take(0, always))
		s.Stop(t)
		keep(t, o, []webhook.Event{tell(t, s, 1, 1)})
		beside(t, o, func(tx *db.Tx) error {
			_, err := tx.Exec(`UPDATE webhook_outbox SET events = $1`, []byte{0xff})
			return err
		})
		keep(t, o, []webhook.Event{tell(t, s, 1, 2)})
		s.Restart(t)
		got.inOrder(t, 1)
		magpietest.Eventually(t, "nothing is listed as waiting", func() bool { return len(list(t, s, M{"State": "waiting"})) == 0 })
	})
}
