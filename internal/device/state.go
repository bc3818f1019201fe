package device

import (
	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/webhook"
)

// stateChanged tells of every device that comes online or goes offline.
var stateChanged = webhook.NewAfter[stateBody](webhook.Spec{
	Command: "State.StateChange", Doc: "a device logged in, logged out or lost its connection",
	Section: "webhooks.md#statestatechange", UpperIOS: true,
})

type stateBody struct {
	EventTime int64          `json:"EventTime"`
	Info      stateInfo      `json:"Info"`
	Kicked    []kickedDevice `json:"KickedDevice,omitempty"`
}

type stateInfo struct {
	Action string `json:"Action"`
	To     string `json:"To_Account"`
	Reason string `json:"Reason"`
}

type kickedDevice struct {
	Platform string `json:"Platform"`
}

// stateChange is a device's change, as the callback tells it.
type stateChange struct{ action, reason string }

func cameOnline() stateChange { return stateChange{"Login", "Register"} }
func loggedOut() stateChange  { return stateChange{"Logout", "Unregister"} }

// gone tells a connection that fell silent from one that was closed.
func gone(silent bool) stateChange {
	if silent {
		return stateChange{"Disconnect", "TimeOut"}
	}
	return stateChange{"Disconnect", "LinkClose"}
}

// who is a device as the callback names it.
type who struct {
	account  account.Account
	platform im.Platform
	address  string
}

func (d *Device) who() who { return who{d.Account, d.Platform, d.Address} }

// tellState stores the callback of a device's change, in the transaction that makes it.
func (d *Devices) tellState(tx *db.Tx, w who, what stateChange, kicked []row) error {
	by := &im.Actor{App: d.app(w.account.App), Door: im.DoorClient, Platform: w.platform, Address: w.address}
	return stateChanged.Tell(tx, d.hooks, by, int64(w.account.ID), func() (stateBody, error) {
		body := stateBody{
			EventTime: tx.Now().UnixMilli(), Info: stateInfo{what.action, w.account.UserID, what.reason},
		}
		for _, other := range kicked {
			body.Kicked = append(body.Kicked, kickedDevice{webhook.PlatformName(other.platform)})
		}
		return body, nil
	})
}

// app returns the application, or nil in a process that serves none.
func (d *Devices) app(id im.AppID) *im.App {
	if d.apps == nil {
		return nil
	}
	return d.apps.App(id)
}
