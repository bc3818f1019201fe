// Package webhook tells an application's back end what has happened, and asks it before some things happen, over HTTP, as
// the reference system does with its callbacks (docs/protocol/webhooks.md).
//
// A room declares its callbacks beside its rules with NewBefore and NewAfter. After is told in the transaction of what it
// tells and delivered from the store (webhook/outbox); Before is asked before there is a transaction. The
// package does not know what callbacks mean, nor how they are stored and delivered.
package webhook

import (
	"log/slog"

	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/webhook/backend"
)

// Apps is where the applications' settings are looked up, as they are now.
type Apps interface {
	// App returns nil for an application that does not exist.
	App(id im.AppID) *im.App
	// Each visits every application.
	Each(visit func(*im.App))
}

// Outbox keeps the callbacks that only notify.
type Outbox interface {
	// Add stores callbacks in the transaction of what they tell, and has them delivered once it is on disk. Without any it
	// does nothing.
	Add(tx *db.Tx, events ...Callback) error
}

// Parts are what the room is built on.
type Parts struct {
	DB        *db.DB
	Outbox    Outbox
	Endpoints *backend.Endpoints
	Log       *slog.Logger
	// Clock is what answers are waited for by; nil is the system's.
	Clock *clock.Clock
}

// Webhooks is what the rooms tell and ask with.
type Webhooks struct{ Parts }

// New makes the room.
func New(p Parts) *Webhooks { return &Webhooks{p} }
