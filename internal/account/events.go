package account

import (
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// profileChanged tells an account's devices of new profile fields (docs/protocol/wire.md#profile).
var profileChanged = event.Define[[]profileEvent](8, "ProfileDataMod")

// Events lists what the room pushes.
func (a *Accounts) Events() []event.Declared { return []event.Declared{profileChanged.Declaration()} }

type profileEvent struct {
	PushType int            `json:"PushType"` // 1: fields changed
	Account  string         `json:"Profile_Account"`
	List     []ProfileField `json:"ProfileList"`
}

// ProfileField is a changed field: text or a number.
type ProfileField struct {
	Tag   string  `json:"Tag"`
	Text  *string `json:"ValueBytes,omitempty"`
	Value *int64  `json:"ValueNum,omitempty"`
}

// PushProfile tells the account's devices that profile fields changed, all but the one that changed them, and those of others.
func (a *Accounts) PushProfile(of Account, except im.DeviceID, others []im.AccountID, fields []ProfileField) {
	frame, err := a.router.Frame(profileChanged.Of([]profileEvent{{PushType: 1, Account: of.UserID, List: fields}}))
	if err == nil {
		err = a.router.Send(event.Devices(of.ID).Except(except), frame)
	}
	for _, other := range others {
		if err == nil && other != of.ID {
			err = a.router.Send(event.Devices(other), frame)
		}
	}
	if err != nil {
		a.log.Warn("push a profile", telemetry.FieldAccount, of.ID, telemetry.FieldError, err)
	}
}
