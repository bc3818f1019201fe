// Package chat is the timeline that every kind of conversation stands on: chats with their sequences, messages in their
// order, history, edits, recalls, and what each account has read and not yet read.
//
// It writes the tables chat, message and conversation, and nobody else does. It knows no wire shapes, no webhooks and no
// pushes, and of the kinds of chats only what differs in the timeline itself (kind.go). Whether somebody may send, and
// who is told, is decided by the rooms above.
package chat

import (
	"context"
	"fmt"
	"sync"

	"github.com/magpie-im/magpie/internal/db"
)

// Chats is the room's state: the store, and what it remembers of chats and of client message keys.
type Chats struct {
	db    *db.DB
	ids   idCache
	known knownKeys
}

// New makes the room.
func New(d *db.DB) *Chats {
	return &Chats{db: d, ids: idCache{held: map[Name]int64{}}}
}

// Find returns the id of a chat; 0 when nothing was ever written in it.
func (c *Chats) Find(ctx context.Context, name Name) (int64, error) {
	if id, ok := c.ids.get(name); ok {
		return id, nil
	}
	found := map[Name]int64{name: 0}
	if err := selectChats(ctx, c.db, found); err != nil {
		return 0, fmt.Errorf("find chat: %w", err)
	}
	if found[name] != 0 {
		c.ids.put(name, found[name])
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

// idCache remembers the ids of chats. A chat's id never changes and a chat is never removed, so nothing has to be
// forgotten but for room.
type idCache struct {
	mutex sync.RWMutex
	held  map[Name]int64
}

const idsHeld = 1 << 16

func (c *idCache) get(of Name) (int64, bool) {
	c.mutex.RLock()
	defer c.mutex.RUnlock()
	id, ok := c.held[of]
	return id, ok
}

// put is called for committed chats only.
func (c *idCache) put(of Name, id int64) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if _, ok := c.held[of]; ok {
		return
	}
	if len(c.held) >= idsHeld {
		for other := range c.held {
			delete(c.held, other)
			break
		}
	}
	c.held[of] = id
}
