package outbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/app"
	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/setting"
	"github.com/magpie-im/magpie/internal/telemetry"
	"github.com/magpie-im/magpie/internal/webhook"
	"github.com/magpie-im/magpie/internal/webhook/backend"
	"github.com/magpie-im/magpie/internal/webhook/outbox"
	"github.com/magpie-im/magpie/magpietest"
)

const (
	appID   = im.AppID(magpietest.AppID)
	command = "Test.Told"
	atOnce  = 16 // calls, as a server has it by default
)

// note is the body of this test's callback.
type note struct {
	Lane int64
	Text string
}

func toldSpec() webhook.After[note] { return webhook.NewAfter[note](webhook.Spec{Command: command}) }

// engine is the deliveries of one node by a clock that the test sets, with a back end.
type engine struct {
	manual    *clock.Manual
	db        *db.DB
	apps      *app.Apps
	endpoints *backend.Endpoints
	outbox    *outbox.Outbox
	hooks     *webhook.Webhooks
	back      *magpietest.BackEnd
	log       *logged
	parts     outbox.Parts
	stop      func()
}

// logged is what an engine has logged.
type logged struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

func (l *logged) Write(line []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.text.Write(line)
}

func (l *logged) String() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.text.String()
}

// node makes an engine on a store and does not start it. bus is nil for a node that is alone.
func node(t *testing.T, d *db.DB, on bus.Bus) *engine {
	t.Helper()
	e := &engine{manual: clock.NewManual(time.Now()), db: d, log: &logged{}, stop: func() {}}
	log, metrics := slog.New(slog.NewTextHandler(e.log, nil)), telemetry.NewMetrics()
	var err error
	if e.apps, err = app.Open(t.Context(), d, setting.NewTable((&webhook.Webhooks{}).Settings()), log); err != nil {
		t.Fatal(err)
	}
	if err := e.apps.Ensure(t.Context(), appID, magpietest.Key); err != nil {
		t.Fatal(err)
	}
	e.endpoints = backend.New(metrics, backend.Options{Before: 4, After: atOnce, Clock: e.manual.Clock()})
	e.parts = outbox.Parts{
		DB: d, Bus: on, Endpoints: e.endpoints, Log: log, Metrics: metrics, Clock: e.manual.Clock(), After: atOnce, Keep: 72 * time.Hour,
		Alone: on == nil,
	}
	e.outbox = outbox.New(e.parts)
	e.hooks = webhook.New(webhook.Parts{DB: d, Outbox: e.outbox, Endpoints: e.endpoints, Log: log, Clock: e.manual.Clock()})
	return e
}

// start makes an engine that delivers.
func start(t *testing.T, o db.Options, settings ...string) *engine {
	t.Helper()
	e := node(t, dbtest.Open(t, o), nil)
	e.back = magpietest.NewBackEnd(t)
	e.set(t, append([]string{"webhook.url", e.back.URL + "?key=secret", "webhook.commands", command}, settings...)...)
	e.run(t)
	return e
}

// run delivers until the test ends, or stop is called.
func (e *engine) run(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := e.outbox.Run(ctx, e.apps); err != nil {
			t.Error(err)
		}
	}()
	e.stop = sync.OnceFunc(func() {
		cancel()
		<-ended
	})
	t.Cleanup(e.stop)
}

// restart has another outbox go on where this one stopped.
func (e *engine) restart(t *testing.T) {
	t.Helper()
	e.stop()
	e.outbox = outbox.New(e.parts)
	e.run(t)
}

// set changes settings, given as name and value in turn.
func (e *engine) set(t *testing.T, pairs ...string) {
	t.Helper()
	changes := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		changes[pairs[i]] = pairs[i+1]
	}
	if err := e.apps.Set(t.Context(), appID, changes); err != nil {
		t.Fatal(err)
	}
}

// tell stores callbacks of one lane, each in a transaction of its own.
func (e *engine) tell(t *testing.T, lane int64, texts ...string) {
	t.Helper()
	for _, text := range texts {
		e.keep(t, e.event(t, lane, text))
	}
}

// callback makes a callback.
func (e *engine) event(t *testing.T, lane int64, text string) webhook.Callback {
	t.Helper()
	by := &im.Actor{App: e.apps.App(appID), Door: im.DoorClient, Platform: im.PlatformWeb, Address: "::1"}
	events, err := toldSpec().Prepare(by, lane, func() (note, error) { return note{lane, text}, nil })
	if err != nil || len(events) != 1 {
		t.Fatalf("%d events: %v", len(events), err)
	}
	return events[0]
}

// keep stores callbacks in one transaction.
func (e *engine) keep(t *testing.T, events ...webhook.Callback) {
	t.Helper()
	e.write(t, func(tx *db.Tx) error { return e.hooks.Add(tx, events...) })
}

