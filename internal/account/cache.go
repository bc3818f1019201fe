package account

import (
	"hash/maphash"
	"sync"
	"time"

	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// cacheFor bounds how long a node may use an account as it was before another node changed it, if the bus lost the bus
// message about the change.
const cacheFor = 30 * time.Second

// cachePerShard bounds the cache: a full shard forgets at random.
const (
	cacheShards   = 32
	cachePerShard = 4096
)

// cache keeps recently used accounts, because every message asks for two.
type cache struct {
	now    func() time.Time
	seed   maphash.Seed
	shards [cacheShards]cacheShard
}

type cacheShard struct {
	mutex sync.RWMutex
	held  map[cacheKey]cached
}

type cacheKey struct {
	app    im.AppID
	userID string
}

type cached struct {
	account Account
	until   time.Time
}

func newCache(now func() time.Time) *cache {
	c := &cache{now: now, seed: maphash.MakeSeed()}
	for i := range c.shards {
		c.shards[i].held = map[cacheKey]cached{}
	}
	return c
}

func (c *cache) shard(k cacheKey) *cacheShard {
	return &c.shards[maphash.Comparable(c.seed, k)%cacheShards]
}

func (c *cache) get(app im.AppID, userID string) (Account, bool) {
	key := cacheKey{app, userID}
	s := c.shard(key)
	s.mutex.RLock()
	defer s.mutex.RUnlock()
	found, ok := s.held[key]
	return found.account, ok && c.now().Before(found.until)
}

func (c *cache) put(a Account) {
	key := cacheKey{a.App, a.UserID}
	s := c.shard(key)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if len(s.held) >= cachePerShard {
		for other := range s.held {
			delete(s.held, other)
			break
		}
	}
	s.held[key] = cached{a, c.now().Add(cacheFor)}
}

func (c *cache) drop(key cacheKey) {
	s := c.shard(key)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	delete(s.held, key)
}

// changedSubject is where nodes tell each other to forget an account.
func changedSubject() bus.Subject { return bus.Subject{Kind: bus.KindAccount} }

// Receive forgets the account that another node, or this one, has changed. The message is the four bytes of the
// application's number and the user id.
func (c *cache) Receive(_ bus.Subject, message []byte) {
	const appBytes = 4
	if len(message) < appBytes {
		return
	}
	app := im.AppID(message[0])<<24 | im.AppID(message[1])<<16 | im.AppID(message[2])<<8 | im.AppID(message[3])
	c.drop(cacheKey{app, string(message[appBytes:])})
}

// Changed makes every node drop the account from its cache.
func (a *Accounts) Changed(app im.AppID, userID string) {
	a.cache.drop(cacheKey{app, userID})
	message := []byte{byte(app >> 24), byte(app >> 16), byte(app >> 8), byte(app)}
	if err := a.bus.Publish(changedSubject(), append(message, userID...)); err != nil {
		a.log.Warn("tell nodes of a changed account", telemetry.FieldError, err)
	}
}
