package webhook_test

import (
	"fmt"
	"log/slog"
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

// A transaction draws its ids and becomes visible long after others with higher ids. Its callbacks are not passed over,
// however late it is.
func TestLateTransaction(t *testing.T) {
	t.Parallel()
	for name, late := range map[string]time.Duration{"a little": 0, "more than anybody should": 6 * time.Second} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			database := dbtest.URL(t)
			s := magpietest.Start(t, magpietest.Database(database))
			st := enter(t, s, "all")
			d := dbtest.Open(t, db.Options{URL: database})
			hooks := webhook.New(d, bus.NewMemory(), slog.New(slog.DiscardHandler), telemetry.NewMetrics(), webhook.Options{Before: 1, After: 1})
			begun, release, committed := make(chan struct{}), make(chan struct{}), make(chan error, 1)
			go func() {
				committed <- d.Write(t.Context(), func(tx *db.Tx) error {
					err := hooks.Add(tx, lateEvents(t, s)...)
					close(begun)
					<-release
					return err
				})
			}()
			<-begun
			st.Send(t, "alice", "bob", "early")
			early := st.back.Gets(t, afterSend, 1)[0]
			<-time.After(late)
			close(release)
			if err := <-committed; err != nil {
				t.Fatal(err)
			}
			calls := st.back.Gets(t, "Test.Late", 3)
			for i, c := range calls {
				if want := fmt.Sprintf(`{"CallbackCommand":"Test.Late","N":%d}`, i+1); string(c.Body) != want {
					t.Errorf("late callback %d is %s, want %s", i, c.Body, want)
				}
				if c.Event() >= early.Event() {
					t.Errorf("the late one has the id %s, the early one %s: the test tests nothing", c.Event(), early.Event())
				}
			}
		})
	}
}

// lateEvents are three callbacks of one lane.
func lateEvents(t *testing.T, s *Server) (events []webhook.Event) {
	t.Helper()
	type body struct{ N int }
	late := webhook.NewAfter[body](webhook.Spec{Command: "Test.Late"})
	app := &im.App{ID: im.AppID(s.AppID), Settings: im.DefaultSettings()}
	app.Settings.Webhooks = []im.Webhook{{URL: "http://any", Commands: []string{im.AllWebhooks}}}
	for n := 1; n <= 3; n++ {
		some, err := late.Events(webhook.Origin{App: app, Address: "::1", Platform: "Web"}, 7, body{n})
		if err != nil {
			t.Error(err)
		}
		events = append(events, some...)
	}
	return events
}
