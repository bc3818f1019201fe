package gateway_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/gateway"
	"github.com/magpie-im/magpie/magpietest"
)

// What ends a session and is not told by the bus takes effect within half a minute all the same.
func TestAudit(t *testing.T) {
	h := openTimedRig(t, func(p *gateway.Parts) { p.Config.IdleTimeout = time.Hour })
	before := h.clock.Waiting()
	go h.gateway.Audit(t.Context())
	magpietest.Eventually(t, "the audit waits for its time", func() bool { return h.clock.Waiting() > before })
	for name, row := range map[string]struct{ end, told string }{
		"kicked":         {`UPDATE device SET revoked = 3, changed_at = changed_at + 1`, "a push"},
		"elsewhere":      {`UPDATE device SET changed_at = changed_at + 1`, "4409 replaced"},
		"logged out":     {`UPDATE device SET revoked = 9, changed_at = changed_at + 1`, "4401 logged-out"},
		"no such device": {`DELETE FROM device`, "4401 logged-out"},
	} {
		other, g := h.enter(t, "other"), h.enter(t, name)
		must(t, h.store.Write(t.Context(), func(tx *db.Tx) error {
			n, err := tx.Exec(row.end+` WHERE account_id = (SELECT id FROM account WHERE user_id = $1)`, name)
			if err == nil && n != 1 {
				err = fmt.Errorf("%d devices changed, want 1", n)
			}
			return err
		}))
		g.asks(t, visit{Name: "unknowing"})
		g.hears(t, "unknowing 0")
		h.clock.Advance(30 * time.Second)
		select {
		case got := <-g.closed:
			if want := "gws: connection closed, code=" + row.told[:4] + ", reason=" + row.told[5:]; got != want {
				t.Errorf("%s: %s, want %s", name, got, want)
			}
		case got := <-g.answers:
			if row.told != "a push" {
				t.Errorf("%s: heard %q, want to be cut off", name, got)
				break
			}
			g.asks(t, visit{Name: "again"})
			g.hears(t, "again 70052")
		case <-time.After(20 * time.Second):
			t.Errorf("%s: nothing happens", name)
		}
		other.asks(t, visit{Name: "unharmed"})
		other.hears(t, "unharmed 0")
		other.leave()
	}
}
