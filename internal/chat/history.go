package chat

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// Newest is the position behind all messages. The position before all messages is the zero Position.
func Newest() Position { return EndOf(math.MaxInt64) }

// BeginOf is the position before the messages of an order.
func BeginOf(order int64) Position { return Position{Order: order} }

// EndOf is the position behind the messages of an order.
func EndOf(order int64) Position { return Position{Order: order, Sequence: math.MaxInt64} }

// Page asks for a part of a chat as one account sees it.
type Page struct {
	Chat  int64
	Owner im.AccountID
	// Cleared is up to where the owner does not see the chat, as a sequence.
	Cleared int64
	// From is where the page begins; the message at From is left out.
	From Position
	// Newer reads towards the present, otherwise the page goes into the past.
	Newer bool
	// Since leaves out messages that were sent before that unix second; 0 leaves out none.
	Since int64
	// Limit is the size of the page.
	Limit int
}

// seen is the condition of a message that the owner $3 sees, who sees no message at or below the sequence $2.
const seen = `chat_id = $1 AND sequence > $2 AND ((from_id = $3 AND (hidden & 1) = 0) OR (from_id <> $4 AND (hidden & 2) = 0))`

// Both directions walk the index message_position, so a page costs the same whatever the chat's length.
const (
	selectPage  = `SELECT ` + messageColumns + ` FROM message WHERE ` + seen + ` AND sent_at >= $5 AND `
	selectOlder = selectPage + `(ord, sequence) < ($6, $7) ORDER BY ord DESC, sequence DESC LIMIT $8`
	selectNewer = selectPage + `(ord, sequence) > ($6, $7) ORDER BY ord, sequence LIMIT $8`
)

// Read gives a page's messages, oldest first, and whether there are more in the page's direction.
func (c *Chats) Read(ctx context.Context, from db.Source, p Page) (found []Message, more bool, err error) {
	query := selectOlder
	if p.Newer {
		query = selectNewer
	}
	found, err = messages(ctx, from, query, p.Chat, p.Cleared, int64(p.Owner), int64(p.Owner), p.Since,
		p.From.Order, p.From.Sequence, p.Limit+1)
	if err != nil {
		return nil, false, fmt.Errorf("read history: %w", err)
	}
	if len(found) > p.Limit {
		found, more = found[:p.Limit], true
	}
	if !p.Newer {
		slices.Reverse(found)
	}
	return found, more, nil
}

// Before reads the newest messages of a chat that is sorted by sequence, at or below a sequence, newest first, whoever may
// read them.
func (c *Chats) Before(ctx context.Context, from db.Source, chat, sequence int64, limit int) ([]Message, error) {
	found, err := messages(ctx, from, `SELECT `+messageColumns+` FROM message WHERE chat_id = $1 AND ord = 0 AND sequence <= $2
		ORDER BY ord DESC, sequence DESC LIMIT $3`, chat, sequence, limit)
	if err != nil {
		return nil, fmt.Errorf("read history: %w", err)
	}
	return found, nil
}

// At reads the messages of a chat that is sorted by sequence at those sequences, newest first, whoever may read them.
func (c *Chats) At(ctx context.Context, from db.Source, chat int64, sequences []int64) ([]Message, error) {
	found, err := messages(ctx, from, `SELECT `+messageColumns+` FROM message WHERE chat_id = $1 AND ord = 0 AND sequence IN ($2...)
		ORDER BY ord DESC, sequence DESC`, chat, db.Ints(sequences))
	if err != nil {
		return nil, fmt.Errorf("read messages: %w", err)
	}
	return found, nil
}
