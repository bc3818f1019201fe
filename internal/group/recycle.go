package group

import (
	"context"
	"fmt"
	"time"

	"github.com/magpie-im/magpie/internal/app"
	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/setting"
	"github.com/magpie-im/magpie/internal/telemetry"
)

var (
	workRecycled    = recycleAfter("group.work.recycle_seconds", "Work")
	publicRecycled  = recycleAfter("group.public.recycle_seconds", "Public")
	meetingRecycled = recycleAfter("group.meeting.recycle_seconds", "Meeting")
)

// recycled are the settings by which groups of a type end when nothing happens in them, by the types' names on the wire.
func recycled() map[string]*setting.Setting[int] {
	return map[string]*setting.Setting[int]{"Private": workRecycled, "Public": publicRecycled, "ChatRoom": meetingRecycled}
}

func recycleAfter(name, of string) *setting.Setting[int] {
	const most = 10 * 366 * 86_400
	return setting.Int(setting.Spec[int]{
		Name: name, Default: 0, Low: 0, High: most, Unit: "seconds",
		Doc: of + " groups are destroyed in which nothing was said, and whose profile was not changed, for so long; 0 keeps them",
	})
}

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

// recycle walks over an application's groups of the types that are recycled, in steps.
func (g *Groups) recycle(ctx context.Context, of *im.App) error {
	var types []string
	for name, after := range recycled() {
		if after.Of(of) > 0 {
			types = append(types, name)
		}
	}
	for last := int64(0); len(types) > 0; {
		found, err := db.All(ctx, g.db, g.scan, `SELECT `+groupColumns+` FROM chat_group
			WHERE app_id = $1 AND deleted_at = 0 AND id > $2 AND type IN ($3...) ORDER BY id LIMIT $4`,
			int64(of.ID), last, db.Texts(types), recycledTogether)
		if err != nil {
			return fmt.Errorf("read groups: %w", err)
		}
		if err := g.recycleAmong(ctx, of, found); err != nil {
			return err
		}
		if len(found) < recycledTogether {
			return nil
		}
		last = found[len(found)-1].ID
	}
	return nil
}

func (g *Groups) recycleAmong(ctx context.Context, of *im.App, groups []*Group) error {
	d, err := g.details(ctx, g.db, groups)
	if err != nil {
		return err
	}
	call := &command.Call{Actor: im.Actor{App: of, Door: im.DoorREST}}
	for _, one := range groups {
		if !d.idle(of, one, g.now().Unix()) {
			continue
		}
		err := g.change(ctx, call, one, nil, func(c *change) (refused, err error) {
			now, err := g.details(ctx, c.tx, []*Group{c.group})
			if err != nil || !now.idle(of, c.group, c.tx.Now().Unix()) {
				return nil, err
			}
			return nil, g.end(c, true)
		})
		if _, gone := im.Refusal(err); err != nil && !gone {
			return err
		}
	}
	return nil
}

// idle reports whether nothing has happened in the group for as long as its type lives without.
func (d *details) idle(app *im.App, of *Group, now int64) bool {
	after := recycled()[of.Type.String()]
	if after == nil || after.Of(app) == 0 {
		return false
	}
	return now-max(d.tails[of.ID].Time, of.Changed) > int64(after.Of(app))
}
