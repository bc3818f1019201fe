package group

import (
	"encoding/binary"
	"sync"
	"time"

	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// cacheFor bounds how long a node may go on believing a group that another node changed, if the bus lost the news.
const cacheFor = 30 * time.Second

// cacheMost bounds the cache: when it is full it forgets at random.
const cacheMost = 1 << 15

// cache keeps recently used groups, because every message asks for one.
type cache struct {
	now     func() time.Time
	mutex   sync.RWMutex
	held    map[cacheKey]cached
	changes int64 // how often a group was dropped
}

type cacheKey struct {
	app     im.AppID
	groupID string
}

type cached struct {
	group *Group
	until time.Time
}

func newCache(now func() time.Time) *cache { return &cache{now: now, held: map[cacheKey]cached{}} }

func (c *cache) get(key cacheKey) *Group {
	c.mutex.RLock()
	defer c.mutex.RUnlock()
	found, ok := c.held[key]
	if !ok || !c.now().Before(found.until) {
		return nil
	}
	return found.group
}

// begin is the start of a read whose result is put: a change that comes meanwhile keeps it out.
func (c *cache) begin() int64 {
	c.mutex.RLock()
	defer c.mutex.RUnlock()
	return c.changes
}

func (c *cache) put(of *Group, since int64) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.changes != since {
		return
	}
	if len(c.held) >= cacheMost {
		for other := range c.held {
			delete(c.held, other)
			break
		}
	}
	c.held[cacheKey{of.App, of.GroupID}] = cached{of, c.now().Add(cacheFor)}
}

func (c *cache) drop(key cacheKey) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.changes++
	delete(c.held, key)
}

// changedSubject is where nodes tell each other to forget a group.
func changedSubject() bus.Subject { return bus.Subject{Kind: bus.KindChangedGroup} }

const appBytes = 4

// Receive forgets the group that another node, or this one, has changed. The message is the four bytes of the application's
// number and the group's name.
func (c *cache) Receive(_ bus.Subject, message []byte) {
	if len(message) < appBytes {
		return
	}
	c.drop(cacheKey{im.AppID(binary.BigEndian.Uint32(message)), string(message[appBytes:])})
}

// changed makes every node forget what it holds of the group.
func (g *Groups) changed(of *Group) {
	g.cache.drop(cacheKey{of.App, of.GroupID})
	message := binary.BigEndian.AppendUint32(make([]byte, 0, appBytes+len(of.GroupID)), uint32(of.App))
	if err := g.bus.Publish(changedSubject(), append(message, of.GroupID...)); err != nil {
		g.log.Warn("tell nodes of a changed group", telemetry.FieldError, err)
	}
}

func (g *Groups) now() time.Time { return g.db.Now() }
