package bus

import (
	"context"
	"sync"
	"sync/atomic"
)

// memoryShards is a power of two; shard takes the top five bits of a hash.
const memoryShards = 32

// Memory is the bus of a service that has one node. Publish calls the handler before it returns: there is no queue and
// no goroutine, so no message is ever dropped and the order is the publisher's. A handler that publishes recurses on the
// publisher's stack; a handler that publishes to its own subject must know when to stop.
type Memory struct {
	closed atomic.Bool
	shards [memoryShards]memoryShard
}

// memoryShard fills one cache line, so that publishers to different shards do not slow each other down.
type memoryShard struct {
	mu        sync.RWMutex
	handlers  map[Subject]Handler
	published atomic.Uint64
	received  atomic.Uint64
	_         [16]byte
}

var _ Bus = (*Memory)(nil)

// NewMemory makes a bus without subscriptions. Two of them do not hear each other: components that are to talk share one.
func NewMemory() *Memory {
	m := new(Memory)
	for i := range m.shards {
		m.shards[i].handlers = make(map[Subject]Handler)
	}
	return m
}

// shard spreads consecutive ids by Fibonacci hashing.
func (m *Memory) shard(s Subject) *memoryShard {
	return &m.shards[(uint64(s.ID)^uint64(s.Kind)<<32)*0x9E3779B97F4A7C15>>59]
}

// Publish implements [Bus]. It returns when the handler has.
func (m *Memory) Publish(s Subject, data []byte) error {
	if err := checkMessage(s, data); err != nil {
		return err
	}
	if m.closed.Load() {
		return ErrClosed
	}
	shard := m.shard(s)
	shard.published.Add(1)
	shard.mu.RLock()
	h := shard.handlers[s]
	shard.mu.RUnlock()
	if h == nil {
		return nil
	}
	shard.received.Add(1)
	h.Receive(s, data) // outside the lock, so that it may subscribe and unsubscribe
	return nil
}

// Subscribe implements [Bus].
func (m *Memory) Subscribe(s Subject, h Handler) error {
	if err := s.check(); err != nil {
		return err
	}
	shard := m.shard(s)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	if m.closed.Load() { // read under the lock that Close takes after setting it
		return ErrClosed
	}
	if shard.handlers[s] != nil {
		return ErrSubscribed
	}
	shard.handlers[s] = h
	return nil
}

// Unsubscribe implements [Bus].
func (m *Memory) Unsubscribe(s Subject) error {
	if err := s.check(); err != nil {
		return err
	}
	if m.closed.Load() {
		return ErrClosed
	}
	shard := m.shard(s)
	shard.mu.Lock()
	delete(shard.handlers, s)
	shard.mu.Unlock()
	return nil
}

// Flush implements [Bus]; there is nothing to wait for.
func (m *Memory) Flush(context.Context) error {
	if m.closed.Load() {
		return ErrClosed
	}
	return nil
}

// Close implements [Bus].
func (m *Memory) Close() error {
	m.closed.Store(true)
	for i := range m.shards {
		shard := &m.shards[i]
		shard.mu.Lock()
		clear(shard.handlers)
		shard.mu.Unlock()
	}
	return nil
}

// OnGap is here so that both buses can be set up alike; f is never called, as no message is lost.
func (m *Memory) OnGap(func()) {}

// Connected is always true: there are no other nodes.
func (m *Memory) Connected() bool { return true }

// Stats adds up the shards; while messages are under way the numbers may be of slightly different moments.
func (m *Memory) Stats() Stats {
	var sum Stats
	for i := range m.shards {
		sum.Published += m.shards[i].published.Load()
		sum.Received += m.shards[i].received.Load()
	}
	return sum
}
