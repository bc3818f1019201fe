package groupmessage

import "sync"

// rate counts the messages of groups in the running second, on this node.
type rate struct {
	mutex  sync.Mutex
	second int64
	counts map[int64]int // by the group's number
}

// allow counts a message at a unix second, and reports whether it is within the bound.
func (r *rate) allow(group, second int64, most int) bool {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.second != second || r.counts == nil {
		r.second, r.counts = second, map[int64]int{}
	}
	r.counts[group]++
	return r.counts[group] <= most
}
