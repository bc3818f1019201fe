package message

import (
	"context"
	"sync"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/db"
)

// chatCache remembers the ids of chats. A chat's id never changes and a chat is never removed, so nothing has to be
// forgotten but for room.
type chatCache struct {
	mutex sync.RWMutex
	held  map[pair]int64
}

const chatsHeld = 1 << 16

func newChatCache() *chatCache { return &chatCache{held: map[pair]int64{}} }

func (c *chatCache) get(of pair) (int64, bool) {
	c.mutex.RLock()
	defer c.mutex.RUnlock()
	id, ok := c.held[of]
	return id, ok
}

// put is called for committed chats only.
func (c *chatCache) put(of pair, id int64) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if _, ok := c.held[of]; ok {
		return
	}
	if len(c.held) >= chatsHeld {
		for other := range c.held {
			delete(c.held, other)
			break
		}
	}
	c.held[of] = id
}

// chat finds the chat of two accounts; zero when they never wrote to each other.
func (m *Messages) chat(ctx context.Context, x, y account.Account) (int64, error) {
	of := pairOf(x.ID, y.ID)
	if id, ok := m.chats.get(of); ok {
		return id, nil
	}
	found := map[pair]int64{of: 0}
	if err := selectChats(ctx, m.db, found); err != nil {
		return 0, err
	}
	if found[of] != 0 {
		m.chats.put(of, found[of])
	}
	return found[of], nil
}

// conversation is one account's view of a chat.
type conversation struct {
	readTime int64
	cleared  int64
}

// views reads both accounts' views of a chat; a view that does not exist is zero.
func (m *Messages) views(ctx context.Context, from db.Source, chat int64, mine, theirs account.Account) (conversation, conversation, error) {
	var own, other conversation
	err := db.Each(ctx, from, func(row db.Scanner) error {
		var (
			owner int64
			c     conversation
		)
		if err := row(&owner, &c.readTime, &c.cleared); err != nil {
			return err
		}
		if owner == int64(mine.ID) {
			own = c
		} else {
			other = c
		}
		return nil
	}, `SELECT owner_id, read_time, cleared FROM conversation WHERE chat_id = $1 AND owner_id IN ($2, $3)`,
		chat, int64(mine.ID), int64(theirs.ID))
	return own, other, err
}
