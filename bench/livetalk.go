package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/magpie-im/magpie/client"
)

// minLiveSize is the smallest MsgBody that holds a moment and a priority.
const minLiveSize = minSize + 1

// talk is who speaks in the rooms: one member of each room for each priority.
type talk struct {
	speakers []*speaker
	late     histogram

	mutex    sync.Mutex
	failures map[string]int64
}

// speaker sends messages of one priority into one room, by a timetable.
type speaker struct {
	client   *client.Client
	room     string
	priority int
	every    time.Duration
	payload  []byte
	random   *rand.Rand
}

// newTalk has the speakers log in and enter. Their numbers are above those of the members.
func newTalk(ctx context.Context, w *show) (*talk, error) {
	t := &talk{}
	there := w.stage.target()
	there.first = w.Members
	for room := range w.Rooms {
		for priority, rate := range w.Rates {
			if rate == 0 {
				continue
			}
			s := &speaker{
				room: roomName(room), priority: priority, every: time.Duration(float64(time.Second) / rate), payload: newPayload(w.Size),
				random: rand.New(rand.NewPCG(uint64(room), uint64(priority))),
			}
			var err error
			if s.client, err = there.login(ctx, len(t.speakers), func(_ int, o *client.Options) { o.NoSync = true }); err != nil {
				return t, err
			}
			t.speakers = append(t.speakers, s)
			if _, err := s.client.JoinGroup(ctx, s.room, ""); err != nil {
				return t, fmt.Errorf("enter %s: %w", s.room, err)
			}
		}
	}
	return t, nil
}

func (t *talk) close() {
	for _, s := range t.speakers {
		_ = s.client.Close()
	}
}

// run has all speak from one moment to another, in unix nanoseconds, and gives why messages failed.
func (t *talk) run(ctx context.Context, from, to int64) map[string]int64 {
	t.late.clear()
	t.failures = map[string]int64{}
	var all sync.WaitGroup
	for _, s := range t.speakers {
		all.Go(func() { t.speak(ctx, s, from, to) })
	}
	all.Wait()
	return t.failures
}

func (t *talk) speak(ctx context.Context, s *speaker, from, to int64) {
	for due := from + s.random.Int64N(int64(s.every)); due < to; due += int64(s.every) {
		if wait(ctx, time.Duration(due-now().UnixNano())) != nil {
			return
		}
		t.late.record(now().UnixNano() - due)
		if _, err := s.client.Send(ctx, s.next(due)); err != nil {
			t.mutex.Lock()
			t.failures[reason(err)]++
			t.mutex.Unlock()
		}
	}
}

// next is the message that is due: the moment, the priority, and letters that no other has.
func (s *speaker) next(due int64) client.Outgoing {
	const letters = "abcdefghijklmnopqrstuvwxyz     "
	stamp(s.payload, due)
	s.payload[len(payloadHead)+stampDigits] = byte('0' + s.priority)
	for i := len(payloadHead) + stampDigits + 1; i < len(s.payload)-len(payloadTail); i++ {
		s.payload[i] = letters[s.random.IntN(len(letters))]
	}
	return client.Outgoing{Group: s.room, Priority: priorityNames()[s.priority], Body: s.payload}
}

// probe is a session outside all rooms that asks something small every few milliseconds: what others feel of the pushes.
type probe struct {
	session *session
	took    histogram
}

func newProbe(ctx context.Context, s *stage) (*probe, error) {
	there := s.target()
	const user = "probe"
	sig, err := there.sign(user)
	if err != nil {
		return nil, err
	}
	p := &probe{}
	if p.session, err = there.open(ctx, s.nodes[0].address, platformWeb, nil); err != nil {
		return nil, err
	}
	if _, err := p.session.logIn(ctx, map[string]any{"identifier": user, "usersig": sig}); err != nil {
		p.close()
		return nil, fmt.Errorf("log the probe in: %w", err)
	}
	return p, nil
}

func (p *probe) close() { p.session.close() }

// run asks from one moment to another, in unix nanoseconds.
func (p *probe) run(ctx context.Context, from, to int64) error {
	const every = 10 * time.Millisecond
	p.took.clear()
	if err := wait(ctx, time.Duration(from-now().UnixNano())); err != nil {
		return err
	}
	for now().UnixNano() < to {
		asked := now()
		if _, err := p.session.call(ctx, nil, "heartbeat.alive", struct{}{}); err != nil {
			return fmt.Errorf("probe: %w", err)
		}
		p.took.record(int64(now().Sub(asked)))
		if err := wait(ctx, every); err != nil {
			return err
		}
	}
	return nil
}
