package chat

import (
	"context"
	"fmt"
	"hash/maphash"
	"math"
	"sync"
	"time"

	"github.com/magpie-im/magpie/internal/db"
)

// How long a repeat is recognised, where this node writes alone: for keysKept at least, unless more than
// keysHeld messages come in that time, of which the latter half is known in any case.
const (
	keysKept = 5 * time.Minute
	keysHeld = 1 << 20
)

// knownKeys are the keys of the messages that this node has stored lately, with their ids. They are kept in two
// generations: when the younger one is full or old enough, the older one goes.
type knownKeys struct {
	mutex   sync.Mutex
	younger map[uint64]int64
	older   map[uint64]int64
	begun   time.Time // when the younger generation began; how long ago that is does not change when the clock is set

	loaded bool  // the messages from before this node began are known
	upTo   int64 // those of its own too up to this id
	sure   bool  // and all later ones
}

// seed is the same for all stores of a process.
var seed = maphash.MakeSeed()

// sum is a key's number in the table. Two keys may have the same, so what is found is compared.
func (k draftKey) sum() uint64 { return maphash.Comparable(seed, k) }

// find gives the ids of the messages that the drafts may repeat.
func (k *knownKeys) find(drafts []*Draft) []int64 {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	var ids []int64
	for _, d := range drafts {
		if d.chat == 0 {
			continue
		}
		ids = k.look(ids, d.exactKey())
		if before, has := d.keyBefore(); has {
			ids = k.look(ids, before)
		}
		if !d.EitherSide {
			continue
		}
		for _, p := range d.Chat.parties() {
			if p.owner != d.From {
				other := d.exactKey()
				other.from = p.owner
				ids = k.look(ids, other)
			}
		}
	}
	return ids
}

// look adds the id of the message that may have the key.
func (k *knownKeys) look(ids []int64, of draftKey) []int64 {
	if id, ok := k.get(of.sum()); ok {
		return append(ids, id)
	}
	return ids
}

func (k *knownKeys) get(sum uint64) (int64, bool) {
	if id, ok := k.younger[sum]; ok {
		return id, true
	}
	id, ok := k.older[sum]
	return id, ok
}

// add is told of messages that are on disk.
func (k *knownKeys) add(drafts []*Draft, now time.Time) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	k.sure = true
	for _, d := range drafts {
		k.put(d.exactKey().sum(), d.Message.ID, now)
		k.upTo = max(k.upTo, d.Message.ID)
	}
}

func (k *knownKeys) put(sum uint64, id int64, now time.Time) {
	old := now.Sub(k.begun) >= keysKept
	if k.younger == nil || old || len(k.younger) >= keysHeld/2 {
		k.older, k.younger, k.begun = k.younger, map[uint64]int64{}, now
	}
	k.younger[sum] = id
}

// catchUp reads the keys of messages that are stored and not known: at first those of the last minutes, and later those of
// transactions whose end add was not told of. One of these may be the transaction that runs.
func (k *knownKeys) catchUp(ctx context.Context, tx *db.Tx) error {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	if k.sure {
		k.sure = false
		return nil
	}
	next := tx.NextID()
	after, before := k.upTo, next
	if !k.loaded {
		var err error
		if after, err = beginning(ctx, tx); err != nil {
			return err
		}
		before = math.MaxInt64
	}
	err := k.load(ctx, tx, after, before)
	if err == nil {
		k.loaded, k.upTo = true, next
	}
	return err
}

// beginning is the id behind which the messages of the last minutes stand, by the clock of now and by that of the newest one:
// the clock may have been set since.
func beginning(ctx context.Context, tx *db.Tx) (int64, error) {
	newest, err := db.One(ctx, tx, db.Number, `SELECT COALESCE(MAX(id), 0) FROM message`)
	if err != nil {
		return 0, fmt.Errorf("find the newest message: %w", err)
	}
	since := tx.Now()
	if at := db.IDTime(newest); at.Before(since) {
		since = at
	}
	return db.IDFloor(since.Add(-keysKept)), nil
}

// load reads the keys of the newest messages between two ids.
func (k *knownKeys) load(ctx context.Context, tx *db.Tx, after, before int64) error {
	now, put := tx.Now(), k.putOlder
	if k.loaded { // a message that a failed transaction had stored under the same key does not exist any more
		put = k.put
	}
	err := db.Each(ctx, tx, func(row db.Scanner) error {
		var (
			id  int64
			key draftKey
		)
		err := row(&id, &key.chat, &key.from, &key.seq, &key.random, &key.time)
		put(key.sum(), id, now)
		return err
	}, `SELECT id, chat_id, from_id, msg_seq, msg_random, key_time FROM message
		WHERE id > $1 AND id < $2 ORDER BY id DESC LIMIT $3`, after, before, keysHeld)
	if err != nil {
		return fmt.Errorf("read the keys of the newest messages: %w", err)
	}
	return nil
}

// putOlder adds a message that is older than those that were added before.
func (k *knownKeys) putOlder(sum uint64, id int64, now time.Time) {
	if _, ok := k.get(sum); ok {
		return
	}
	switch {
	case len(k.younger) < keysHeld/2:
		k.put(sum, id, now)
	case k.older == nil:
		k.older = map[uint64]int64{sum: id}
	default:
		k.older[sum] = id
	}
}

// LoadKnown reads which messages were stored lately, so that the first one that is sent need not wait for it.
func (c *Chats) LoadKnown(ctx context.Context) error {
	if !c.db.SoleWriter() {
		return nil
	}
	return c.db.Write(ctx, func(tx *db.Tx) error { return c.known.catchUp(ctx, tx) })
}
