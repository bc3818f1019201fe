package live

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// agenda is when which room's window ends. One goroutine goes by it, so that what a node pushes into a room is in one order.
type agenda struct {
	mutex sync.Mutex
	due   appointments
	wake  chan struct{}
}

// appointment is a time for a room. It is void if the room has another time by then.
type appointment struct {
	at   time.Time
	room *room
}

type appointments []appointment

// Len implements [heap.Interface].
func (a appointments) Len() int { return len(a) }

// Less implements [heap.Interface].
func (a appointments) Less(i, j int) bool { return a[i].at.Before(a[j].at) }

// Swap implements [heap.Interface].
func (a appointments) Swap(i, j int) { a[i], a[j] = a[j], a[i] }

// Push implements [heap.Interface].
func (a *appointments) Push(x any) { *a = append(*a, x.(appointment)) }

// Pop implements [heap.Interface].
func (a *appointments) Pop() any {
	last := len(*a) - 1
	one := (*a)[last]
	(*a)[last] = appointment{}
	*a = (*a)[:last]
	return one
}

// add notes a time, and wakes who waits if no other is before it.
func (a *agenda) add(one appointment) {
	a.mutex.Lock()
	heap.Push(&a.due, one)
	first := a.due[0] == one
	a.mutex.Unlock()
	if !first {
		return
	}
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// next takes out the rooms whose time has come, and says how long it is to the next time.
func (a *agenda) next(now time.Time) (come []appointment, wait time.Duration) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	for len(a.due) > 0 && !a.due[0].at.After(now) {
		come = append(come, heap.Pop(&a.due).(appointment))
	}
	if len(a.due) == 0 {
		return come, time.Hour
	}
	return come, a.due[0].at.Sub(now)
}

// has reports whether a room's time has come.
func (a *agenda) has(now time.Time) bool {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	return len(a.due) > 0 && !a.due[0].at.After(now)
}

// tellEvery is how often other nodes hear of who is inside, and graces are looked at.
const tellEvery = time.Second

// Run pushes what is said, until ctx ends, and then what is left. It returns when nothing of the room goes on.
func (l *Rooms) Run(ctx context.Context) {
	follow := make(chan struct{})
	go func() {
		defer close(follow)
		for do := range l.after {
			do(context.WithoutCancel(ctx))
		}
	}()
	l.crew.Go(func() { l.keep(ctx) })
	l.crew.Go(func() { l.answerGuests(ctx) })
	l.crew.Go(func() { l.audit(ctx) })
	l.crew.Go(func() { l.sayBroadcasts(ctx) })
	l.goBy(ctx)
	l.crew.Wait()
	close(l.after)
	<-follow
}

// goBy ends windows when they are due.
func (l *Rooms) goBy(ctx context.Context) {
	timer := l.clock.NewTimer(time.Hour)
	defer timer.Stop()
	for ctx.Err() == nil {
		come, wait := l.agenda.next(l.clock.Now())
		for _, one := range come {
			l.close(one) //nolint:contextcheck // what follows may outlive the run
		}
		if len(come) > 0 {
			continue
		}
		timer.Reset(wait)
		if l.agenda.has(l.clock.Now()) { // the time came while the timer was set
			continue
		}
		select {
		case <-ctx.Done():
		case <-l.agenda.wake:
		case <-timer.C:
		}
	}
	for _, r := range l.all() {
		r.mutex.Lock()
		due := r.due
		r.mutex.Unlock()
		if !due.IsZero() {
			l.close(appointment{due, r}) //nolint:contextcheck // it is the run's end
		}
	}
}

// keep does what is to be done every second.
func (l *Rooms) keep(ctx context.Context) {
	tick := l.clock.NewTicker(tellEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			l.tellStates()
			l.endGraces() //nolint:contextcheck // it has a bound of its own
			l.forgetGuests()
			l.tellOthers()
			l.forgetIdle()
		}
	}
}

// plan settles when the room's window ends, now that something waits in it; the caller holds the room's mutex and calls what is
// returned after letting it go.
func (l *Rooms) plan(r *room, now time.Time) func() {
	due := r.window.Due(now, r.pace())
	if tips := r.news.due(now); due.IsZero() || !tips.IsZero() && tips.Before(due) {
		due = tips
	}
	if due.IsZero() || due.Equal(r.due) || !r.due.IsZero() && r.due.Before(due) {
		return func() {}
	}
	r.due = due
	return func() { l.agenda.add(appointment{due, r}) }
}
