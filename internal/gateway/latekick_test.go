package gateway_test

import (
	"testing"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/device"
	"github.com/magpie-im/magpie/internal/event"
)

// A bus that was slow brings a kick to a login that was made after it. The client logs out as it is told, and that is done: its
// token brings nobody back.
func TestLogoutAfterALateKick(t *testing.T) {
	h := openRig(t)
	alice := h.enter(t, "alice")
	must(t, h.router.Kick(event.Devices(alice.account), int(device.KickREST), 0))
	alice.hears(t, "logged out")
	alice.write(t, M{"servcmd": "im_open_status.wslogout", "seq": "logout"}, M{"wslogout_type": 1})
	alice.hears(t, "logout 0")
	standing, err := db.One(t.Context(), h.store, db.Number, `SELECT COUNT(*) FROM device WHERE account_id = $1 AND revoked = 0`,
		int64(alice.account))
	must(t, err)
	if standing != 0 {
		t.Error("the logout was answered as done, and the login stands in the store")
	}
}
