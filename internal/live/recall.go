package live

import (
	"context"

	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/live/window"
)

// Said implements [groupmessage.Live]. What this node has not heard it asks the others for.
func (l *Rooms) Said(ctx context.Context, of *group.Group, numbers []int64) map[int64]*chat.Message {
	r := l.open(nil, of)
	found := r.said(numbers)
	if len(found) < len(numbers) && !l.alone {
		l.gather(ctx, &ask{Room: of.ID, Numbers: numbers})
		found = r.said(numbers)
	}
	return found
}

// said gives the messages that the node knows, pushed or about to be.
func (r *room) said(numbers []int64) map[int64]*chat.Message {
	found := map[int64]*chat.Message{}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for _, number := range numbers {
		if one := r.backlog.find(number); one != nil {
			found[number] = one.message()
		} else if s := r.waiting[number]; s != nil {
			one := heardOf(s)
			found[number] = one.message()
		}
	}
	return found
}

func (h *heard) message() *chat.Message {
	return &chat.Message{Position: chat.Position{Sequence: h.Number}, From: h.From, Random: h.Random, Time: h.Time, ClientTime: h.ClientTime}
}

// Unsay implements [groupmessage.Live].
func (l *Rooms) Unsay(of *group.Group, numbers []int64) {
	if r := l.find(of.ID); r != nil {
		r.mutex.Lock()
		defer r.mutex.Unlock()
		l.unsay(r, numbers)
	}
}

// unsay forgets messages, and has those that wait not be pushed; the room's mutex is held.
func (l *Rooms) unsay(r *room, numbers []int64) {
	for _, number := range numbers {
		l.kept.Add(int64(-r.backlog.remove(number)))
		if s := r.waiting[number]; s != nil {
			s.recalled = true
			delete(r.waiting, number)
		}
	}
}

// remove takes a message out, and gives the bytes of its text.
func (b *backlog) remove(number int64) (bytes int) {
	for i := range b.messages {
		if b.messages[i].Number == number {
			bytes = len(b.messages[i].Text)
			b.bytes -= bytes
			b.messages = append(b.messages[:i], b.messages[i+1:]...)
			return bytes
		}
	}
	return 0
}

// awaits notes a message that waits for the end of its window; the room's mutex is held.
func (r *room) awaits(s *spoken) {
	if r.waiting == nil {
		r.waiting = map[int64]*spoken{}
	}
	r.waiting[s.draft.Message.Sequence] = s
}

// unrecalled gives those that are to be pushed of what a window lets out, and forgets that all wait; the room's mutex is held.
func (r *room) unrecalled(out, dropped []window.Arrival[*spoken]) []window.Arrival[*spoken] {
	for _, a := range dropped {
		delete(r.waiting, a.Value.draft.Message.Sequence)
	}
	left := make([]window.Arrival[*spoken], 0, len(out))
	for _, a := range out {
		delete(r.waiting, a.Value.draft.Message.Sequence)
		if !a.Value.recalled {
			left = append(left, a)
		}
	}
	return left
}
