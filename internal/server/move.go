package server

import (
	"context"
	"errors"

	"github.com/magpie-im/magpie/internal/db"
)

// Move copies the embedded store of a data directory, which no server serves meanwhile, into a PostgreSQL that has no application
// yet. The embedded store stays as it is.
func Move(ctx context.Context, dir, url string, tell func(db.Moved)) (err error) {
	from, err := db.Open(ctx, db.Options{Dir: dir, Existing: true}) // before the lock, which makes a directory that is not there
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	lock, err := lockDir(ctx, dir, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.release()) }()
	to, err := db.Open(ctx, db.Options{URL: url})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	return from.MoveTo(ctx, to, tell)
}
