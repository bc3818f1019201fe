package live

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// Who is inside is held against the store, as a bus message that told of a ban or of the end of a group may have been lost.

const (
	// auditEvery is how often a node does so, and so for how long somebody may be inside whose ban the bus has lost.
	auditEvery = 30 * time.Second
	// auditedAtOnce is of how many rooms the store is asked in one statement.
	auditedAtOnce = 200
)

// audit holds who is inside against the store until ctx ends.
func (l *Rooms) audit(ctx context.Context) {
	tick := l.clock.NewTicker(auditEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := l.auditAll(ctx); err != nil && ctx.Err() == nil {
				l.log.WarnContext(ctx, "hold live rooms against the store", telemetry.FieldError, err)
			}
		}
	}
}

func (l *Rooms) auditAll(ctx context.Context) error {
	inside := slices.DeleteFunc(l.all(), func(r *room) bool {
		r.mutex.Lock()
		defer r.mutex.Unlock()
		return r.ended || r.inside() == 0
	})
	for some := range slices.Chunk(inside, auditedAtOnce) {
		if err := l.auditSome(ctx, some); err != nil {
			return err
		}
	}
	return nil
}

// auditSome ends those of the rooms whose groups are there no more, and has those leave the others who are banned.
func (l *Rooms) auditSome(ctx context.Context, some []*room) error {
	ids := make([]int64, len(some))
	for i, r := range some {
		ids[i] = r.id
	}
	there, err := l.groups.There(ctx, ids)
	if err != nil {
		return err
	}
	banned := map[int64][]im.AccountID{}
	err = l.groups.EachBanned(ctx, ids, func(id int64, who im.AccountID) {
		if there[id] && l.Inside(id, who) != 0 {
			banned[id] = append(banned[id], who)
		}
	})
	all := []error{err}
	for _, id := range ids {
		switch gone := banned[id]; {
		case !there[id]:
			if err = l.router.EmptyLive(id); err == nil {
				l.end(id)
			}
		case len(gone) > 0:
			if err = l.router.LeaveLive(id, gone...); err == nil {
				l.expel(id, gone)
			}
		default:
			continue
		}
		all = append(all, err)
		l.log.InfoContext(ctx, "the bus did not tell of a ban or of the end of a live room", telemetry.FieldGroup, id)
	}
	return errors.Join(all...)
}
