package bus

import "sync"

// capacity is how much a queue may hold, waiting and taken but not finished.
type capacity struct{ messages, bytes int }

// keepItems is the longest slice a queue keeps for reuse; a longer one, left by a burst, goes to the collector.
const keepItems = 4096

// queue is a first-in-first-out queue between many goroutines that push and one that takes. It is bounded in messages
// and in bytes, because a bound in messages alone is none when a message may have half a megabyte. A push never waits.
type queue[T any] struct {
	mu     sync.Mutex
	filled sync.Cond
	items  []T
	limit  capacity
	held   capacity // items and the batch that was taken last
	taken  capacity // the batch that was taken last
	closed bool
}

func newQueue[T any](limit capacity) *queue[T] {
	q := &queue[T]{limit: limit}
	q.filled.L = &q.mu
	return q
}

// push adds an item of size bytes, or returns ErrFull or ErrClosed.
func (q *queue[T]) push(item T, size int) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return ErrClosed
	}
	if q.held.messages >= q.limit.messages || q.held.bytes+size > q.limit.bytes {
		return ErrFull
	}
	q.add(item, size)
	return nil
}

// mark adds an item without data even when the queue is full. It reports whether the queue was open.
func (q *queue[T]) mark(item T) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	q.add(item, 0)
	return true
}

func (q *queue[T]) add(item T, size int) {
	q.items = append(q.items, item)
	q.held.messages++
	q.held.bytes += size
	q.filled.Signal()
}

// take waits for items and returns all there are. The argument is the batch it returned before (nil at first): its room
// is given back and its slice reused. The result is false when the queue is closed and everything has been taken.
func (q *queue[T]) take(done []T) ([]T, bool) {
	clear(done)
	if cap(done) > keepItems {
		done = nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.held.messages -= q.taken.messages
	q.held.bytes -= q.taken.bytes
	q.taken = capacity{}
	for len(q.items) == 0 && !q.closed {
		q.filled.Wait()
	}
	if len(q.items) == 0 {
		return nil, false
	}
	batch := q.items
	q.items, q.taken = done[:0], q.held
	return batch, true
}

// close refuses further items; those inside can still be taken.
func (q *queue[T]) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.filled.Broadcast()
}
