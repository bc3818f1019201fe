package chat

import (
	"fmt"

	"github.com/magpie-im/magpie/internal/db"
)

// plain reports the usual growth: of a chat that exists, by messages that were sent here and move the list of all sides.
func (g *growth) plain() bool {
	moved := !g.news[0].Imported && g.news[0].old
	for at := range g.name.sides() {
		moved = moved && g.seen[at].listed > 0
	}
	return moved
}

// The statement of a plain growth names its chat by the id, and so looks into no index. Its columns are changed as by
// upsertChat.
const (
	advanceChat = `UPDATE chat SET last_sequence = last_sequence + $1, last_ord = CASE WHEN last_ord < $2 THEN $3 ELSE last_ord END,
	changed_at = $4, low_counted = low_counted + $5, low_listed = last_sequence + $6,
	low_last_id = CASE WHEN low_last_ord > last_ord AND low_last_ord > $7 THEN low_last_id ELSE $8 END,
	low_last_ord = CASE WHEN low_last_ord > last_ord AND low_last_ord > $9 THEN low_last_ord
		WHEN last_ord > $10 THEN last_ord ELSE $11 END`
	advanceHigh = `, high_counted = high_counted + $12, high_listed = last_sequence + $13,
	high_last_id = CASE WHEN high_last_ord > last_ord AND high_last_ord > $14 THEN high_last_id ELSE $15 END,
	high_last_ord = CASE WHEN high_last_ord > last_ord AND high_last_ord > $16 THEN high_last_ord
		WHEN last_ord > $17 THEN last_ord ELSE $18 END`
	advanceOne  = advanceChat + ` WHERE id = $12 RETURNING last_sequence, last_ord`
	advanceBoth = advanceChat + advanceHigh + ` WHERE id = $19 RETURNING last_sequence, last_ord`
)

// advance makes a plain growth.
func (g *growth) advance(tx *db.Tx) error {
	order := g.name.Kind.order(tx.Now().Unix())
	args := make([]any, 0, 19)
	args = append(args, len(g.news), order, order, tx.Now().UnixMilli())
	for at := range g.name.sides() {
		s := &g.seen[at]
		args = append(args, s.counted, s.listed, order, s.lastID, order, order, order)
	}
	query := advanceOne
	if g.name.sides() == mostSides {
		query = advanceBoth
	}
	placed := false
	err := tx.Returning(func(row db.Scanner) error {
		var last, newest int64
		if err := row(&last, &newest); err != nil {
			return err
		}
		placed = true
		g.stand(g.id, last, newest)
		return nil
	}, query, append(args, g.id)...)
	if err == nil && !placed {
		return fmt.Errorf("chat %d is not there", g.id)
	}
	return err
}
