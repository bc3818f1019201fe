package outbox

import "sync"

// handover hands to the owner of a queue that callbacks were stored, the results of calls, and the ends of writes. To leave
// something in it never waits; the owner, woken by the signal, takes all at once.
//
// It is bounded by the number of calls and writes under way: each leaves one thing and ends.
type handover struct {
	signal chan struct{} // has room for one

	mutex sync.Mutex
	held  handed
}

// handed is what a handover holds.
type handed struct {
	told  bool // something was stored for the address
	calls []finished
	write *written
}

// written is the end of a write.
type written struct {
	batch *batch
	ok    bool // false: the node stops, and the batch could not be stored
}

func newHandover() *handover { return &handover{signal: make(chan struct{}, 1)} }

func (i *handover) leave(put func(*handed)) {
	i.mutex.Lock()
	put(&i.held)
	i.mutex.Unlock()
	select {
	case i.signal <- struct{}{}:
	default:
	}
}

// tell says that a callback was stored for the address.
func (i *handover) tell() { i.leave(func(m *handed) { m.told = true }) }

func (i *handover) called(r finished) { i.leave(func(m *handed) { m.calls = append(m.calls, r) }) }

func (i *handover) wrote(w *written) { i.leave(func(m *handed) { m.write = w }) }

// take empties the handover.
func (i *handover) take() handed {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	all := i.held
	i.held = handed{}
	return all
}
