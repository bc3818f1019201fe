package retention

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

const (
	// stepMessages is how many messages a step looks at, and so the most that it removes.
	stepMessages = 200
	// stepChats bounds the chats of a step: each takes statements of its own, and their rows are locked until its end.
	stepChats = 40
	// appsTogether bounds the applications of one walk, whose cursors a step writes.
	appsTogether = 200
)

// walk is a stretch of the messages of the store that is gone through for applications that have come equally far and keep messages
// equally long: all behind the id from and below the id below.
type walk struct {
	from, below int64
	apps        []im.AppID
}

// walks puts together which stretches are to be gone through.
func (r *Retention) walks(ctx context.Context, kept map[im.AppID]time.Time) ([]walk, error) {
	from, err := r.cursors(ctx, slices.Sorted(maps.Keys(kept)))
	if err != nil {
		return nil, err
	}
	type stretch struct{ from, below int64 }
	byStretch := map[stretch][]im.AppID{}
	for _, id := range slices.Sorted(maps.Keys(from)) {
		s := stretch{from[id], db.IDFloor(kept[id])}
		if s.from < s.below-1 {
			byStretch[s] = append(byStretch[s], id)
		}
	}
	var all []walk
	for s, apps := range byStretch {
		for some := range slices.Chunk(apps, appsTogether) {
			all = append(all, walk{s.from, s.below, some})
		}
	}
	slices.SortFunc(all, func(x, y walk) int { return cmp.Or(cmp.Compare(x.from, y.from), cmp.Compare(x.below, y.below)) })
	return all, nil
}

// cursors reads how far the applications have come, and notes those that have not begun.
func (r *Retention) cursors(ctx context.Context, apps []im.AppID) (map[im.AppID]int64, error) {
	found := map[im.AppID]int64{}
	read := func() error {
		return db.Each(ctx, r.DB, func(row db.Scanner) error {
			var (
				id im.AppID
				to int64
			)
			err := row(&id, &to)
			found[id] = to
			return err
		}, `SELECT app_id, removed_to FROM retention WHERE app_id IN ($1...)`, db.Ints(numbers(apps)))
	}
	if err := read(); err != nil {
		return nil, fmt.Errorf("read how far messages are removed: %w", err)
	}
	fresh := slices.DeleteFunc(slices.Clone(apps), func(id im.AppID) bool { _, is := found[id]; return is })
	if len(fresh) == 0 {
		return found, nil
	}
	err := r.DB.Write(ctx, func(tx *db.Tx) error { return begin(tx, fresh) })
	if err != nil {
		return nil, fmt.Errorf("begin to remove messages: %w", err)
	}
	return found, read()
}

func begin(tx *db.Tx, apps []im.AppID) error {
	const width = 2
	return db.Chunks(tx, width, apps, func(chunk []im.AppID) error {
		args := make([]any, 0, width*len(chunk))
		for _, id := range chunk {
			args = append(args, int64(id), 0)
		}
		_, err := tx.Exec(`INSERT INTO retention (app_id, removed_to) VALUES `+db.Rows(len(chunk), width, false)+
			` ON CONFLICT (app_id) DO NOTHING`, args...)
		return err
	})
}

// walk goes through a stretch, step by step. It ends early when another node goes through it.
func (r *Retention) walk(ctx context.Context, w walk) error {
	for at := w.from; at < w.below-1; {
		found, err := r.Chats.Oldest(ctx, r.DB, at, w.below, stepMessages)
		if err != nil {
			return err
		}
		if at = w.below - 1; len(found) == stepMessages {
			at = found[len(found)-1].ID
		}
		own := slices.DeleteFunc(found, func(o chat.Old) bool { return !slices.Contains(w.apps, o.App) })
		if len(own) == 0 && at < w.below-1 {
			continue
		}
		if some := fewChats(own); len(some) < len(own) {
			own, at = some, some[len(some)-1].ID
		}
		ours, err := r.step(ctx, &w, at, own)
		if err != nil || !ours {
			return err
		}
	}
	return nil
}

// fewChats gives the first messages, as many as are of so few chats that one step takes them.
func fewChats(all []chat.Old) []chat.Old {
	seen := map[int64]bool{}
	for i, one := range all {
		if seen[one.Chat] = true; len(seen) > stepChats {
			return all[:i]
		}
	}
	return all
}

// step removes messages and moves the cursors of the walk, and reports false if another node has moved one of them: then it has
// removed nothing.
func (r *Retention) step(ctx context.Context, w *walk, to int64, own []chat.Old) (ours bool, err error) {
	chats, ids := make([]int64, len(own)), make([]int64, len(own))
	for i, one := range own {
		chats[i], ids[i] = one.Chat, one.ID
	}
	err = r.DB.Write(ctx, func(tx *db.Tx) error {
		moved, err := tx.Exec(`UPDATE retention SET removed_to = $1 WHERE removed_to = $2 AND app_id IN ($3...)`, to, w.from, db.Ints(numbers(w.apps)))
		if err != nil {
			return err
		}
		if moved != int64(len(w.apps)) {
			return errMet
		}
		if err := r.Chats.Expire(ctx, tx, ids); err != nil || len(ids) == 0 {
			return err
		}
		return r.Attached.Expire(tx, chats, ids)
	})
	switch {
	case errors.Is(err, errMet):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("remove a step of messages: %w", err)
	}
	w.from = to
	return true, nil
}

// errMet takes a step back of which another node has done a part.
var errMet = errors.New("another node removes these messages")

func numbers(apps []im.AppID) []int64 {
	all := make([]int64, len(apps))
	for i, id := range apps {
		all[i] = int64(id)
	}
	return all
}
