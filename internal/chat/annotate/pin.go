package annotate

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// Pin is a message that is pinned in its chat.
type Pin struct {
	Message, Sequence int64
	By                im.AccountID
}

// Pin pins a message, as long as its chat has fewer than most pins. It refuses with an *im.Error, and reports false of a message
// that is recalled or pinned already.
func (a *Annotations) Pin(ctx context.Context, tx *db.Tx, m *chat.Message, by im.AccountID, most int) (pinned bool, err error) {
	number, err := pinCounter.next(tx, m.Chat)
	if err != nil {
		return false, err
	}
	held, err := a.lockOne(ctx, tx, m)
	if err != nil || held == nil {
		return false, err
	}
	pins, err := a.Pins(ctx, tx, m.Chat)
	if err != nil {
		return false, err
	}
	for _, one := range pins {
		if one.Message == m.ID {
			return false, nil
		}
	}
	if len(pins) >= most {
		return false, im.Errorf(im.CodePinsFull, "%d messages are pinned already: want at most %d", len(pins), most)
	}
	_, err = tx.Exec(`INSERT INTO pin (chat_id, message_id, sequence, pinner_id, number) VALUES ($1, $2, $3, $4, $5)`,
		m.Chat, m.ID, m.Sequence, int64(by), number)
	return err == nil, err
}

// Unpin ends a pin, and reports whether there was one.
func (a *Annotations) Unpin(tx *db.Tx, m *chat.Message) (unpinned bool, err error) {
	n, err := tx.Exec(`DELETE FROM pin WHERE chat_id = $1 AND message_id = $2`, m.Chat, m.ID)
	return n > 0, err
}

// Pins lists what is pinned in a chat, the latest first.
func (a *Annotations) Pins(ctx context.Context, from db.Source, chat int64) ([]Pin, error) {
	pins, err := db.All(ctx, from, func(scan db.Scanner) (p Pin, err error) { return p, scan(&p.Message, &p.Sequence, &p.By) },
		`SELECT message_id, sequence, pinner_id FROM pin WHERE chat_id = $1 ORDER BY number DESC`, chat)
	if err != nil {
		return nil, fmt.Errorf("read pins: %w", err)
	}
	return pins, nil
}
