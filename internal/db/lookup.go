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
	read func(ctx context.Context, values []*T) error
	turn chan struct{} // held by the read that is running

	mutex    sync.Mutex
	gathered *gathering[T] // what the next read takes; nil when nobody waits
}

// gathering is the values of one read.
type gathering[T any] struct {
	values []*T
	done   chan struct{} // closed when err and the values are set
	err    error
}

const (
	// gatherMost bounds the values of one read.
	gatherMost = 256
	// gatherWithin bounds one read, because it does not end with any caller's context.
	gatherWithin = 15 * time.Second
)

// errUnread is the error of callers whose read panicked.
var errUnread = errors.New("db: the read did not end")

// NewLookup declares a kind of read. read puts into each value the result for its caller, also a refusal of just that
// value; its error is that of all values it was given.
func NewLookup[T any](read func(ctx context.Context, values []*T) error) *Lookup[T] {
	return &Lookup[T]{read: read, turn: make(chan struct{}, 1)}
}

// Read has the value read, by a read that begins after this call: it sees what was committed before. After an error the
// caller must not look at the value, as when ctx ended the read may still be running.
//
// Of those that wait for a read, any one makes it. A caller whose ctx ends while another read is running leaves at once;
// one that makes the read stays until it has ended, because the others wait for it.
func (l *Lookup[T]) Read(ctx context.Context, value *T) error {
	g := l.join(value)
	select {
	case <-g.done:
	case l.turn <- struct{}{}:
		l.lead(ctx, g)
	case <-ctx.Done():
		return ctx.Err()
	}
	return g.err
}

func (l *Lookup[T]) join(value *T) *gathering[T] {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.gathered == nil || len(l.gathered.values) == gatherMost {
		l.gathered = &gathering[T]{done: make(chan struct{})}
	}
	l.gathered.values = append(l.gathered.values, value)
	return l.gathered
}

// lead makes the read of a gathering, unless another caller has made it. The caller has the turn, which ends with lead.
func (l *Lookup[T]) lead(ctx context.Context, g *gathering[T]) {
	defer func() { <-l.turn }()
	select {
	case <-g.done:
		return
	default:
	}
	runtime.Gosched() // callers that the same commit woke take part
	l.mutex.Lock()
	if l.gathered == g {
		l.gathered = nil
	}
	l.mutex.Unlock()
	defer close(g.done)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), gatherWithin)
	defer cancel()
	g.err = errUnread
	g.err = l.read(ctx, g.values)
}
