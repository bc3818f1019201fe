// Package annotate keeps what is attached to stored messages, in chats of every kind: who has read a message that asked for
// receipts, who reacted to it, extensions, which are values under names of the application's own, and pins.
//
// It writes the tables of annotations, and nobody else does. How a request names a message, who sees it and who is told, the rooms
// of the kinds know (Kind). A message that is recalled has nothing attached any more.
package annotate

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/webhook"
)

// Annotations is the room's state.
type Annotations struct {
	Parts
	turns turns
}

// Parts are what the room is built on.
type Parts struct {
	DB       *db.DB
	Chats    *chat.Chats
	Accounts *account.Accounts
	Router   *event.Router
	Hooks    *webhook.Webhooks
	Log      *slog.Logger
}

// New makes the room.
func New(p Parts) *Annotations { return &Annotations{Parts: p} }

// row is a message's row, which whoever attaches something holds until his transaction ends.
type row struct {
	message int64
	readBy  bitmap
	reacted int64
	extensionCounters
}

// lock holds the rows of a chat's messages, in the order of their ids, and gives those of messages that are there and not
// recalled: a recall holds the row too, so it came before, or finds what is attached. Rows that are not there it makes.
func (a *Annotations) lock(ctx context.Context, tx *db.Tx, chat int64, messages []int64) (map[int64]*row, error) {
	const width = 2
	messages = slices.Compact(slices.Sorted(slices.Values(messages)))
	rows := make(map[int64]*row, len(messages))
	err := db.Chunks(tx, width, messages, func(chunk []int64) error {
		args := make([]any, 0, width*len(chunk))
		for _, id := range chunk {
			args = append(args, id, chat)
		}
		return tx.Returning(func(scan db.Scanner) error {
			var one row
			err := scan(&one.message, (*[]byte)(&one.readBy), &one.reacted, &one.seq, &one.cleared, &one.minute, &one.writes)
			rows[one.message] = &one
			return err
		}, `INSERT INTO annotation (message_id, chat_id, read_by, read_at, reacted) VALUES `+db.RowsOf(len(chunk), `(?,?,'',0,0)`)+`
			ON CONFLICT (message_id) DO UPDATE SET chat_id = annotation.chat_id RETURNING message_id, read_by, reacted,
			ext_seq, ext_cleared, ext_minute, ext_writes`, args...)
	})
	if err != nil {
		return nil, fmt.Errorf("hold annotations: %w", err)
	}
	standing, err := a.Chats.Standing(ctx, tx, messages)
	if err != nil {
		return nil, err
	}
	for id := range rows {
		if !standing[id] {
			delete(rows, id)
		}
	}
	return rows, nil
}

// lockOne is lock of one message; nil: it is recalled.
func (a *Annotations) lockOne(ctx context.Context, tx *db.Tx, m *chat.Message) (*row, error) {
	rows, err := a.lock(ctx, tx, m.Chat, []int64{m.ID})
	return rows[m.ID], err
}

// counter is a number of a chat that rises: a column of annotated_chat.
type counter string

const (
	readerCounter counter = "readers"
	pinCounter    counter = "pins"
)

// next raises a chat's counter, and holds it until the transaction ends.
func (c counter) next(tx *db.Tx, chat int64) (number int64, err error) {
	err = tx.Returning(func(scan db.Scanner) error { return scan(&number) }, c.raise(), chat)
	return number, err
}

func (c counter) raise() string {
	name := string(c)
	return `INSERT INTO annotated_chat (chat_id, ` + name + `) VALUES ($1, 1) ON CONFLICT (chat_id) DO UPDATE SET ` +
		name + ` = annotated_chat.` + name + ` + 1 RETURNING ` + name
}

func idsOf(messages []*chat.Message) []int64 {
	ids := make([]int64, len(messages))
	for i, m := range messages {
		ids[i] = m.ID
	}
	return ids
}

// Recalled takes away what is attached to messages of a chat, by their ids, in the transaction that recalls them, and gives the
// ids of those that were pinned.
func (a *Annotations) Recalled(ctx context.Context, tx *db.Tx, chat int64, messages []int64) (unpinned []int64, err error) {
	if _, err := a.lock(ctx, tx, chat, messages); err != nil {
		return nil, err
	}
	err = tx.Returning(func(scan db.Scanner) error {
		id, err := db.Number(scan)
		unpinned = append(unpinned, id)
		return err
	}, `DELETE FROM pin WHERE chat_id = $1 AND message_id IN ($2...) RETURNING message_id`, chat, db.Ints(messages))
	if err != nil {
		return nil, fmt.Errorf("remove pins: %w", err)
	}
	return unpinned, removeOf(tx, messages)
}
