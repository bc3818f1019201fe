package chat

import (
	"context"
	"hash/maphash"
	"sync/atomic"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// dropDuplicates marks the drafts that are stored already, or twice among themselves, and returns the others.
// Clients send a request again after a reconnect, and back ends after a time-out; neither may make a second message.
func (c *Chats) dropDuplicates(ctx context.Context, tx *db.Tx, drafts []*Draft) ([]*Draft, error) {
	stored, err := c.selectStored(ctx, tx, drafts)
	if err != nil {
		return nil, err
	}
	fresh := make([]*Draft, 0, len(drafts))
	first := map[draftKey]*Draft{}
	newChats := map[Name]int64{}
	for _, d := range drafts {
		if d.chat == 0 { // no message of it can be stored; a new id keeps two new chats' keys apart
			if newChats[d.Chat] == 0 {
				newChats[d.Chat] = tx.NextID()
			}
			d.chat = newChats[d.Chat]
		}
		original := first[d.key()]
		if original == nil {
			original = stored[d.key()]
		}
		if original != nil {
			d.Duplicate, d.first = true, original
			continue
		}
		for _, k := range d.keys() {
			first[k] = d
		}
		fresh = append(fresh, d)
	}
	return fresh, nil
}

// selectStored reads the stored messages that drafts may repeat. Repetitions are rare, so it looks only for those that
// this node has met lately; of any other the unique index refuses the repetition, and the write that runs again looks for
// all of them.
func (c *Chats) selectStored(ctx context.Context, tx *db.Tx, drafts []*Draft) (map[draftKey]*Draft, error) {
	stored := map[draftKey]*Draft{}
	suspects := make([]*Draft, 0, len(drafts))
	for _, d := range drafts {
		if met := c.known.meet(d); d.chat != 0 && (met || tx.LookFirst() || d.EitherSide) {
			suspects = append(suspects, d)
		}
	}
	const width = 4
	err := db.KeyChunks(tx, width, suspects, func(chunk []*Draft) error {
		args := make([]any, 0, width*len(chunk))
		for _, d := range chunk {
			args = append(args, d.chat, d.Seq, d.Random, d.keyTime)
		}
		return db.Each(ctx, tx, func(row db.Scanner) error {
			d, err := scanStored(row)
			for _, k := range d.keys() {
				stored[k] = d
			}
			return err
		}, `SELECT key_time, `+messageColumns+` FROM message
			WHERE (chat_id, msg_seq, msg_random, key_time) IN (VALUES `+db.Rows(len(chunk), width, true)+`)`, args...)
	})
	return stored, err
}

// scanStored reads a message as the draft that it once was, as far as its key needs it.
func scanStored(row db.Scanner) (*Draft, error) {
	d := &Draft{}
	m, err := scanMessage(func(places ...any) error { return row(append([]any{&d.keyTime}, places...)...) })
	d.Message, d.chat, d.From, d.Seq, d.Random = m, m.Chat, m.From, m.Seq, m.Random
	return d, err
}

// knownKeys remembers, not surely, which drafts were met lately, so that a client that repeats a message makes the
// transaction look for it instead of fail. Each draft has one slot of the table, and the latest holder has it alone: one
// that was pushed out costs a failed attempt, and two that look alike cost a look into the store.
type knownKeys struct{ slots [knownSlots]atomic.Uint64 }

const knownSlots = 1 << 15

// seed is the same for all stores of a process, which changes nothing but who shares a slot.
var seed = maphash.MakeSeed()

// meet notes the draft and reports whether it was noted before, in an earlier run or from another sender of the request.
func (k *knownKeys) meet(d *Draft) bool {
	sum := maphash.Comparable(seed, knownKey{d.Chat, d.From, d.Seq, d.Random, d.KeyTime})
	return k.slots[sum%knownSlots].Swap(sum) == sum
}

type knownKey struct {
	chat              Name
	from              im.AccountID
	seq, random, time int64
}
