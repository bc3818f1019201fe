package live

import (
	"context"
	"fmt"
	"time"

	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/groupmessage"
	"github.com/magpie-im/magpie/internal/live/window"
	"github.com/magpie-im/magpie/internal/telemetry"
	"github.com/magpie-im/magpie/internal/wire"
)

// spoken is a message on its way into a window.
type spoken struct {
	draft    *groupmessage.Draft
	wire     wire.Raw    // as clients read it
	ended    func(error) // nil of a sender who was told of success already
	recalled bool        // before it was pushed; the room's mutex guards it
}

// Say implements [groupmessage.Live]. A client hears at once that its message was sent; a back end hears at the end of the window,
// and why if the message was dropped.
func (l *Rooms) Say(ctx context.Context, call *command.Call, d *groupmessage.Draft, ended func(error)) {
	r := l.open(call.App, d.Group)
	number, err := l.number(ctx, r)
	if err == nil {
		err = l.limit(ctx, r)
	}
	if err != nil {
		ended(err)
		return
	}
	d.Message.Sequence = number
	text, err := wire.Marshal(d.Pushed())
	if err != nil {
		ended(fmt.Errorf("encode a message: %w", err))
		return
	}
	s := &spoken{draft: d, wire: text}
	if call.Admin() {
		s.ended = ended
	}
	l.add(r, window.Arrival[*spoken]{Priority: priorityOf(d.Flags), At: l.clock.Now(), Value: s})
	if !call.Admin() {
		ended(nil)
	}
}

// add puts a message into the room's window. Of a room that was destroyed meanwhile no window ends any more.
func (l *Rooms) add(r *room, a window.Arrival[*spoken]) {
	r.mutex.Lock()
	var late []window.Arrival[*spoken]
	rate := r.rate()
	r.awaits(a.Value)
	dropped, full := r.window.Add(a, rate)
	if full {
		delete(r.waiting, dropped.Value.draft.Message.Sequence)
	}
	if r.ended {
		late = r.window.Empty(a.At)
	}
	plan := l.plan(r, a.At)
	r.mutex.Unlock()
	if full {
		dropped.Value.drop(window.Crowded, rate)
	}
	for _, one := range late {
		one.Value.drop(window.Ended, rate)
	}
	plan()
}

func priorityOf(f chat.Flags) window.Priority {
	switch {
	case f.Has(chat.High):
		return window.High
	case f.Has(chat.Low):
		return window.Low
	case f.Has(chat.Lowest):
		return window.Lowest
	}
	return window.Normal
}

// drop ends a message that is not pushed.
func (s *spoken) drop(why window.Reason, rate window.Rate) {
	if s.ended == nil {
		return
	}
	s.draft.Message.Sequence = 0
	switch why {
	case window.Ended:
		s.draft.Drop("the live room was destroyed")
	case window.OverRate, window.Crowded:
		s.draft.Drop(fmt.Sprintf("more than %d messages to this live room in one second", rate.PerSecond))
	}
	s.ended(nil)
}

// pace is how long the room's windows are, by how many are inside here; the caller holds the mutex.
func (r *room) pace() window.Pace {
	const some, many = 2000, 20_000
	p := window.Pace{Length: 100 * time.Millisecond, High: 100 * time.Millisecond}
	switch n := len(r.members); {
	case n >= many:
		p.Length = 500 * time.Millisecond
	case n >= some:
		p.Length = 250 * time.Millisecond
	}
	return p
}

// walkPause is after what time it is looked again whether a push has gone round.
const walkPause = 10 * time.Millisecond

// close ends the room's window, if that is the time it has.
func (l *Rooms) close(one appointment) {
	r, now := one.room, l.clock.Now()
	r.mutex.Lock()
	if r.ended || !r.due.Equal(one.at) {
		r.mutex.Unlock()
		return
	}
	if l.walker.Walking(event.LiveRoom(r.id).Subject()) { // windows get longer by themselves when pushes take long
		r.due = now.Add(walkPause)
		r.mutex.Unlock()
		l.agenda.add(appointment{now.Add(walkPause), r})
		return
	}
	rate := r.rate()
	var out, dropped []window.Arrival[*spoken]
	if due := r.window.Due(now, r.pace()); !due.IsZero() && !due.After(now) { // it is not for the tips alone
		out, dropped = r.window.Close(now, r.due, rate)
	}
	told := l.takeNews(r, now, len(dropped) > 0)
	r.due = time.Time{}
	said := r.unrecalled(out, dropped)
	l.retainPushed(r, said)
	plan := l.plan(r, now)
	r.mutex.Unlock()
	l.push(r.id, said, told.tips)
	l.finish(r, out, dropped, rate)
	l.tellNews(r, told)
	plan()
}

// retainPushed keeps what a window lets out; the caller holds the room's mutex.
func (l *Rooms) retainPushed(r *room, out []window.Arrival[*spoken]) {
	if r.ended || len(out) == 0 {
		return
	}
	all := make([]heard, len(out))
	for i, a := range out {
		all[i] = heardOf(a.Value)
	}
	l.retain(r, r.late(), all...)
}

// finish ends messages whose window has ended.
func (l *Rooms) finish(r *room, out, dropped []window.Arrival[*spoken], rate window.Rate) {
	var told []*groupmessage.Draft
	for _, a := range out {
		if a.Value.ended != nil {
			a.Value.ended(nil)
		}
		if d := a.Value.draft; len(d.Callbacks) > 0 {
			told = append(told, d)
		}
	}
	for _, a := range dropped {
		a.Value.drop(window.OverRate, rate)
	}
	if len(told) == 0 {
		return
	}
	l.after <- func(ctx context.Context) {
		if err := l.messages.TellSaid(ctx, told); err != nil {
			l.log.ErrorContext(ctx, "tell of messages in a live room", telemetry.FieldGroup, r.id, telemetry.FieldError, err)
		}
	}
}

// frameBytes bounds what one push carries, well below what the bus takes.
const frameBytes = 256 << 10

// push publishes what a window lets out, in as few pushes as hold it.
func (l *Rooms) push(id int64, out []window.Arrival[*spoken], tips []wire.Raw) {
	said := make([]wire.Raw, 0, len(out))
	size := 0
	var carried event.Carried
	for _, a := range out {
		if size += len(a.Value.wire); size > frameBytes && len(said) > 0 {
			l.pushFrame(id, carried, newMessages.Of(said))
			said, size, carried = nil, len(a.Value.wire), event.Carried{}
		}
		said = append(said, a.Value.wire)
		carried[a.Priority]++
	}
	var events []event.Event
	if len(said) > 0 {
		events = append(events, newMessages.Of(said))
	}
	if len(tips) > 0 {
		events = append(events, newTips.Of(tips))
	}
	if len(events) > 0 {
		l.pushFrame(id, carried, events...)
	}
}

func (l *Rooms) pushFrame(id int64, carried event.Carried, events ...event.Event) {
	if err := l.router.Push(event.LiveRoom(id).Carrying(carried), events...); err != nil {
		l.log.Warn("push to a live room", telemetry.FieldGroup, id, telemetry.FieldError, err)
	}
}
