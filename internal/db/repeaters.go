package db

import "sync"

// Repeaters remembers who repeats what is stored already: clients that send a request again and again. What they write
// is looked up before it is inserted; what others write is not, so a repetition costs its sender only. K says who, an
// account id for example. The zero value remembers nobody. All methods may be called from many goroutines.
type Repeaters[K comparable] struct {
	mutex sync.RWMutex
	who   map[K]struct{}
}

// maxRepeaters bounds how many are remembered; one more pushes another one out, who is found again when he repeats.
const maxRepeaters = 1024

// LookFirst says whether what the one writes should be looked up before it is inserted: because he has repeated before,
// or because tx.LookFirst says so of all.
func (r *Repeaters[K]) LookFirst(tx *Tx, one K) bool {
	if tx.LookFirst() {
		return true
	}
	r.mutex.RLock()
	defer r.mutex.RUnlock()
	_, found := r.who[one]
	return found
}

// Note remembers that the one has repeated something.
func (r *Repeaters[K]) Note(one K) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.who == nil {
		r.who = map[K]struct{}{}
	}
	if _, found := r.who[one]; !found && len(r.who) >= maxRepeaters {
		for other := range r.who {
			delete(r.who, other)
			break
		}
	}
	r.who[one] = struct{}{}
}
