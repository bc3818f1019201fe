package live_test

import (
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/magpietest"
)

// A ban and the end of a group of which no bus message told are found in the store: nobody stays inside who may not be.
func TestLostBusMessages(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		at := magpietest.Database(o.URL)
		if o.URL == "" {
			at = magpietest.Dir(o.Dir)
		}
		s := magpietest.Start(t, at, shapes(), magpietest.Timed())
		s.Import(t, "alice", "bob")
		id, raw := create(t, s, M{}), dbtest.Raw(t, o)
		alice, bob := enters(t, s, "alice", id), enters(t, s, "bob", id)
		change := func(statement string) {
			magpietest.Eventually(t, "the store is changed", func() bool { // it may be busy
				_, err := raw.ExecContext(t.Context(), statement)
				return err == nil
			})
		}
		counts := func(want int, when string) {
			t.Helper()
			magpietest.Eventually(t, when, func() bool {
				s.Pass(t, 10*time.Second)
				return online(t, s, id) == want
			})
		}
		change(`INSERT INTO group_ban (group_id, account_id, banned_until)
			SELECT g.id, a.id, 4000000000 FROM chat_group g, account a WHERE g.group_id = '` + id + `' AND a.user_id = 'bob'`)
		counts(1, "who is banned is not inside")
		if got := bob.Call(t, groups+"send_group_msg", says(id, "still here", 1, "Normal"), nil).ErrorCode; got != 10007 {
			t.Errorf("who is banned speaks with the code %d", got)
		}
		say(t, alice, says(id, "without him", 1, "Normal"))
		catches(t, s, alice, "without him")
		if bob.Arrived(func(f *magpietest.Frame) bool { return contains(f, "without him") }) != 0 {
			t.Error("who is banned hears what is said")
		}
		change(`UPDATE chat_group SET deleted_at = 1 WHERE group_id = '` + id + `'`)
		magpietest.Eventually(t, "the room is let go", func() bool {
			s.Pass(t, 10*time.Second)
			return metric(t, s, "magpie_live_rooms") == 0
		})
	})
}
