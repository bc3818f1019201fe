package robot

import (
	"context"
	"sync"

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
	held  map[streamID]int64 // the latest index
}

func newSilences(c *clock.Clock) *silences { return &silences{clock: c, held: map[streamID]int64{}} }

// heard notes a piece, and has end called if it stays the latest one for too long.
func (s *silences) heard(id streamID, p *piece, end func()) {
	if p.index == 0 {
		return
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if _, is := s.held[id]; bool(p.last) || !is && len(s.held) >= mostPaced {
		delete(s.held, id)
		return
	}
	s.held[id] = p.index
	s.clock.AfterFunc(silence+pace, func() {
		if s.forget(id, p.index) {
			end()
		}
	})
}

// forget reports whether a piece is still the latest one, and forgets its answer then.
func (s *silences) forget(id streamID, index int64) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.held[id] != index {
		return false
	}
	delete(s.held, id)
	return true
}

// listen has the answer of a piece end by itself if no further piece comes.
func (r *Robots) listen(ctx context.Context, call *command.Call, p *piece, key string) {
	id, by := p.id(key), &command.Call{Actor: call.Actor}
	r.silences.heard(id, p, func() {
		// One that is gone, or that another node has more of, is left alone.
		done, err := p.to.edit(ctx, by, key, func(old chat.Editable) (chat.Editable, error) {
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
		})
		if err == nil {
			r.pacer.grown(id, done, true)
		}
	})
}
