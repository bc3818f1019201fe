package account

import (
	"context"
	"strings"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/webhook"
)

// stateChanged tells of every device that comes online or goes.
var stateChanged = webhook.NewAfter[stateBody](webhook.Spec{
	Command: "State.StateChange", Doc: "a device logged in, logged out or lost its connection",
	Section: "webhooks.md#statestatechange",
})

type stateBody struct {
	EventTime int64        `json:"EventTime"`
	Info      stateInfo    `json:"Info"`
	Kicked    []kickedItem `json:"KickedDevice,omitempty"`
}

type stateInfo struct {
	Action string `json:"Action"`
	To     string `json:"To_Account"`
	Reason string `json:"Reason"`
}

type kickedItem struct {
	Platform string `json:"Platform"`
}

// stateEvent is what happened to a device, as the callback tells it.
type stateEvent struct{ action, reason string }

func cameOnline() stateEvent { return stateEvent{"Login", "Register"} }
func loggedOut() stateEvent  { return stateEvent{"Logout", "Unregister"} }

// gone tells a connection that fell silent from one that was closed.
func gone(silent bool) stateEvent {
	if silent {
		return stateEvent{"Disconnect", "TimeOut"}
	}
	return stateEvent{"Disconnect", "LinkClose"}
}

// who is a device as the callback names it.
type who struct {
	account  Account
	platform im.Platform
	address  string
}

func (d *Device) who() who { return who{d.Account, d.Platform, d.Address} }

// tellState stores the callback of a device's change, in the transaction that makes it.
func (a *Accounts) tellState(tx *db.Tx, w who, what stateEvent, kicked []device) error {
	app := a.app(w.account.App)
	if app == nil || !stateChanged.Wanted(app) {
		return nil
	}
	body := stateBody{
		EventTime: tx.Now().UnixMilli(), Info: stateInfo{what.action, w.account.UserID, what.reason},
	}
	for _, d := range kicked {
		body.Kicked = append(body.Kicked, kickedItem{webhook.PlatformName(d.platform)})
	}
	// This callback alone spells iOS in capitals (docs/protocol/webhooks.md#protocol).
	platform := webhook.PlatformName(w.platform)
	if w.platform == im.PlatformIOS {
		platform = strings.ToUpper(platform)
	}
	by := webhook.Origin{App: app, Address: w.address, Platform: platform}
	events, err := stateChanged.Events(by, int64(w.account.ID), body)
	if err != nil {
		return err
	}
	return a.hooks.Add(tx, events...)
}

// app returns the application, or nil in a process that serves none.
func (a *Accounts) app(id im.AppID) *im.App {
	if a.apps == nil {
		return nil
	}
	return a.apps.App(id)
}

// revokeAll logs every device of an account out.
func (a *Accounts) revokeAll(ctx context.Context, tx *db.Tx, of Account, reason KickType) error {
	app := a.app(of.App)
	if app != nil && stateChanged.Wanted(app) {
		devices, err := online(ctx, tx, of.ID)
		if err != nil {
			return err
		}
		for _, d := range devices {
			if err := a.tellState(tx, who{account: of, platform: d.platform}, loggedOut(), nil); err != nil {
				return err
			}
		}
	}
	return revokeAll(tx, of.ID, reason)
}

// online lists the devices that are logged in and connected.
func online(ctx context.Context, from db.Source, account im.AccountID) ([]device, error) {
	return db.All(ctx, from, func(row db.Scanner) (device, error) {
		d := device{account: account}
		err := row(&d.instance, &d.platform)
		return d, err
	}, `SELECT instance_id, platform FROM device WHERE account_id = $1 AND revoked = 0 AND online_on <> 0`, int64(account))
}
