package annotate

import "sync"

// turns makes what a node tells of the annotations of one chat rise with time: who tells reads what is attached first, and two
// who did so at once could tell the older state last, which clients would keep.
type turns [64]sync.Mutex

// Tell runs tell, which reads what is attached to messages of a chat and pushes it, as the only one of the chat on this node.
func (a *Annotations) Tell(chat int64, tell func()) {
	mutex := &a.turns[uint64(chat)%uint64(len(a.turns))]
	mutex.Lock()
	defer mutex.Unlock()
	tell()
}
