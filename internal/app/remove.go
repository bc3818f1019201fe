package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// quietFor is how long an application has to be disabled before it is removed, where a node serves the store: the nodes
// have seen it by then, the audit has ended the sessions, and the last call that was let in is over.
const quietFor = 3 * time.Minute

var (
	// ErrEnabled refuses to remove an application that lets somebody in.
	ErrEnabled = errors.New("it is not disabled: disable it first, and see that nobody misses it")
	// ErrInUse refuses to remove an application that somebody may still use, as it was disabled or changed a moment ago.
	ErrInUse = fmt.Errorf("a server runs, and may still serve somebody: stop the servers, or wait until it has been disabled and "+
		"unchanged for %v", quietFor)
	// errRemoving refuses to use the number of an application of which something is left.
	errRemoving = errors.New("it is being removed: end that with `magpie app remove`")
)

// Part is a room's part in the removal of an application. A call removes a few hundred rows at most of what the room has of
// it, from the place on that the call before has returned, 0 at first; it returns the next place, 0 when nothing is left.
// It may run more than once, as [db.DB.Write] says.
type Part func(ctx context.Context, tx *db.Tx, of im.AppID, from int64) (next int64, err error)

// Removal is how an application is removed.
type Removal struct {
	// Served says that a node serves the store now, which may know the application still.
	Served bool
	// Parts are the rooms', in the order in which they run.
	Parts []Part
}

// Remove removes a disabled application and all that the rooms have of it, in many small transactions. From the first on no
// node knows the application. If it ends early, what is left can only be removed again.
func (a *Apps) Remove(ctx context.Context, id im.AppID, r Removal) error {
	if err := a.mayRemove(ctx, id, r.Served); err != nil {
		return fmt.Errorf("application %d: %w", id, err)
	}
	err := a.alter(ctx, id, func(tx *db.Tx, version int64) (int64, error) {
		return tx.Exec(`UPDATE app SET removing = TRUE, version = $1 WHERE id = $2 AND disabled`, version, int64(id))
	})
	if err != nil {
		return err
	}
	for _, part := range r.Parts {
		if err := a.removePart(ctx, id, part); err != nil {
			return fmt.Errorf("application %d: %w", id, err)
		}
	}
	return a.alter(ctx, id, func(tx *db.Tx, _ int64) (int64, error) {
		return tx.Exec(`DELETE FROM app WHERE id = $1 AND removing`, int64(id))
	})
}

func (a *Apps) mayRemove(ctx context.Context, id im.AppID, served bool) error {
	var (
		disabled bool
		changed  int64
	)
	_, err := db.One(ctx, a.db, func(row db.Scanner) (bool, error) { return true, row(&disabled, &changed) },
		`SELECT disabled, updated_at FROM app WHERE id = $1`, int64(id))
	switch {
	case errors.Is(err, db.ErrNotFound):
		return errNoApp
	case err != nil:
		return err
	case !disabled:
		return ErrEnabled
	case served && a.db.Now().Sub(time.UnixMilli(changed)) < quietFor:
		return ErrInUse
	}
	return nil
}

func (a *Apps) removePart(ctx context.Context, id im.AppID, part Part) error {
	for from := int64(0); ; {
		next := int64(0)
		err := a.db.Write(ctx, func(tx *db.Tx) error {
			var err error
			next, err = part(ctx, tx, id, from)
			return err
		})
		if err != nil || next == 0 {
			return err
		}
		from = next
	}
}
