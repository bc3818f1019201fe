package gateway

import (
	"testing"
	"unsafe"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/event"
)

// Every send asks for its turn, and nearly always nobody is before it.
func TestInTurnCostsNothing(t *testing.T) {
	r := &request{turn: turn{session: &Session{}}}
	r.call = command.Call{Turn: &r.turn}
	ctx := t.Context()
	if n := testing.AllocsPerRun(100, func() {
		if err := r.call.InTurn(ctx, "bob"); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("it allocates %v times", n)
	}
	if r.turn.inLine {
		t.Error("it stands in an empty line")
	}
}

// A session of 161 bytes would cost 176, of each of which a node has many thousands.
func TestSessionSize(t *testing.T) {
	if size := unsafe.Sizeof(Session{}); size > 160 {
		t.Errorf("a session has %d bytes", size)
	}
}

// A pull covers what it has seen of a chat, and nothing of chats that it has not looked at.
func TestPullCovers(t *testing.T) {
	h := &held{covers: map[int64]int64{5: 10}}
	for _, row := range []struct {
		place event.Sequence
		want  bool
	}{
		{event.Sequence{Chat: 5, Number: 10}, true},
		{event.Sequence{Chat: 5, Number: 1}, true},
		{event.Sequence{Chat: 5, Number: 11}, false},
		{event.Sequence{Chat: 6, Number: 1}, false},
		{event.Sequence{}, false},
		{event.Sequence{Chat: 5}, false},
	} {
		if got := h.covered(row.place); got != row.want {
			t.Errorf("%+v is covered: %v, want %v", row.place, got, row.want)
		}
	}
}
