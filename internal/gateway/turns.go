package gateway

import (
	"context"
	"errors"
)

// A call that is about to wait for something outside the server steps aside: it hands the mailbox over to another
// goroutine, goes on in its own, and stands in its session's line until it is answered. The line keeps the order of
// calls with the same key.
//
// What happens to the login meanwhile does not concern a call that is aside. It was allowed when it was taken, and it
// may finish, as one may that waits for the disk when its device is kicked: its client cannot know on which side of the
// kick it fell. So a logout does not wait for the line either. An answer goes to the connection that asked, whoever is
// logged in there by then; the pushes of a call go by its own device.

// maxAside bounds the calls of one session that are aside. The next one keeps the mailbox: its client waits, nobody else.
const maxAside = 32

// turn is a call's place among those of its session with the same order key; it implements [command.Turn]. The session's mutex guards it.
type turn struct {
	session *Session
	key     string
	next    *turn         // behind it in the line
	given   chan struct{} // closed when nobody with the key is before it any more; nil if nobody ever was
	inLine  bool
	aside   bool // it has handed the mailbox over
	over    bool // the request is answered
}

var (
	errTwoKeys  = errors.New("gateway: a call stepped aside with a second key")
	errAnswered = errors.New("gateway: a call stepped aside after its answer")
)

// StepAside implements [command.Turn].
func (t *turn) StepAside(ctx context.Context, key string) error { return t.await(ctx, key, true) }

// InTurn implements [command.Turn].
func (t *turn) InTurn(ctx context.Context, key string) error { return t.await(ctx, key, false) }

// await enters the line, if it must or somebody with the key is in it, and waits until the turn is given.
func (t *turn) await(ctx context.Context, key string, must bool) error {
	t.session.mutex.Lock()
	given, err := t.enter(key, must)
	t.session.mutex.Unlock()
	if err != nil || given == nil {
		return err
	}
	select {
	case <-given:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// enter puts the turn at the end of the line and returns what to wait for; the caller holds the mutex.
func (t *turn) enter(key string, must bool) (given <-chan struct{}, err error) {
	switch {
	case t.over:
		return nil, errAnswered
	case t.inLine && key != t.key:
		return nil, errTwoKeys
	case t.inLine:
		return t.given, nil
	}
	if t.session.mailbox == nil && !must { // as in a heartbeat beside the mailbox
		return nil, nil
	}
	m := t.session.post()
	length, wait, end := 0, false, &m.line
	for ; *end != nil; end = &(*end).next {
		length++
		wait = wait || (*end).key == key
	}
	if !wait && !must {
		return nil, nil
	}
	if wait {
		t.given = make(chan struct{})
	}
	*end, t.key, t.inLine = t, key, true
	if length < maxAside {
		t.aside = true
		m.handOver()
	}
	return t.given, nil
}

// end takes an answered request out of the line, and gives the next one with its key the turn; the caller holds the mutex.
// One that gave up waiting may leave from the middle; then those behind it wait on for those before it.
func (t *turn) end() {
	t.over = true
	if !t.inLine {
		return
	}
	m := t.session.mailbox
	first, at := true, &m.line
	for ; *at != t; at = &(*at).next {
		first = first && (*at).key != t.key
	}
	*at = t.next
	for next := t.next; first && next != nil; next = next.next {
		if next.key == t.key {
			close(next.given)
			break
		}
	}
	m.rest()
}

// handOver has the requests that wait served by another goroutine, if any do; the caller holds the mutex.
func (m *mailbox) handOver() {
	m.working = false
	if len(m.waiting) > 0 {
		m.work()
	}
}
