package outbox_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/magpietest"
)

// Whichever of the statuses of success a back end answers with, the callback is delivered.
func TestAnySuccessIsDelivered(t *testing.T) {
	t.Parallel()
	e := start(t, db.Options{Dir: t.TempDir()})
	want := []string{}
	for _, status := range []int{200, 201, 202, 203, 204, 205, 206, 226, 299} {
		e.back.Answer(func(*magpietest.Callback) (int, string) { return status, "" })
		for _, text := range []string{"one", "two", "three"} {
			want = append(want, fmt.Sprint(text, " ", status))
		}
		e.tell(t, 1, want[len(want)-3:]...)
		e.quiet(t)
	}
	if got, calls := e.texts(1), len(e.back.Calls("")); !slices.Equal(got, want) || calls != len(want) {
		t.Errorf("%d calls tell of %q", calls, got)
	}
	if dead := e.stored(t, true); len(dead) != 0 {
		t.Errorf("dead letters: %+v", dead)
	}
}
