package annotate

import (
	"context"
	"errors"
	"fmt"

	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// Read keeps that an account has read messages of one chat, and gives those that it had not before. Messages that asked for no
// receipt, were recalled, or are the account's own are passed over.
func (a *Annotations) Read(ctx context.Context, tx *db.Tx, by im.AccountID, messages []*chat.Message) (fresh []*chat.Message, err error) {
	asked := make([]*chat.Message, 0, len(messages))
	for _, m := range messages {
		if m.Flags.Has(chat.NeedReceipt) && m.From != by {
			asked = append(asked, m)
		}
	}
	if len(asked) == 0 {
		return nil, nil
	}
	number, err := a.reader(ctx, tx, asked[0].Chat, by)
	if err != nil {
		return nil, err
	}
	rows, err := a.lock(ctx, tx, asked[0].Chat, idsOf(asked))
	if err != nil {
		return nil, err
	}
	for _, m := range asked {
		if held := rows[m.ID]; held != nil && !held.readBy.has(number) {
			held.readBy = held.readBy.with(number)
			fresh = append(fresh, m)
		}
	}
	return fresh, putReceipts(tx, fresh, rows)
}

// putReceipts writes who has read messages.
func putReceipts(tx *db.Tx, messages []*chat.Message, rows map[int64]*row) error {
	const width = 4
	now := tx.Now().UnixMilli()
	err := db.Chunks(tx, width, messages, func(chunk []*chat.Message) error {
		args := make([]any, 0, width*len(chunk))
		for _, m := range chunk {
			args = append(args, m.ID, m.Chat, []byte(rows[m.ID].readBy), now)
		}
		_, err := tx.Exec(`INSERT INTO annotation (message_id, chat_id, read_by, read_at, reacted) VALUES `+db.RowsOf(len(chunk), `(?,?,?,?,0)`)+`
			ON CONFLICT (message_id) DO UPDATE SET read_by = excluded.read_by, read_at = excluded.read_at`, args...)
		return err
	})
	if err != nil {
		return fmt.Errorf("store receipts: %w", err)
	}
	return nil
}

const selectReader = `SELECT number FROM chat_reader WHERE chat_id = $1 AND account_id = $2`

// reader is the number of an account in the receipts of a chat; one that has none gets the next.
func (a *Annotations) reader(ctx context.Context, tx *db.Tx, chat int64, who im.AccountID) (int64, error) {
	number, err := db.One(ctx, tx, db.Number, selectReader, chat, int64(who))
	if !errors.Is(err, db.ErrNotFound) {
		return number, err
	}
	next, err := readerCounter.next(tx, chat)
	if err != nil {
		return 0, fmt.Errorf("number a reader: %w", err)
	}
	// Another device of the account may have had the counter before.
	if number, err = db.One(ctx, tx, db.Number, selectReader, chat, int64(who)); !errors.Is(err, db.ErrNotFound) {
		return number, err
	}
	_, err = tx.Exec(`INSERT INTO chat_reader (chat_id, account_id, number) VALUES ($1, $2, $3)`, chat, int64(who), next)
	return next, err
}

// ReadByAny tells which of the messages, by their ids, anybody has read.
func (a *Annotations) ReadByAny(ctx context.Context, from db.Source, messages []int64) (map[int64]bool, error) {
	read := map[int64]bool{}
	if len(messages) == 0 {
		return read, nil
	}
	err := db.Each(ctx, from, func(scan db.Scanner) error {
		var id int64
		err := scan(&id)
		read[id] = true
		return err
	}, `SELECT message_id FROM annotation WHERE message_id IN ($1...) AND read_at > 0`, db.Ints(messages))
	if err != nil {
		return nil, fmt.Errorf("read receipts: %w", err)
	}
	return read, nil
}

// ReadSince gives the ids of messages of chats that somebody has read since a unix millisecond, the latest first, most of them at
// most.
func (a *Annotations) ReadSince(ctx context.Context, from db.Source, chats []int64, since int64, most int) ([]int64, error) {
	ids, err := db.All(ctx, from, db.Number, `SELECT message_id FROM annotation WHERE chat_id IN ($1...) AND read_at >= $2 AND read_at > 0
		ORDER BY read_at DESC, message_id LIMIT $3`, db.Ints(chats), since, most)
	if err != nil {
		return nil, fmt.Errorf("read receipts: %w", err)
	}
	return ids, nil
}
