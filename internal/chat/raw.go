package chat

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/db"
)

// Raw is this room's way into the store by itself: no doors, accounts, checks or pushes. Load runs measure the rest of the
// server against it, fill stores with it, and look through it at what a crash left behind. Nothing that serves uses it.
type Raw struct {
	chats *Chats
	batch *db.Batch[Draft]
}

// NewRaw makes the path over an open store.
func NewRaw(d *db.DB) *Raw {
	chats := New(d)
	return &Raw{chats, db.NewBatch(d, chats.Append)}
}

// Append stores one message by the group commit and returns when it is on disk, as a client's send does.
func (r *Raw) Append(ctx context.Context, d *Draft) error {
	if err := r.batch.Write(ctx, d); err != nil {
		return fmt.Errorf("append message: %w", err)
	}
	return nil
}

// AppendAll stores many messages in one transaction, in their order.
func (r *Raw) AppendAll(ctx context.Context, drafts []*Draft) error {
	if err := r.chats.db.Write(ctx, func(tx *db.Tx) error { return r.chats.Append(tx, drafts) }); err != nil {
		return fmt.Errorf("append messages: %w", err)
	}
	return nil
}

// RawChat is a chat's counter of messages.
type RawChat struct{ ID, LastSequence int64 }

// Chats lists every chat of the store, of all applications.
func (r *Raw) Chats(ctx context.Context) ([]RawChat, error) {
	return db.All(ctx, r.chats.db, func(row db.Scanner) (RawChat, error) {
		var c RawChat
		err := row(&c.ID, &c.LastSequence)
		return c, err
	}, `SELECT id, last_sequence FROM chat ORDER BY id`)
}

// Sequences lists the sequences of a chat's messages in the order of its history.
func (r *Raw) Sequences(ctx context.Context, chat int64) ([]int64, error) {
	return db.All(ctx, r.chats.db, db.Number,
		`SELECT sequence FROM message WHERE chat_id = $1 ORDER BY ord, sequence`, chat)
}
