// Package chat is the timeline of every kind of chat: chats with their sequences, messages in their order, history,
// edits, recalls, and conversations with what each account has read and not yet read.
//
// It writes the tables chat, message and conversation, and nobody else does. It knows no wire shapes, no webhooks and no
// pushes, and of the kinds of chats only what differs in the timeline itself (kind.go). The rooms above decide whether
// an account may send, and whom an event is for.
package chat

import (
	"context"
	"fmt"
	"sync"

	"github.com/magpie-im/magpie/internal/db"
)

// Chats is the room's state: the store, and the chats and client message keys that it remembers.
type Chats struct {
	db    *db.DB
	ids   idCache
	known knownKeys
}

// New makes the room.
func New(d *db.DB) *Chats {
	return &Chats{db: d, ids: idCache{held: map[Name]knownChat{}}}
}

// Find returns the id of a chat; 0 when the chat never had a message.
func (c *Chats) Find(ctx context.Context, name Name) (int64, error) {
	if held, ok := c.ids.get(name); ok {
		return held.id, nil
	}
	found := map[Name]int64{name: 0}
	if err := selectChats(ctx, c.db, found); err != nil {
		return 0, fmt.Errorf("find chat: %w", err)
	}
	if found[name] != 0 {
		c.ids.put(name, knownChat{id: found[name]})
	}
	return found[name], nil
}

// selectChats fills in the ids of those chats that exist.
func selectChats(ctx context.Context, from db.Source, into map[Name]int64) error {
	names := make([]Name, 0, len(into))
	for n := range into {
		names = append(names, n)
	}
	const width = 2
	return db.KeyChunks(from, width, names, func(chunk []Name) error {
		args := make([]any, 0, width*len(chunk))
		for _, n := range chunk {
			args = append(args, n.Low, n.High)
		}
		return db.Each(ctx, from, func(row db.Scanner) error {
			var (
				n  Name
				id int64
			)
			err := row(&id, &n.Kind, &n.Low, &n.High)
			into[n] = id
			return err
		}, `SELECT id, kind, low_id, high_id FROM chat WHERE (low_id, high_id) IN (VALUES `+
			db.Rows(len(chunk), width, true)+`)`, args...)
	})
}

// knownChat is the part of a chat that never changes again once it is committed: its id, and which of its sides have
// conversations. So it is forgotten only to make room.
type knownChat struct {
	id   int64
	open sideSet
}

// sideSet is a set of sides.
type sideSet uint8

func (s sideSet) has(all sideSet) bool { return s&all == all }

func setOf(one side) sideSet { return 1 << one }

// idCache remembers chats, by their names.
type idCache struct {
	mutex sync.RWMutex
	held  map[Name]knownChat
}

// idsHeld bounds the chats that are remembered. For any other chat, the next message reads the id and begins the
// conversations again, which changes nothing.
const idsHeld = 1 << 18

func (c *idCache) get(of Name) (knownChat, bool) {
	c.mutex.RLock()
	defer c.mutex.RUnlock()
	one, ok := c.held[of]
	return one, ok
}

// put is called for committed chats only.
func (c *idCache) put(of Name, one knownChat) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if held, ok := c.held[of]; ok {
		one.open |= held.open
		c.held[of] = one
		return
	}
	if len(c.held) >= idsHeld {
		for other := range c.held {
			delete(c.held, other)
			break
		}
	}
	c.held[of] = one
}
