package command_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/magpie-im/magpie/internal/command"
)

// line notes what a door is asked for.
type line struct{ asked []string }

var errNoTurn = errors.New("no turn")

func (l *line) StepAside(_ context.Context, key string) error {
	l.asked = append(l.asked, "aside "+key)
	return nil
}

func (l *line) InTurn(_ context.Context, key string) error {
	l.asked = append(l.asked, "in turn "+key)
	return errNoTurn
}

func TestTurns(t *testing.T) {
	l := &line{}
	ctx := t.Context()
	call := &command.Call{Turn: l}
	if err := call.StepAside(ctx, "a"); err != nil {
		t.Error(err)
	}
	if err := call.InTurn(ctx, "b"); !errors.Is(err, errNoTurn) {
		t.Errorf("the door's error is %v", err)
	}
	if want := []string{"aside a", "in turn b"}; !slices.Equal(l.asked, want) {
		t.Errorf("the door was asked for %q, want %q", l.asked, want)
	}
}

// At a door whose calls have no order nothing is done, whatever the context says.
func TestNoTurns(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	call := &command.Call{}
	for _, ask := range []func(context.Context, string) error{call.StepAside, call.InTurn} {
		if err := ask(ctx, "a"); err != nil {
			t.Error(err)
		}
	}
}
