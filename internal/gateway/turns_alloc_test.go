package gateway

import (
	"testing"
	"unsafe"

	"github.com/magpie-im/magpie/internal/command"
)

// Every send asks for its turn, and nearly always nobody is before it.
func TestInTurnCostsNothing(t *testing.T) {
	r := &request{turn: turn{session: &Session{}}}
	ctx := command.WithTurns(t.Context(), &r.turn)
	if n := testing.AllocsPerRun(100, func() {
		if err := command.InTurn(ctx, "bob"); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("it allocates %v times", n)
	}
	if r.turn.inLine {
		t.Error("it stands in an empty line")
	}
}

// A session of 225 bytes would cost 240, of each of which a node has many thousands.
func TestSessionSize(t *testing.T) {
	if size := unsafe.Sizeof(Session{}); size > 224 {
		t.Errorf("a session has %d bytes", size)
	}
}
