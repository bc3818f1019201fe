package chat

import (
	"context"
	"fmt"
	"slices"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// A call that names many messages looks for them where they stand by their seconds, and then once for those that stand behind
// their second.
const (
	selectByKeys = `SELECT ` + messageColumns + ` FROM message WHERE chat_id = $1 AND ord IN ($2...) AND msg_random IN ($3...)
		ORDER BY ord, sequence LIMIT $4`
	selectLateByKeys = `SELECT ` + messageColumns + ` FROM (SELECT * FROM message WHERE chat_id = $1 AND ord > $2
		ORDER BY ord, sequence LIMIT 1000) AS behind WHERE sent_at IN ($3...) AND msg_random IN ($4...) ORDER BY sequence LIMIT $5`
)

// ByKeys is ByKey of many messages, in two statements at most. A sender of 0 takes the first message of each key. The map lacks
// keys that no message has.
func (c *Chats) ByKeys(ctx context.Context, from db.Source, chat int64, sender im.AccountID, keys []Key) (map[Key]*Message, error) {
	found := make(map[Key]*Message, len(keys))
	times, randoms, most := make([]int64, len(keys)), make([]int64, len(keys)), mostTwins*len(keys)
	for i, k := range keys {
		times[i], randoms[i] = k.Time, k.Random
	}
	for _, step := range []func() ([]Message, error){
		func() ([]Message, error) {
			return messages(ctx, from, selectByKeys, chat, db.Ints(times), db.Ints(randoms), most)
		},
		func() ([]Message, error) {
			return messages(ctx, from, selectLateByKeys, chat, slices.Min(times), db.Ints(times), db.Ints(randoms), most)
		},
	} {
		if len(found) == len(keys) {
			break
		}
		rows, err := step()
		if err != nil {
			return nil, fmt.Errorf("find messages: %w", err)
		}
		for i := range rows {
			m := &rows[i]
			if k := m.Key(); found[k] == nil && slices.Contains(keys, k) && (sender == 0 || m.From == sender) {
				found[k] = m
			}
		}
	}
	return found, nil
}

// IDs gives the ids of the messages at sequences of a chat that is sorted by them.
func (c *Chats) IDs(ctx context.Context, from db.Source, chat int64, sequences []int64) ([]int64, error) {
	ids, err := db.All(ctx, from, db.Number, `SELECT id FROM message WHERE chat_id = $1 AND ord = 0 AND sequence IN ($2...)`,
		chat, db.Ints(sequences))
	if err != nil {
		return nil, fmt.Errorf("find messages: %w", err)
	}
	return ids, nil
}

// Standing tells which of the messages, by their ids, are there and not recalled.
func (c *Chats) Standing(ctx context.Context, from db.Source, ids []int64) (map[int64]bool, error) {
	standing := make(map[int64]bool, len(ids))
	err := db.Each(ctx, from, func(row db.Scanner) error {
		var id int64
		err := row(&id)
		standing[id] = true
		return err
	}, `SELECT id FROM message WHERE id IN ($1...) AND (flags & $2) = 0`, db.Ints(ids), int64(Recalled))
	if err != nil {
		return nil, fmt.Errorf("look whether messages stand: %w", err)
	}
	return standing, nil
}

// SeenBy reports whether an account, for which the chat is cleared up to a sequence, sees a message of a chat of two.
func (m *Message) SeenBy(who im.AccountID, cleared int64) bool {
	switch {
	case m.Sequence <= cleared:
		return false
	case m.From == who && m.Hidden&FromSender == 0: // of an account's chat with itself one side is enough
		return true
	}
	return m.From != who && m.Hidden&FromPeer == 0
}

// Changed marks a chat as changed for one account, so that a device of it that is away finds what happened when it comes back.
func (c *Chats) Changed(tx *db.Tx, chat int64, owner im.AccountID) error {
	return touchConversation(tx, owner, chat)
}

// OfApp lists chats of an application in the order of their ids, beginning at one.
func (c *Chats) OfApp(ctx context.Context, from db.Source, of im.AppID, first, most int64) ([]int64, error) {
	ids, err := db.All(ctx, from, db.Number, `SELECT id FROM chat WHERE app_id = $1 AND id >= $2 ORDER BY id LIMIT $3`, int64(of), first, most)
	if err != nil {
		return nil, fmt.Errorf("list chats: %w", err)
	}
	return ids, nil
}
