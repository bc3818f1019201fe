package live

import (
	"slices"
	"sync"
)

// stays are the live rooms that guests' connections are inside of.
type stays struct {
	mutex sync.Mutex
	rooms map[uint64][]int64 // by connection
}

func (s *stays) add(connection uint64, room int64) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.rooms == nil {
		s.rooms = map[uint64][]int64{}
	}
	s.rooms[connection] = append(s.rooms[connection], room)
}

func (s *stays) remove(connection uint64, room int64) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	left := slices.DeleteFunc(s.rooms[connection], func(one int64) bool { return one == room })
	if s.rooms[connection] = left; len(left) == 0 {
		delete(s.rooms, connection)
	}
}

func (s *stays) of(connection uint64) []int64 {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return slices.Clone(s.rooms[connection])
}
