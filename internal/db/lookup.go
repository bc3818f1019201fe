package db

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"
)

// Lookup makes reads of one kind together, as a Batch does writes: those that come while one is running are handed to the
// next in one call, so that the number of statements does not grow with the number of callers.
type Lookup[T any] struct {
	read func(ctx context.Context, items []*T) error
	turn chan struct{} // held by the read that is running

	mutex    sync.Mutex
	gathered *gathering[T] // what the next read takes; nil when nobody waits
}

// gathering is the items of one read. The first caller makes the read.
type gathering[T any] struct {
	items []*T
	done  chan struct{} // closed when err and the items are set
	err   error
}

const (
	// gatherMost bounds the items of one read.
	gatherMost = 256
	// gatherWithin bounds one read, because it does not end with any caller's context.
	gatherWithin = 15 * time.Second
)

// errUnread is what callers get whose read panicked.
var errUnread = errors.New("db: the read did not end")

// NewLookup declares a kind of read. read puts into each item what its caller needs to know, a refusal of just that item
// included; its error is that of all items it was given.
func NewLookup[T any](read func(ctx context.Context, items []*T) error) *Lookup[T] {
	return &Lookup[T]{read: read, turn: make(chan struct{}, 1)}
}

// Read has the item read, by a read that begins after this call: it sees what was committed before. After an error the
// caller must not look at the item, as when ctx ended the read may still be running.
func (l *Lookup[T]) Read(ctx context.Context, item *T) error {
	g, first := l.join(item)
	if first {
		l.lead(ctx, g)
	}
	select {
	case <-g.done:
		return g.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *Lookup[T]) join(item *T) (g *gathering[T], first bool) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.gathered == nil || len(l.gathered.items) == gatherMost {
		l.gathered = &gathering[T]{done: make(chan struct{})}
	}
	g = l.gathered
	g.items = append(g.items, item)
	return g, len(g.items) == 1
}

// lead makes the read of a gathering when the one before has ended. It goes on when the leader's ctx ends, because the
// others wait for it.
func (l *Lookup[T]) lead(ctx context.Context, g *gathering[T]) {
	l.turn <- struct{}{}
	defer func() { <-l.turn }()
	runtime.Gosched() // whoever was woken by the same commit comes along
	l.mutex.Lock()
	if l.gathered == g {
		l.gathered = nil
	}
	l.mutex.Unlock()
	defer close(g.done)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), gatherWithin)
	defer cancel()
	g.err = errUnread
	g.err = l.read(ctx, g.items)
}
