package gateway

import "time"

// SetWriteTimeout bounds a write by less than usual, so that a test need not wait as long as a client may be deaf. Call it
// before there are connections.
func (g *Gateway) SetWriteTimeout(d time.Duration) { g.writeTimeout = d }

// LongestSilence is how long the most silent connection has been silent.
func (g *Gateway) LongestSilence() time.Duration {
	oldest := g.clock.Now()
	g.each(func(s *Session) {
		if seen := time.Unix(s.seen.Load(), 0); seen.Before(oldest) {
			oldest = seen
		}
	})
	return g.clock.Since(oldest)
}

// Asleep counts the connections that wait without a reader.
func (g *Gateway) Asleep() (count int) {
	g.each(func(s *Session) {
		s.mutex.Lock()
		defer s.mutex.Unlock()
		if s.asleep {
			count++
		}
	})
	return count
}

// LongestMailbox is how many requests wait in the fullest mailbox.
func (g *Gateway) LongestMailbox() (longest int) {
	g.each(func(s *Session) {
		s.mutex.Lock()
		defer s.mutex.Unlock()
		if s.mailbox != nil {
			longest = max(longest, len(s.mailbox.waiting))
		}
	})
	return longest
}
