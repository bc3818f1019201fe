package telemetry

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/magpie-im/magpie/internal/clock"
)

// sampleEvery is how often a line about one kind of trouble is written at most.
const sampleEvery = 10 * time.Second

// Sampled logs what strangers can cause as often as they like: of each kind the first line, and then one in ten seconds
// with the number of those that were not written before it. It is safe for concurrent use.
type Sampled struct {
	log   *slog.Logger
	clock *clock.Clock
	mutex sync.Mutex
	kinds map[string]*sampledKind
}

type sampledKind struct {
	next    time.Time // when the next line may be written
	skipped int
}

// NewSampled makes a sampled log. A nil clock is the system's.
func NewSampled(log *slog.Logger, c *clock.Clock) *Sampled {
	return &Sampled{log: log, clock: c, kinds: map[string]*sampledKind{}}
}

// Warn logs a line, or counts it. kind names what is sampled together; it comes from the program or from a table, never
// from a request, because each new one is kept.
func (s *Sampled) Warn(ctx context.Context, kind, message string, args ...any) {
	skipped, ok := s.due(kind)
	if !ok {
		return
	}
	if skipped > 0 {
		args = append(args, FieldSkipped, skipped)
	}
	s.log.WarnContext(ctx, message, args...)
}

func (s *Sampled) due(kind string) (skipped int, ok bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	k := s.kinds[kind]
	if k == nil {
		k = &sampledKind{}
		s.kinds[kind] = k
	}
	now := s.clock.Now()
	// A clock that was set back must not silence the kind until it is there again.
	if now.Before(k.next) && k.next.Sub(now) <= sampleEvery {
		k.skipped++
		return 0, false
	}
	skipped, k.skipped, k.next = k.skipped, 0, now.Add(sampleEvery)
	return skipped, true
}
