package chat

import (
	"cmp"
	"context"
	"slices"

	"github.com/magpie-im/magpie/internal/db"
)

// dropDuplicates marks the drafts that are stored already, or twice among themselves, and returns the others.
// Clients repeat a send after a reconnect, and back ends after a time-out; no repeat may make a second message.
func (c *Chats) dropDuplicates(ctx context.Context, tx *db.Tx, drafts []*Draft) ([]*Draft, error) {
	repeated, err := c.selectRepeated(ctx, tx, drafts)
	if err != nil {
		return nil, err
	}
	fresh := make([]*Draft, 0, len(drafts))
	first := make(map[draftKey]*Draft, len(drafts))
	ways := 1
	if slices.ContainsFunc(drafts, func(d *Draft) bool { return d.EitherSide }) {
		ways = 2
	}
	var newChats map[Name]int64
	for _, d := range drafts {
		if d.chat == 0 { // no message of it can be stored; a new id keeps two new chats' keys apart
			if newChats == nil {
				newChats = map[Name]int64{}
			}
			if newChats[d.Chat] == 0 {
				newChats[d.Chat] = tx.NextID()
			}
			d.chat = newChats[d.Chat]
		}
		original := cmp.Or(first[d.key()], repeated[d.key()])
		if before, has := d.keyBefore(); original == nil && has {
			original = cmp.Or(first[before], repeated[before])
		}
		if original != nil {
			d.Duplicate, d.first = true, original
			continue
		}
		keys := d.keys()
		for _, k := range keys[:ways] {
			first[k] = d
		}
		fresh = append(fresh, d)
	}
	return fresh, nil
}

// selectRepeated reads the messages that drafts may repeat. Repeats are rare, so it looks only for messages that this
// node has stored lately, and for imports, which may come again at any time. Where other nodes write too, a unique index
// refuses any other repetition, and the write that runs again looks for all of them. Where this node writes alone, it
// knows every message of the last minutes, and there is no such index.
func (c *Chats) selectRepeated(ctx context.Context, tx *db.Tx, drafts []*Draft) (map[draftKey]*Draft, error) {
	if c.db.SoleWriter() {
		if err := c.known.catchUp(ctx, tx); err != nil {
			return nil, err
		}
	}
	repeated := map[draftKey]*Draft{}
	if err := selectKnown(ctx, tx, c.known.find(drafts), repeated); err != nil {
		return nil, err
	}
	if err := c.selectImported(ctx, tx, drafts, repeated); err != nil {
		return nil, err
	}
	if tx.LookFirst() && !c.db.SoleWriter() {
		return repeated, selectKeyed(ctx, tx, drafts, repeated)
	}
	return repeated, nil
}

// selectKnown reads the messages of the ids. One may be missing whose transaction failed, or have another key that looks
// alike.
func selectKnown(ctx context.Context, tx *db.Tx, ids []int64, into map[draftKey]*Draft) error {
	if len(ids) == 0 {
		return nil
	}
	return db.Each(ctx, tx, adding(into), `SELECT key_time, `+messageColumns+` FROM message WHERE id IN ($1...)`, db.Ints(ids))
}

// selectImported looks for imports where their second stands.
func (c *Chats) selectImported(ctx context.Context, tx *db.Tx, drafts []*Draft, into map[draftKey]*Draft) error {
	for _, d := range drafts {
		if !d.EitherSide || d.chat == 0 || into[d.key()] != nil {
			continue
		}
		err := db.Each(ctx, tx, func(row db.Scanner) error {
			found, err := scanMessage(row)
			into[d.key()] = &Draft{Message: found}
			return err
		}, selectByKey, d.chat, d.keyTime, d.Seq, d.Random, d.keyTime, 0, 0)
		if err != nil {
			return err
		}
	}
	return nil
}

// selectKeyed looks for all drafts by the index of keys, which only a store has that several nodes write.
func selectKeyed(ctx context.Context, tx *db.Tx, drafts []*Draft, into map[draftKey]*Draft) error {
	var old []draftKey
	for _, d := range drafts {
		if d.chat == 0 {
			continue
		}
		old = append(old, d.key())
		if before, has := d.keyBefore(); has {
			old = append(old, before)
		}
	}
	const width = 4
	return db.KeyChunks(tx, width, old, func(chunk []draftKey) error {
		args := make([]any, 0, width*len(chunk))
		for _, k := range chunk {
			args = append(args, k.chat, k.seq, k.random, k.time)
		}
		return db.Each(ctx, tx, adding(into), `SELECT key_time, `+messageColumns+` FROM message
			WHERE (chat_id, msg_seq, msg_random, key_time) IN (VALUES `+db.Rows(len(chunk), width, true)+`)`, args...)
	})
}

// adding adds each message that is read, by its keys, as the draft that it once was as far as its keys need it.
func adding(repeated map[draftKey]*Draft) func(db.Scanner) error {
	return func(row db.Scanner) error {
		d := &Draft{}
		m, err := scanMessage(func(parameters ...any) error { return row(append([]any{&d.keyTime}, parameters...)...) })
		d.Message, d.chat, d.From, d.Seq, d.Random = m, m.Chat, m.From, m.Seq, m.Random
		for _, k := range d.keys() {
			repeated[k] = d
		}
		return err
	}
}
