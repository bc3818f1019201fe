package db

import (
	"sync"
	"time"
)

// An id is 41 bits of milliseconds since idEpoch, 9 bits of node and 13 bits of counter: it rises with time, 512 nodes
// make different ones, and the sign bit stays clear until 2093.
const (
	idEpoch       = 1_735_689_600_000 // 2025-01-01 UTC in unix milliseconds
	idNodeBits    = 9
	idCounterBits = 13
	// MaxNodes is how many nodes may share one store.
	MaxNodes = 1 << idNodeBits
)

// idSource makes ids. When the clock goes back or a millisecond's counter is used up it goes on from the last id, so
// ids of one node rise whatever the clock does.
type idSource struct {
	mutex sync.Mutex
	node  int64
	since int64 // unix millisecond from which on the node's number is ours
	last  int64 // milliseconds and counter, without the node
}

func (s *idSource) setNode(node int64, since time.Time) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.node, s.since = node%MaxNodes, since.UnixMilli()
}

func (s *idSource) made(id int64) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return IDNode(id) == s.node && IDTime(id).UnixMilli() >= s.since
}

// above has later ids be above one that was made here or elsewhere: of a later millisecond, since a node's number counts more than
// its counter.
func (s *idSource) above(id int64) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	millis := id >> (idNodeBits + idCounterBits)
	s.last = max(s.last, (millis+1)<<idCounterBits-1)
}

func (s *idSource) next(now time.Time) int64 {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	tick := (now.UnixMilli() - idEpoch) << idCounterBits
	if tick <= s.last {
		tick = s.last + 1
	}
	s.last = tick
	millis, counter := tick>>idCounterBits, tick&(1<<idCounterBits-1)
	return millis<<(idNodeBits+idCounterBits) | s.node<<idCounterBits | counter
}

// IDFloor is the smallest id that may be made at or after the moment, on any node.
func IDFloor(at time.Time) int64 {
	millis := max(at.UnixMilli()-idEpoch, 0)
	return millis << (idNodeBits + idCounterBits)
}

// IDTime is when an id was made, to the millisecond.
func IDTime(id int64) time.Time { return time.UnixMilli(id>>(idNodeBits+idCounterBits) + idEpoch) }

// IDNode is the number of the node that made an id.
func IDNode(id int64) int64 { return id >> idCounterBits % MaxNodes }
