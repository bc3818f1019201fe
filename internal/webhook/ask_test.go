package webhook_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
	"github.com/magpie-im/magpie/internal/webhook"
	"github.com/magpie-im/magpie/internal/webhook/backend"
	"github.com/magpie-im/magpie/magpietest"
)

// line is a connection that notes what its calls ask for, and has them wait in vain if it is told so.
type line struct {
	asked []string
	fails error
}

func (l *line) StepAside(_ context.Context, key string) error {
	l.asked = append(l.asked, "aside "+key)
	return l.fails
}

func (l *line) InTurn(_ context.Context, key string) error {
	l.asked = append(l.asked, "in turn "+key)
	return l.fails
}

type askedBody struct{ N int }

func asking() webhook.Before[askedBody] {
	return webhook.NewBefore[askedBody](webhook.Spec{
		Command: "Test.Before", Refused: im.CodeMessageRefused, Unanswered: im.CodeCallbackFailed, Low: 120001, High: 130000,
	})
}

// asker makes what asks without a server, and the clock by which it waits.
func asker() (*webhook.Webhooks, *clock.Manual) {
	manual := clock.NewManual(time.Now())
	endpoints := backend.New(telemetry.NewMetrics(), backend.Options{Before: 4, After: 4, Clock: manual.Clock()})
	return webhook.New(webhook.Parts{Endpoints: endpoints, Log: slog.New(slog.DiscardHandler), Clock: manual.Clock()}), manual
}

func askedApp(t *testing.T, url, commands string) *im.App {
	t.Helper()
	return webhook.Configured(t, magpietest.AppID, map[string]string{
		"webhook.url": url, "webhook.commands": commands, "webhook.on_timeout": "refuse",
	})
}

// A call that asks steps aside with its key before its question is made; one that need not ask keeps its order all the same.
func TestAskKeepsTheOrder(t *testing.T) {
	t.Parallel()
	back := magpietest.NewBackEnd(t)
	for _, c := range []struct {
		name, commands string
		forbidden      bool
		want           string
		calls          int
	}{
		{"wanted", "Test.Before", false, "aside key", 1},
		{"not wanted", "Test.Other", false, "in turn key", 0},
		{"forbidden", "Test.Before", true, "in turn key", 0},
	} {
		hooks, _ := asker()
		l := &line{}
		q := webhook.Question[askedBody]{Key: "key", Forbidden: c.forbidden, Body: func() (askedBody, error) {
			if !slices.Equal(l.asked, []string{"aside key"}) {
				t.Errorf("%s: the question is made after %q", c.name, l.asked)
			}
			return askedBody{1}, nil
		}}
		before := len(back.Calls(""))
		call := &command.Call{Actor: im.Actor{App: askedApp(t, back.URL, c.commands)}, Turn: l}
		if _, err := asking().Ask(t.Context(), call, hooks, q); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if n := len(back.Calls("")) - before; n != c.calls || !slices.Equal(l.asked, []string{c.want}) {
			t.Errorf("%s: %d calls, the line was asked for %q", c.name, n, l.asked)
		}
		// A call without a connection waits for nobody.
		call.Turn = nil
		l.asked = []string{"aside key"}
		if _, err := asking().Ask(t.Context(), call, hooks, q); err != nil {
			t.Errorf("%s, without a connection: %v", c.name, err)
		}
		// One whose time was over before its turn came is refused; with another error nothing is decided.
		call.Turn = &line{fails: context.DeadlineExceeded}
		_, err := asking().Ask(t.Context(), call, hooks, q)
		if refusal, ok := im.Refusal(err); !ok || refusal.Code != im.CodeCallbackFailed {
			t.Errorf("%s, out of turn: %v", c.name, err)
		}
		call.Turn = &line{fails: context.Canceled}
		if _, err := asking().Ask(t.Context(), call, hooks, q); !errors.Is(err, context.Canceled) {
			t.Errorf("%s, gone: %v", c.name, err)
		}
	}
}

// Only what the back end itself forbade is told apart as refused by it.
func TestWhoRefused(t *testing.T) {
	t.Parallel()
	back := magpietest.NewBackEnd(t)
	hooks, _ := asker()
	call := &command.Call{Actor: im.Actor{App: askedApp(t, back.URL, webhook.AllCommands)}}
	for answer, refused := range map[string]bool{`{"ErrorCode":1}`: true, `{"ErrorCode":120001}`: true, `{"ErrorCode":7}`: false, ``: false} {
		back.Says(answer)
		got, err := asking().Ask(t.Context(), call, hooks, webhook.Question[askedBody]{Body: func() (askedBody, error) { return askedBody{}, nil }})
		if _, ok := im.Refusal(err); !ok || got.Refused != refused {
			t.Errorf("%s: refused %v, %v", answer, got.Refused, err)
		}
	}
}

// An address that did not answer for long is changed to one that does, which is asked at once.
func TestNewAddressIsAskedAtOnce(t *testing.T) {
	t.Parallel()
	back := magpietest.NewBackEnd(t)
	hooks, manual := asker()
	ask := func(url string) error {
		call := &command.Call{Actor: im.Actor{App: askedApp(t, url, webhook.AllCommands)}}
		_, err := asking().Ask(t.Context(), call, hooks, webhook.Question[askedBody]{Body: func() (askedBody, error) { return askedBody{}, nil }})
		return err
	}
	for range 30 { // each failure has it left alone for longer
		if _, refused := im.Refusal(ask(nobody)); !refused {
			t.Fatal("an address where nobody listens answers")
		}
		manual.Advance(2 * time.Second)
	}
	if err := ask(back.URL); err != nil {
		t.Errorf("the new address: %v", err)
	}
}
