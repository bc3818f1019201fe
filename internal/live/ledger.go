package live

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/live/window"
	"github.com/magpie-im/magpie/internal/wire"
)

// ledgerService is the service of what Magpie has of its own for live rooms.
const ledgerService = "magpie_live"

type ledgerRequest struct {
	GroupID string `json:"GroupId"`
	// Seconds is how many of the last seconds are told one by one; 180 at most.
	Seconds wire.Number `json:"Seconds"`
}

// sums is what became of the messages of one priority. What was received and is neither pushed nor dropped waits.
type sums struct {
	Priority string            `json:"Priority"`
	Received uint64            `json:"Received"`
	Pushed   uint64            `json:"Pushed"`
	Dropped  map[string]uint64 `json:"Dropped"`
	// Given is each message as often as a session was given it, Skipped as often as one has skipped it.
	Given   int64 `json:"Given"`
	Skipped int64 `json:"Skipped"`
}

type ledgerSecond struct {
	At   int64  `json:"Time"` // unix
	Sums []sums `json:"Sums"`
}

type ledgerReply struct {
	Inside  int64          `json:"InsideNum"`
	Waiting int            `json:"WaitingNum"`
	Total   []sums         `json:"Total"`
	Seconds []ledgerSecond `json:"Seconds"`
}

func (l *Rooms) ledgerCommand() command.Command {
	return command.New(command.Spec{
		Service: ledgerService, Name: "get_ledger", By: command.Administrator, Family: im.FamilyGroup(),
		Doc: "tell what became of a live room's messages on this node", Section: "rest.md#get_ledger",
	}, l.ledger)
}

// ledger tells what became of a room's messages since this node has started.
func (l *Rooms) ledger(ctx context.Context, call *command.Call, r *ledgerRequest) (*ledgerReply, error) {
	of, err := l.liveRoom(ctx, call, r.GroupID)
	if err != nil {
		return nil, err
	}
	if r.Seconds < 0 || r.Seconds > window.LedgerSeconds {
		return nil, im.Errorf(im.CodeGroupParameter, "Seconds is %d: want 0 to %d", int64(r.Seconds), window.LedgerSeconds)
	}
	reply := &ledgerReply{Inside: l.Online(of.ID), Seconds: []ledgerSecond{}}
	found, past := l.ledgerOf(of.ID)
	if found == nil {
		reply.Total = sumsOf(&past)
		return reply, nil
	}
	found.mutex.Lock()
	total, recent := found.window.Total(), found.window.Since(l.clock.Now().Unix()-int64(r.Seconds)+1)
	reply.Waiting = found.window.Waiting()
	found.mutex.Unlock()
	reply.Total = sumsOf(&total)
	for i := range recent {
		reply.Seconds = append(reply.Seconds, ledgerSecond{recent[i].At, sumsOf(&recent[i].Account)})
	}
	return reply, nil
}

// ledgerOf finds the room, or the sums of one that was let go.
func (l *Rooms) ledgerOf(id int64) (found *room, past window.Account) {
	l.mutex.RLock()
	defer l.mutex.RUnlock()
	return l.rooms[id], l.past[id]
}

func sumsOf(a *window.Account) []sums {
	all := make([]sums, 0, len(window.Priorities()))
	for _, p := range window.Priorities() {
		of := a.Of(p)
		all = append(all, sums{
			Priority: p.String(), Received: of.Received, Pushed: of.Pushed, Dropped: droppedOf(of), Given: of.Given, Skipped: of.Skipped,
		})
	}
	return all
}

// Watch publishes what becomes of the messages of all live rooms of the node, and how many rooms and members there are. Call it once.
func (l *Rooms) Watch(registry prometheus.Registerer) {
	l.watchMemory(registry)
	registry.MustRegister(&collector{
		rooms: l,
		messages: prometheus.NewDesc("magpie_live_messages_total",
			"Messages in live rooms, by priority and what became of them: received, pushed, or why they were dropped.",
			[]string{"priority", "outcome"}, nil),
		given: prometheus.NewDesc("magpie_live_given_total",
			"Messages of live rooms, each as often as a session was given it, or has skipped it, by priority.", []string{"priority", "outcome"}, nil),
		open:   prometheus.NewDesc("magpie_live_rooms", "Live rooms in the memory of this node.", nil, nil),
		inside: prometheus.NewDesc("magpie_live_members", "Accounts that are inside live rooms on this node, each as often as it is.", nil, nil),
	})
}

// collector gives the sums of all rooms at each scrape.
type collector struct {
	rooms                         *Rooms
	messages, given, open, inside *prometheus.Desc
}

// Describe implements [prometheus.Collector].
func (c *collector) Describe(to chan<- *prometheus.Desc) {
	to <- c.messages
	to <- c.given
	to <- c.open
	to <- c.inside
}

// Collect implements [prometheus.Collector].
func (c *collector) Collect(to chan<- prometheus.Metric) {
	all, open, inside := c.rooms.sums()
	counter := func(n uint64, labels ...string) {
		to <- prometheus.MustNewConstMetric(c.messages, prometheus.CounterValue, float64(n), labels...)
	}
	for _, p := range window.Priorities() {
		counter(all.Of(p).Received, p.String(), "received")
		counter(all.Of(p).Pushed, p.String(), "pushed")
		for _, why := range window.Reasons() {
			counter(all.Of(p).Dropped[why], p.String(), why.String())
		}
	}
	for _, p := range window.Priorities() {
		for outcome, n := range map[string]int64{"given": all.Of(p).Given, "skipped": all.Of(p).Skipped} {
			to <- prometheus.MustNewConstMetric(c.given, prometheus.CounterValue, float64(n), p.String(), outcome)
		}
	}
	to <- prometheus.MustNewConstMetric(c.open, prometheus.GaugeValue, float64(open))
	to <- prometheus.MustNewConstMetric(c.inside, prometheus.GaugeValue, float64(inside))
}

// sums adds up all rooms, also those that were let go.
func (l *Rooms) sums() (all window.Account, open, inside int) {
	l.mutex.RLock()
	defer l.mutex.RUnlock()
	all = l.former
	for _, one := range l.past {
		all.Add(one)
	}
	for _, r := range l.rooms {
		r.mutex.Lock()
		all.Add(r.window.Total())
		inside += len(r.members)
		r.mutex.Unlock()
	}
	return all, len(l.rooms), inside
}

// pastMost is how many of the rooms that were let go are known with their sums. Those above it are in the sums of all alone.
const pastMost = 10_000

// keepSums keeps the sums of a room that is let go, so that they go on when the room is used again; the caller holds the mutexes of both.
func (l *Rooms) keepSums(r *room) {
	if r.ended || len(l.past) >= pastMost {
		l.former.Add(r.window.Total())
		return
	}
	l.past[r.id] = r.window.Total()
}

// Walked counts what became of a push that went round.
func (l *Rooms) Walked(subject bus.Subject, carried event.Carried, given, skipped int) {
	if carried == (event.Carried{}) {
		return
	}
	now, r := l.clock.Now(), l.find(subject.ID)
	if r == nil { // it was let go while the push went round
		var late window.Ledger
		count(&late, carried, given, skipped, now)
		l.mutex.Lock()
		defer l.mutex.Unlock()
		l.former.Add(late.Total())
		return
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	count(&r.window.Ledger, carried, given, skipped, now)
}

func count(in *window.Ledger, carried event.Carried, given, skipped int, at time.Time) {
	for p, n := range carried {
		if n > 0 {
			in.Walk(window.Priority(p), int64(n)*int64(given), int64(n)*int64(skipped), at)
		}
	}
}
