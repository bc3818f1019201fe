package relation

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// Remarks gives what an account calls others that are its friends.
func (r *Relations) Remarks(ctx context.Context, from db.Source, owner im.AccountID, others []im.AccountID) (map[im.AccountID]string, error) {
	remarks := map[im.AccountID]string{}
	err := db.Each(ctx, from, func(row db.Scanner) error {
		var (
			id   im.AccountID
			text string
		)
		err := row(&id, &text)
		remarks[id] = text
		return err
	}, `SELECT friend_id, remark FROM friend WHERE owner_id = $1 AND friend_id IN ($2...) AND remark <> ''`, int64(owner), db.Ints(others))
	if err != nil {
		return nil, fmt.Errorf("read remarks: %w", err)
	}
	return remarks, nil
}

// mostWatchers bounds who is told of one change of a profile: any number of others may have an account as a friend without it having
// them.
const mostWatchers = 3000

// Watchers are those who have an account as a friend.
func (r *Relations) Watchers(ctx context.Context, of im.AccountID) ([]im.AccountID, error) {
	watchers, err := db.All(ctx, r.DB, func(row db.Scanner) (id im.AccountID, err error) { return id, row(&id) },
		`SELECT owner_id FROM friend WHERE friend_id = $1 ORDER BY owner_id LIMIT $2`, int64(of), mostWatchers)
	if err != nil {
		return nil, fmt.Errorf("read whose friend an account is: %w", err)
	}
	return watchers, nil
}
