package device

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// KickType says why a device was kicked, in the numbers that clients read (docs/protocol/wire.md#kick).
type KickType int32

// The reasons for which a device may not come back. Zero is a device that may.
const (
	KickSamePlatform  KickType = 1 // the account logged in on another device of the same kind
	KickOtherPlatform KickType = 2 // it logged in on a kind of device that this one may not be online with
	KickREST          KickType = 3 // the back end ended the account's logins
	LoggedOut         KickType = 9 // the device itself; clients never see this number
)

// KickedError is the refusal of a device that was kicked.
type KickedError struct {
	Reason KickType
	// By is the device whose login kicked it; zero when the back end did, or when it is not known.
	By im.DeviceID
}

// Error says why the device was kicked.
func (e *KickedError) Error() string {
	return fmt.Sprintf("the device was logged out (reason %d)", e.Reason)
}

// EndAll logs every device of an account out: the room's part in a kick and in a deletion. It is an
// [account.Participant].
func (d *Devices) EndAll(ctx context.Context, tx *db.Tx, of account.Account) (func(), error) {
	app := d.app(of.App)
	if app != nil && stateChanged.Wanted(app) {
		devices, err := online(ctx, tx, of.ID)
		if err != nil {
			return nil, err
		}
		for _, r := range devices {
			if err := d.tellState(tx, who{account: of, platform: r.platform}, loggedOut(), nil); err != nil {
				return nil, err
			}
		}
	}
	ended, err := revokeAll(tx, of.ID, KickREST)
	return func() {
		for _, device := range ended { // each by its number: a slow bus must not end a login that is made after this
			d.tellKick(of.ID, device, KickedError{Reason: KickREST})
		}
		d.cameOrWent(of.ID)
	}, err
}

// tellKick tells the device that it was kicked, wherever it is connected.
func (d *Devices) tellKick(account im.AccountID, device im.DeviceID, why KickedError) {
	err := d.router.Kick(event.Devices(account).Only(device), int(why.Reason), why.By)
	if err != nil {
		d.log.Warn("tell a device that it was kicked", telemetry.FieldAccount, account, telemetry.FieldError, err)
	}
}
