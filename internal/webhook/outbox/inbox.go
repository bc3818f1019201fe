package outbox

import "sync"

// inbox is what others leave for the owner of a queue: that callbacks were stored, what calls came to, what was
// written. Leaving something never waits; the owner, woken by the signal, takes all there is at once.
//
// It is bounded by who leaves: a call or a write that is under way leaves one thing and ends.
type inbox struct {
	signal chan struct{} // has room for one

	mutex sync.Mutex
	mail  mail
}

// mail is what an inbox holds.
type mail struct {
	told  bool // something was stored for the address
	calls []finished
	write *written
}

// written is the end of a write.
type written struct {
	batch *batch
	ok    bool // false: the node stops, and the batch could not be stored
}

func newInbox() *inbox { return &inbox{signal: make(chan struct{}, 1)} }

func (i *inbox) leave(put func(*mail)) {
	i.mutex.Lock()
	put(&i.mail)
	i.mutex.Unlock()
	select {
	case i.signal <- struct{}{}:
	default:
	}
}

// tell says that something was stored for the address.
func (i *inbox) tell() { i.leave(func(m *mail) { m.told = true }) }

func (i *inbox) called(r finished) { i.leave(func(m *mail) { m.calls = append(m.calls, r) }) }

func (i *inbox) wrote(w *written) { i.leave(func(m *mail) { m.write = w }) }

// take empties the inbox.
func (i *inbox) take() mail {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	all := i.mail
	i.mail = mail{}
	return all
}
