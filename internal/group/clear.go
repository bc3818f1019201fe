package group

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
)

// ClearUpTo hides a group's history at or below a sequence from its members. What was cleared stays cleared.
func (g *Groups) ClearUpTo(ctx context.Context, call *command.Call, of *Group, sequence int64) error {
	return g.change(ctx, call, of, nil, func(c *change) (refused, err error) {
		if !c.may("clear.all.rest(clear_group_msg)") {
			return errRights(c.group, "clear the history"), nil
		}
		_, err = c.tx.Exec(`UPDATE chat_group SET cleared_sequence = $2 WHERE id = $1 AND cleared_sequence < $2`, of.ID, sequence)
		return nil, err
	})
}

// readTogether is how many read marks one transaction moves.
const readTogether = 2000

// ReadAll moves the read marks of all members up to a mark, in steps, so that nobody's commit waits long for it.
func (g *Groups) ReadAll(ctx context.Context, group int64, to ReadMark) error {
	for after := int64(0); ; {
		var moved []int64
		err := g.db.Write(ctx, func(tx *db.Tx) error {
			moved = nil
			return tx.Returning(func(row db.Scanner) error {
				id, err := db.Number(row)
				moved = append(moved, id)
				return err
			}, `UPDATE group_member SET read_sequence = CASE WHEN read_sequence < $3 THEN $3 ELSE read_sequence END,
				read_counted = CASE WHEN read_sequence < $3 THEN $4 ELSE read_counted END, changed_at = $5
				WHERE group_id = $1 AND account_id IN (SELECT account_id FROM group_member
				WHERE group_id = $1 AND account_id > $2 ORDER BY account_id LIMIT $6) RETURNING account_id`,
				group, after, to.Sequence, to.Counted, tx.Now().Unix(), readTogether)
		})
		if err != nil {
			return fmt.Errorf("move read marks: %w", err)
		}
		if len(moved) < readTogether {
			return nil
		}
		for _, id := range moved {
			after = max(after, id)
		}
	}
}
