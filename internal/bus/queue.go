package bus

import "sync"

// capacity is how many messages, and bytes of messages, a queue may hold: those that wait, and those that were taken last.
type capacity struct{ messages, bytes int }

// keepMost is the longest slice a queue keeps for reuse; a longer one, left by a burst, goes to the collector.
const keepMost = 4096

// queue is a first-in-first-out queue between many goroutines that push and one that takes. It is bounded in messages
// and in bytes, because a bound in messages alone is none when a message may have half a megabyte. A push never waits.
type queue[T any] struct {
	mu      sync.Mutex
	filled  sync.Cond
	waiting []T
	limit   capacity
	held    capacity // waiting and the batch that was taken last
	taken   capacity // the messages that were taken last
	closed  bool
}

func newQueue[T any](limit capacity) *queue[T] {
	q := &queue[T]{limit: limit}
	q.filled.L = &q.mu
	return q
}

// push adds a message of size bytes, or returns ErrFull or ErrClosed.
func (q *queue[T]) push(one T, size int) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return ErrClosed
	}
	if q.held.messages >= q.limit.messages || q.held.bytes+size > q.limit.bytes {
		return ErrFull
	}
	q.add(one, size)
	return nil
}

// mark adds a mark without data, even when the queue is full. It reports whether the queue was open.
func (q *queue[T]) mark(one T) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	q.add(one, 0)
	return true
}

func (q *queue[T]) add(one T, size int) {
	q.waiting = append(q.waiting, one)
	q.held.messages++
	q.held.bytes += size
	q.filled.Signal()
}

// take waits for messages and returns all that wait. The argument is the slice it returned before (nil at first), which
// frees the capacity of those messages and is reused. The result is false when the queue is closed and all was taken.
func (q *queue[T]) take(done []T) ([]T, bool) {
	clear(done)
	if cap(done) > keepMost {
		done = nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.held.messages -= q.taken.messages
	q.held.bytes -= q.taken.bytes
	q.taken = capacity{}
	for len(q.waiting) == 0 && !q.closed {
		q.filled.Wait()
	}
	if len(q.waiting) == 0 {
		return nil, false
	}
	all := q.waiting
	q.waiting, q.taken = done[:0], q.held
	return all, true
}

// close refuses further messages; those that wait can still be taken.
func (q *queue[T]) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.filled.Broadcast()
}
