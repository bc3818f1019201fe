package robot

import (
	"context"
	"sync"
	"time"

	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
)

// silences end answers whose pieces have numbers and of which no further piece comes, so that their readers do not wait for one. It
// knows those answers of which this node stored the latest piece; one whose node stopped stays as it is, and takes no piece either.
type silences struct {
	clock *clock.Clock
	mutex sync.Mutex
	held  map[streamID]*silent
}

// silent is an answer of which a further piece may come: the latest index and when it came, and what ends the answer behind it.
type silent struct {
	index int64
	since time.Time
	end   func()
	timer *clock.Timer
}

func newSilences(c *clock.Clock) *silences { return &silences{clock: c, held: map[streamID]*silent{}} }

// heard notes a piece, and has end called if it stays the latest one for too long. Pieces may come here in another order than that in
// which they were stored, and again.
func (s *silences) heard(id streamID, p *piece, end func()) {
	if p.index == 0 {
		return
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	one := s.held[id]
	switch {
	case bool(p.last):
		s.forget(id)
		return
	case one == nil && len(s.held) >= mostPaced:
		return
	case one == nil:
		one = &silent{}
		one.timer = s.clock.AfterFunc(silence+pace, func() { s.tick(id, one) })
		s.held[id] = one
	}
	if p.index > one.index {
		one.index, one.since, one.end = p.index, s.clock.Now(), end
	}
}

// forget is called with the mutex held.
func (s *silences) forget(id streamID) {
	if one := s.held[id]; one != nil {
		one.timer.Stop()
		delete(s.held, id)
	}
}

func (s *silences) tick(id streamID, one *silent) {
	if end := s.over(id, one); end != nil {
		end()
	}
}

// over forgets an answer of which no piece came for too long, and gives what ends it. One that has grown is waited for once more.
func (s *silences) over(id streamID, one *silent) (end func()) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.held[id] != one {
		return nil
	}
	if left := silence + pace - s.clock.Now().Sub(one.since); left > 0 {
		one.timer.Reset(min(left, silence+pace)) // the clock may have gone back
		return nil
	}
	s.forget(id)
	return one.end
}

// listen has the answer of a piece end by itself if no further piece comes.
func (r *Robots) listen(ctx context.Context, call *command.Call, p *piece, key string) {
	id, by := p.id(key), &command.Call{Actor: call.Actor}
	r.silences.heard(id, p, func() {
		// One that is gone, or that another node has more of, is left alone.
		done, err := p.to.edit(ctx, by, growth{key: key, ends: true, change: p.ended})
		if err == nil {
			r.pacer.grown(id, done, true)
		}
	})
}

// ended is the answer that ends with the piece.
func (p *piece) ended(old chat.Editable) (chat.Editable, error) {
	a, compatible, err := readAnswer(old.Body)
	if err != nil {
		return old, err
	}
	if a.Index != p.index {
		return old, im.Errorf(im.CodeGroupParameter, "the answer has grown")
	}
	a.end()
	old.Body, err = a.body(compatible)
	return old, err
}
