package chat_test

import (
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
)

// A node that was started again knows what was sent just before, also if the clock was set meanwhile: which messages those are
// says the store.
func TestRepeatedAfterTheClockWasSet(t *testing.T) {
	for what, by := range map[string]time.Duration{"forward": 3 * time.Hour, "back": -3 * time.Hour} {
		t.Run(what, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, o db.Options) {
				right := time.Unix(1_800_000_000, 0)
				set := clock.NewManual(right)
				o.Now = set.Clock().Now
				d := dbtest.Open(t, o)
				name := chat.Between(1, 2)
				add(t, d, chat.New(d), draft(name, 1, 1, "first"))
				set.Set(right.Add(by))
				restarted := chat.New(d)
				if err := restarted.LoadKnown(t.Context()); err != nil {
					t.Fatal(err)
				}
				again := draft(name, 1, 1, "again")
				if add(t, d, restarted, again); !again.Duplicate {
					t.Error("a repeat is another message")
				}
			})
		})
	}
}
