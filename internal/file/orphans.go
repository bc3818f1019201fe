package file

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// How often a node tidies, and how much it looks at in one go.
const (
	tidyEvery     = time.Minute
	freedTogether = 100
	lookedAt      = 500
)

const (
	// freedFor is how long the bytes of an object stay that no file names, for downloads that are under way.
	freedFor = 10 * time.Minute
	// orphanAfter is how old an object is before a missing row says anything: an upload names its object at once.
	orphanAfter = time.Hour
	// partAfter is how long nothing was written to a part of a file whose upload is given up.
	partAfter = 24 * time.Hour
	// walkAgain is how long a node rests that has looked at all objects.
	walkAgain = 24 * time.Hour
)

// incomingEnd is the end of the names of files that are being written.
const incomingEnd = ".part"

// Tidy removes files whose time is over, the bytes that no file names, and what uploads left that did not end, until ctx ends. Every
// node does it: what it decides it decides in transactions.
func (f *Files) Tidy(ctx context.Context) {
	if f.store == nil {
		return
	}
	if f.db.SoleWriter() { // nobody else writes into the folder
		f.clearParts(ctx, 0)
	}
	tick := f.clock.NewTicker(tidyEvery)
	defer tick.Stop()
	for w := (walk{}); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		f.apps.Each(func(one *im.App) {
			f.try(ctx, "remove files whose time is over", func() error { return f.retire(ctx, one) })
		})
		f.try(ctx, "remove objects of no file", func() error { return f.removeFreed(ctx) })
		f.try(ctx, "look for objects without a row", func() error { return f.step(ctx, &w) })
		f.clearParts(ctx, partAfter)
	}
}

func (f *Files) try(ctx context.Context, what string, do func() error) {
	if err := do(); err != nil && ctx.Err() == nil {
		f.log.ErrorContext(ctx, what, telemetry.FieldError, err)
	}
}

// freed is the names that an object has in the store.
type freed struct{ name, large, thumb string }

// names are those under which something is kept.
func (o freed) names() []string {
	var all []string
	for _, one := range []string{o.name, o.large, o.thumb} {
		if one != "" && one != itself {
			all = append(all, one)
		}
	}
	return all
}

func scanFreed(scan db.Scanner) (freed, error) {
	var o freed
	err := scan(&o.name, &o.large, &o.thumb)
	return o, err
}

// removeFreed removes objects that no file names, the rows first: bytes that are left when the node ends in between are found by
// the walk.
func (f *Files) removeFreed(ctx context.Context) error {
	for more := true; more; {
		var gone []freed
		err := f.db.Write(ctx, func(tx *db.Tx) error {
			gone = gone[:0]
			return tx.Returning(func(scan db.Scanner) error {
				o, err := scanFreed(scan)
				gone = append(gone, o)
				return err
			}, `DELETE FROM file_object WHERE files = 0 AND digest IN
				(SELECT digest FROM file_object WHERE files = 0 AND freed_at < $1 ORDER BY freed_at, digest LIMIT $2)
				RETURNING name, large, thumb`, f.clock.Now().Add(-freedFor).UnixMilli(), int64(freedTogether))
		})
		if err != nil {
			return fmt.Errorf("remove rows of objects: %w", err)
		}
		for _, one := range gone {
			for _, name := range one.names() {
				f.drop(ctx, name)
			}
		}
		more = len(gone) == freedTogether
	}
	return nil
}

// walk is how far a node has come through the names of the store.
type walk struct {
	after string
	rest  time.Time // not before that
}

// step looks at some objects and removes those of them that are old and that no row names.
func (f *Files) step(ctx context.Context, w *walk) error {
	if f.clock.Now().Before(w.rest) {
		return nil
	}
	names, err := f.store.List(ctx, w.after, lookedAt)
	if err != nil {
		return err
	}
	if len(names) == 0 {
		*w = walk{rest: f.clock.Now().Add(walkAgain)}
		return nil
	}
	w.after = names[len(names)-1]
	var old, digests []string
	for _, name := range names {
		if digest, made, ok := parseName(name); ok && f.clock.Since(made) > orphanAfter {
			old, digests = append(old, name), append(digests, digest)
		}
	}
	known := map[string]bool{}
	err = db.Each(ctx, f.db, func(scan db.Scanner) error {
		o, err := scanFreed(scan)
		for _, name := range o.names() {
			known[name] = true
		}
		return err
	}, `SELECT name, large, thumb FROM file_object WHERE digest IN ($1...)`, db.Texts(digests))
	if err != nil {
		return fmt.Errorf("look objects up: %w", err)
	}
	for _, name := range old {
		if !known[name] {
			f.drop(ctx, name)
		}
	}
	return nil
}

// parseName reads a name that objectName made; others are nobody's business.
func parseName(name string) (digest string, made time.Time, ok bool) {
	parts := strings.Split(name, "-")
	const digestLetters = 64
	if len(parts) < 3 || len(parts[0]) != digestLetters {
		return "", time.Time{}, false
	}
	millis, err := strconv.ParseInt(parts[1], 36, 64)
	return parts[0], time.UnixMilli(millis), err == nil
}

// clearParts removes parts of files to which nothing was written for some time.
func (f *Files) clearParts(ctx context.Context, since time.Duration) {
	parts, err := os.ReadDir(f.store.Incoming())
	if err != nil {
		f.log.WarnContext(ctx, "look for parts of files", telemetry.FieldError, err)
		return
	}
	for _, part := range parts {
		info, err := part.Info()
		if err != nil || !strings.HasSuffix(part.Name(), incomingEnd) || clock.System().Since(info.ModTime()) < since {
			continue
		}
		if err := os.Remove(filepath.Join(f.store.Incoming(), part.Name())); err != nil {
			f.log.WarnContext(ctx, "remove a part of a file", telemetry.FieldError, err)
		}
	}
}
