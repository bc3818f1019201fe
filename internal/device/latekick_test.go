package device_test

import (
	"sync"
	"testing"

	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
)

// kicks are the bus messages that end logins.
type kicks struct {
	mutex sync.Mutex
	heard []event.BusMessage
}

// Receive implements [bus.Handler].
func (k *kicks) Receive(_ bus.Subject, message []byte) {
	if one, err := event.ReadBusMessage(message); err == nil && one.Kick {
		k.mutex.Lock()
		defer k.mutex.Unlock()
		k.heard = append(k.heard, one)
	}
}

// of reports whether a device is kicked.
func (k *kicks) of(device im.DeviceID) bool {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	for i := range k.heard {
		if k.heard[i].For(device) {
			return true
		}
	}
	return false
}

// A kick ends the logins that there are, wherever they are connected, and none that is made before the bus has brought it.
func TestKickComesLate(t *testing.T) {
	rooms(t, func(t *testing.T, r *room) {
		before, heard := r.logIn(t, "alice"), &kicks{}
		must(t, r.bus.Subscribe(event.Devices(before.Account.ID).Subject(), heard))
		var tell func()
		must(t, r.store.Write(t.Context(), func(tx *db.Tx) (err error) {
			tell, err = r.EndAll(t.Context(), tx, before.Account)
			return err
		}))
		after := r.logIn(t, "alice")
		tell()
		if !heard.of(before.ID) || heard.of(after.ID) {
			t.Errorf("the login before the kick is ended: %v, the one after it: %v", heard.of(before.ID), heard.of(after.ID))
		}
		must(t, r.Standing(t.Context(), after))
	})
}