func (e *engine) write(t *testing.T, write func(tx *db.Tx) error) {
	t.Helper()
	if err := e.db.Write(t.Context(), write); err != nil {
		t.Fatal(err)
	}
}

// soon waits until something has come about, and lets time pass while nothing is under way.
func (e *engine) soon(t *testing.T, what string, is func() bool) {
	t.Helper()
	e.within(t, 500*time.Millisecond, what, is)
}

// within is soon with another step in which time passes: the longer, the sooner it is over.
func (e *engine) within(t *testing.T, step time.Duration, what string, is func() bool) {
	t.Helper()
	way := e.endpoints.Get(backend.Key{App: appID})
	magpietest.Eventually(t, what, func() bool {
		if is() {
			return true
		}
		if way.Calling() == 0 {
			e.manual.Advance(step)
		}
		return false
	})
}

// pass lets time pass when no call is under way any more, and none follows, so that none takes too long by it.
func (e *engine) pass(t *testing.T, d time.Duration) {
	t.Helper()
	way := e.endpoints.Get(backend.Key{App: appID})
	seen, still := 0, 0
	magpietest.Eventually(t, "all calls have ended", func() bool {
		if n := len(e.back.Calls("")); way.Calling() > 0 || n != seen {
			seen, still = n, 0
		}
		still++
		return still > 10
	})
	e.manual.Advance(d)
}

func about(c *magpietest.Callback) (n note) {
	_ = json.Unmarshal(c.Body, &n)
	return n
}

// number reads a text that is one.
func (n *note) number() (number int) {
	_, _ = fmt.Sscan(n.Text, &number)
	return number
}

// accepted keeps what a back end took, each event when it did so first.
type accepted struct {
	mutex sync.Mutex
	seen  map[string]bool
	notes []note
}

// take keeps the callbacks that good says yes to, and answers the others with a status.
func (a *accepted) take(status int, good func(note) bool) func(*magpietest.Callback) (int, string) {
	return func(c *magpietest.Callback) (int, string) {
		a.mutex.Lock()
		defer a.mutex.Unlock()
		if !good(about(c)) {
			return status, "not now"
		}
		if a.seen == nil {
			a.seen = map[string]bool{}
		}
		if !a.seen[c.Event()] {
			a.seen[c.Event()], a.notes = true, append(a.notes, about(c))
		}
		return http.StatusOK, magpietest.OK
	}
}

func (a *accepted) all() []note {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	return a.notes[:len(a.notes):len(a.notes)]
}

// inOrder waits for n different callbacks and checks that those of each lane, whose texts are numbers, came in order.
func (e *engine) inOrder(t *testing.T, got *accepted, n int) {
	t.Helper()
	e.soon(t, fmt.Sprintf("the back end gets all %d", n), func() bool { return len(got.all()) >= n })
	all := got.all()
	if len(all) != n {
		t.Errorf("the back end got %d different callbacks, want %d", len(all), n)
	}
	last := map[int64]int{}
	for _, one := range all {
		if one.number() <= last[one.Lane] {
			t.Errorf("lane %d: %d came after %d", one.Lane, one.number(), last[one.Lane])
		}
		last[one.Lane] = one.number()
	}
}

// fails has the back end answer the callbacks that bad says yes to with a status, and the others with OK.
func (e *engine) fails(status int, bad func(n note) bool) {
	e.back.Answer(func(c *magpietest.Callback) (int, string) {
		if bad(about(c)) {
			return status, "cannot store it"
		}
		return http.StatusOK, magpietest.OK
	})
}

func always(note) bool { return true }
func never(note) bool  { return false }

// texts lists what the callbacks of a lane said, in the order in which they came, each once.
func (e *engine) texts(lane int64) (all []string) {
	for _, c := range e.back.Calls(command) {
		if n := about(&c); n.Lane == lane && !slices.Contains(all, n.Text) {
			all = append(all, n.Text)
		}
	}
	return all
}

// spilled lists what waits, or the dead letters.
func (e *engine) stored(t *testing.T, dead bool) []outbox.Undelivered {
	t.Helper()
	all, err := outbox.List(t.Context(), e.db, appID, outbox.Query{Dead: dead})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// quiet waits until nothing waits to be delivered.
func (e *engine) quiet(t *testing.T) {
	t.Helper()
	e.soon(t, "nothing waits", func() bool { return len(e.stored(t, false)) == 0 })
}

// numbered makes texts "1" to n.
func numbered(from, to int) (texts []string) {
	for n := from; n <= to; n++ {
		texts = append(texts, fmt.Sprint(n))
	}
	return texts
}
