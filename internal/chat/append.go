package chat

import (
	"context"
	"fmt"
	"time"

	"github.com/magpie-im/magpie/internal/db"
)

// Append writes drafts together: messages, and the rows of their chats, which hold all that a message changes in
// conversations. The number of statements does not depend on the number of drafts but in steps of many rows. Rows are
// locked in one order, so that two nodes that write the same chats wait for each other instead of failing.
//
// It may run more than once for a draft, as db.Batch says. A repeat is marked Duplicate and costs the other drafts
// nothing; all other drafts are added by the transaction.
func (c *Chats) Append(tx *db.Tx, drafts []*Draft) error {
	ctx := context.Background()
	for _, d := range drafts {
		d.chat, d.old, d.open, d.Duplicate, d.first, d.keyTime = 0, false, 0, false, nil, d.KeyTime
		if d.keyTime == 0 {
			d.keyTime = tx.Now().Unix()
		}
	}
	if err := c.findChats(ctx, tx, drafts); err != nil {
		return fmt.Errorf("find chats: %w", err)
	}
	fresh, err := c.dropDuplicates(ctx, tx, drafts)
	if err != nil {
		return fmt.Errorf("look for duplicates: %w", err)
	}
	if err := growChats(tx, fresh); err != nil {
		return fmt.Errorf("allocate sequences: %w", err)
	}
	if err := insertMessages(tx, fresh); err != nil {
		return fmt.Errorf("insert messages: %w", err)
	}
	if err := beginConversations(tx, fresh); err != nil {
		return fmt.Errorf("begin conversations: %w", err)
	}
	for _, d := range drafts {
		if d.Duplicate {
			d.Message = d.first.Message
		}
	}
	tx.OnCommit(func() { c.remember(fresh, tx.Now()) })
	return nil
}

// remember keeps the ids of chats and messages that are on disk, so that the next drafts need not read them.
func (c *Chats) remember(fresh []*Draft, now time.Time) {
	for _, d := range fresh {
		if held, ok := c.ids.get(d.Chat); !ok || !held.open.has(d.opened()) {
			c.ids.put(d.Chat, knownChat{d.Message.Chat, d.opened()})
		}
	}
	c.known.add(fresh, now)
}

// findChats sets the chat of every draft whose chat exists.
func (c *Chats) findChats(ctx context.Context, tx *db.Tx, drafts []*Draft) error {
	unknown := map[Name]int64{}
	for _, d := range drafts {
		if held, ok := c.ids.get(d.Chat); ok {
			d.chat, d.old, d.open = held.id, true, held.open
		} else {
			unknown[d.Chat] = 0
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	if err := selectChats(ctx, tx, unknown); err != nil {
		return err
	}
	for _, d := range drafts {
		if d.chat == 0 {
			d.chat = unknown[d.Chat]
			d.old = d.chat != 0
		}
	}
	return nil
}

func insertMessages(tx *db.Tx, fresh []*Draft) error {
	const parameters = 19
	now := tx.Now().Unix()
	return db.Chunks(tx, parameters, fresh, func(chunk []*Draft) error {
		args := make([]any, 0, parameters*len(chunk))
		for _, d := range chunk {
			m := &d.Message
			args = append(args, m.ID, m.Chat, m.Order, m.Sequence, m.Time, int64(m.From), m.Seq, m.Random, d.keyTime, m.ClientTime,
				int64(m.Flags), int64(m.Hidden), now+d.Lifetime, string(m.Body), m.CloudData, m.Nick, m.FaceURL,
				m.Readers.text(), m.Mentions)
		}
		_, err := tx.Exec(`INSERT INTO message (id, chat_id, ord, sequence, sent_at, from_id, msg_seq, msg_random, key_time,
			client_time, flags, hidden, offline_until, body, cloud_data, nick, face_url, readers, mentions, changed_at, revoker, revoke_reason, version)
			VALUES `+db.RowsOf(len(chunk), "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,0,'','',0)"), args...)
		return err
	})
}
