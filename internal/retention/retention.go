// Package retention removes messages whose time is over, as far as their applications want it, with all that hangs on them.
//
// It goes through the messages in the order in which they were stored, and remembers how far it has come; so each is looked at once,
// however many there are, and a node that was stopped in the middle goes on where it was. A step is one small transaction, and a commit
// that somebody waits for waits for one step at most.
package retention

import (
	"context"
	"log/slog"
	"time"

	"github.com/magpie-im/magpie/internal/app"
	"github.com/magpie-im/magpie/internal/bundle"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/chat/annotate"
	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/setting"
	"github.com/magpie-im/magpie/internal/telemetry"
)

const mostDays = 3660

var keptDays = setting.Int(setting.Spec[int]{
	Name: "message.retention_days", Default: 0, Low: 0, High: mostDays, Unit: "days",
	Doc: "how long messages of one-to-one chats and groups are kept after they were stored, and what merged messages hold apart; 0 keeps " +
		"them for ever",
})

// Retention is the room's state.
type Retention struct{ Parts }

// Parts are what the room is built on.
type Parts struct {
	DB       *db.DB
	Chats    *chat.Chats
	Attached *annotate.Annotations
	Bundles  *bundle.Bundles
	Log      *slog.Logger
}

// New makes the room.
func New(p Parts) *Retention { return &Retention{p} }

// Settings lists what an operator may choose in this room.
func (r *Retention) Settings() []setting.Declaration { return []setting.Declaration{keptDays} }

// every is how often a node looks for messages whose time is over.
const every = time.Minute

// Run removes messages until ctx ends. Every node does it: a step is one node's, and another one that meets it leaves the look to it.
func (r *Retention) Run(ctx context.Context, c *clock.Clock, apps *app.Apps) {
	tick := c.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := r.look(ctx, apps); err != nil && ctx.Err() == nil {
			r.Log.ErrorContext(ctx, "remove old messages", telemetry.FieldError, err)
		}
	}
}

// look removes all whose time is over now.
func (r *Retention) look(ctx context.Context, apps *app.Apps) error {
	kept := map[im.AppID]time.Time{}
	apps.Each(func(one *im.App) {
		if days := keptDays.Of(one); days > 0 {
			kept[one.ID] = r.DB.Now().AddDate(0, 0, -days)
		}
	})
	if len(kept) == 0 {
		return nil
	}
	if err := r.expireBundles(ctx, kept); err != nil {
		return err
	}
	walks, err := r.walks(ctx, kept)
	if err != nil {
		return err
	}
	for _, w := range walks {
		if err := r.walk(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

func (r *Retention) expireBundles(ctx context.Context, kept map[im.AppID]time.Time) error {
	for id, before := range kept {
		for more := true; more; {
			var err error
			if more, err = r.Bundles.Expire(ctx, id, before); err != nil {
				return err
			}
		}
	}
	return nil
}

// RemoveApp forgets how far an application's messages were removed: the room's part in its removal, an app.Part.
func (r *Retention) RemoveApp(_ context.Context, tx *db.Tx, of im.AppID, _ int64) (next int64, err error) {
	_, err = tx.Exec(`DELETE FROM retention WHERE app_id = $1`, int64(of))
	return 0, err
}
