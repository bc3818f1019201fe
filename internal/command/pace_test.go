package command_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// asked is a session of an account that calls without a pause, but for those that it is told to make.
type asked struct {
	registry *command.Registry
	actor    im.Actor
}

func newAsked(account im.AccountID) *asked {
	log, metrics := slog.New(slog.DiscardHandler), telemetry.NewMetrics()
	a := &asked{
		registry: command.NewRegistry(log, metrics, 0, clock.System()),
		actor:    im.Actor{App: &im.App{ID: 1}, Account: account, Door: im.DoorClient},
	}
	a.registry.Register(metrics, []command.Command{command.New(command.Spec{
		Service: "rig", Name: "send", By: command.Account | command.Guest,
	}, func(_ context.Context, call *command.Call, _ *struct{}) (*struct{}, error) {
		return nil, call.Store(1, 0)
	})})
	return a
}

// call makes one call, and one pause if it is told to, and gives the answer's code.
func (a *asked) call(t *testing.T) (im.Code, time.Duration) {
	t.Helper()
	call := command.Call{Actor: a.actor}
	_, code := a.registry.Serve(t.Context(), &call, "rig.send", []byte(`{}`))
	time.Sleep(call.Pause())
	return code, call.Pause()
}

// An account that calls without a pause gets its share of a second in that second, at an even rate, and nothing is refused. A
// few calls at once are served at once.
func TestEvenRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const share, atOnce = 2000, 64 // messages
		a := newAsked(7)
		for i := range atOnce {
			if code, pause := a.call(t); code != 0 || pause != 0 {
				t.Fatalf("call %d of some at once: %d, to wait %v", i+1, code, pause)
			}
		}
		time.Sleep(time.Second)
		began := time.Now()
		inTenth := map[time.Duration]int{}
		for time.Since(began) < time.Second {
			if code, _ := a.call(t); code != 0 {
				t.Fatalf("refused with %d", code)
			}
			inTenth[time.Since(began)/(100*time.Millisecond)]++
		}
		for tenth := range time.Duration(10) {
			if n := inTenth[tenth]; n < share/10-atOnce || n > share/10+atOnce {
				t.Errorf("%d calls in the tenth %d of a second, want about %d", n, tenth, share/10)
			}
		}
	})
}

// Who is nobody yet has no share, and is bound by his connection.
func TestGuestsAreNotSlowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAsked(0)
		for range 1000 {
			if _, pause := a.call(t); pause != 0 {
				t.Fatalf("a guest is to wait %v", pause)
			}
		}
	})
}
