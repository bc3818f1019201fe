package group

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/magpie-im/magpie/internal/app"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/setting"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// recycleAfter is how long a group lives in which nothing happens. Communities live on.
var recycleAfter = declare(func(t typeWord) *setting.Setting[int] {
	if t.word == "community" {
		return nil
	}
	const most = 10 * 366 * 86_400
	return setting.Int(setting.Spec[int]{
		Name: "group." + t.word + ".recycle_seconds", Default: 0, Low: 0, High: most, Unit: "seconds",
		Doc: strings.ToUpper(t.word[:1]) + t.word[1:] +
			" groups are destroyed in which nothing was said, and whose profile was not changed, for so long; 0 keeps them",
	})
})

const (
	// recycleEvery is how often a node looks for groups to destroy.
	recycleEvery = time.Minute
	// recycledTogether is how many groups one look reads at once.
	recycledTogether = 500
)

// Recycle destroys groups in which nothing happens, as far as their applications want it, until ctx ends. Every node does it: a
// group is looked at once more in the transaction that destroys it.
func (g *Groups) Recycle(ctx context.Context, c *clock.Clock, apps *app.Apps) {
	tick := c.NewTicker(recycleEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		apps.Each(func(one *im.App) {
			if err := g.recycle(ctx, one); err != nil && ctx.Err() == nil {
				g.log.ErrorContext(ctx, "recycle groups", telemetry.FieldApp, one.ID, telemetry.FieldError, err)
			}
		})
	}
}

// recycle destroys an application's groups in which nothing happens.
func (g *Groups) recycle(ctx context.Context, of *im.App) error {
	for _, t := range g.rules.Types() {
		after := recycleAfter.Of(of, t, 0)
		if after == 0 {
			continue
		}
		if err := g.recycleOf(ctx, of, t, int64(after)); err != nil {
			return err
		}
	}
	return nil
}

// selectIdle reads groups of a type whose profile was changed, and in which something was said, before a unix second.
const selectIdle = `SELECT ` + groupColumns + ` FROM chat_group g
	WHERE app_id = $1 AND deleted_at = 0 AND id > $2 AND type = $3 AND changed_at < $4
	AND NOT EXISTS (SELECT 1 FROM chat c LEFT JOIN message m ON m.id = c.low_last_id
		WHERE c.low_id = g.id AND c.high_id = 0 AND c.kind = $5 AND COALESCE(m.sent_at, c.expired_time) >= $6)
	ORDER BY id LIMIT $7`

// recycleOf destroys those of a type, in steps.
func (g *Groups) recycleOf(ctx context.Context, of *im.App, t Type, after int64) error {
	before := g.now().Unix() - after
	for last := int64(0); ; {
		found, err := db.All(ctx, g.db, g.scan, selectIdle, int64(of.ID), last, t.String(), before, int64(chat.Group), before, recycledTogether)
		if err != nil {
			return fmt.Errorf("read groups: %w", err)
		}
		for _, one := range found {
			if err := g.recycleOne(ctx, of, one); err != nil {
				return err
			}
			last = one.ID
		}
		if len(found) < recycledTogether {
			return nil
		}
	}
}

// recycleOne destroys a group, if nothing has happened in it in the transaction that does either.
func (g *Groups) recycleOne(ctx context.Context, of *im.App, one *Group) error {
	call := &command.Call{Actor: im.Actor{App: of, Door: im.DoorREST}}
	err := g.change(ctx, call, one, nil, func(c *change) (refused, err error) {
		now, err := g.details(ctx, c.tx, []*Group{c.group})
		if err != nil || !now.idle(of, c.group, c.tx.Now().Unix()) {
			return nil, err
		}
		return nil, g.end(c, true)
	})
	if _, gone := im.Refusal(err); gone {
		return nil
	}
	return err
}

// idle reports whether nothing has happened in the group for as long as its type lives without.
func (d *details) idle(app *im.App, of *Group, now int64) bool {
	after := recycleAfter.Of(app, of.Type, 0)
	return after != 0 && now-max(d.tails[of.ID].Time, of.Changed) > int64(after)
}
