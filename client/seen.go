package client

import "hash/maphash"

// seenKey tells messages apart: who to whom, the sender's random and sequence, the server's time.
type seenKey struct {
	pair   uint64
	seq    uint32
	random uint32
	time   int64
}

// seen remembers the last keys put into it, at least size and at most twice as many: when the young generation is full,
// the old one is forgotten.
type seen struct {
	size       int
	young, old map[seenKey]struct{}
}

// add reports whether the key is new, and remembers it.
func (s *seen) add(key seenKey) bool {
	if s.has(key) {
		return false
	}
	if len(s.young) >= s.size {
		s.young, s.old = s.old, s.young
		clear(s.young)
	}
	if s.young == nil {
		s.young = make(map[seenKey]struct{})
	}
	s.young[key] = struct{}{}
	return true
}

func (s *seen) has(key seenKey) bool {
	if _, known := s.young[key]; known {
		return true
	}
	_, known := s.old[key]
	return known
}

// duplicateKey is the key of a message. The seed keeps a sender from choosing names that collide.
func duplicateKey(seed maphash.Seed, m *Message) seenKey {
	from, to := maphash.String(seed, m.From), maphash.String(seed, m.To)
	return seenKey{pair: from*31 + to, seq: m.Seq, random: m.Random, time: m.Time}
}
