package group

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// Entrant is a member, and how far the group's chat was when it joined.
type Entrant struct {
	Account im.AccountID
	// JoinSequence is the newest sequence of the group's chat when the account joined.
	JoinSequence int64
}

// mostEntrants bounds a roster: larger groups than this ask for no receipts.
const mostEntrants = 100_000

// Roster lists a group's members in the order of their numbers, mostEntrants of them at most.
func (g *Groups) Roster(ctx context.Context, from db.Source, group int64) ([]Entrant, error) {
	found, err := db.All(ctx, from, func(row db.Scanner) (Entrant, error) {
		var e Entrant
		err := row(&e.Account, &e.JoinSequence)
		return e, err
	}, `SELECT account_id, join_sequence FROM group_member WHERE group_id = $1 AND role > 0 ORDER BY account_id LIMIT $2`, group, mostEntrants)
	if err != nil {
		return nil, fmt.Errorf("read roster: %w", err)
	}
	return found, nil
}
