package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/lxzan/gws"
)

const (
	// fanSenders are the members that send in a group whose others only hear.
	fanSenders = 4
	fanID      = "fan"
)

// fan is a group with many members online, and beside it a server that broadcasts the same frames to as many connections.
type fan struct {
	*GroupOptions
	stage  *stage
	group  *traffic
	hears  []*session
	frame  atomic.Pointer[[]byte] // a push of the group, as it came
	bare   *node
	cast   *traffic
	listen []*session // at the bare server; the first of them sends
}

// fan measures pushes to many members in turns with the bare server's.
func (o *GroupOptions) fan(ctx context.Context, s *stage, r *GroupReport) (err error) {
	if o.Online == 0 {
		return nil
	}
	f := &fan{GroupOptions: o, stage: s}
	defer func() { err = errors.Join(err, f.close()) }()
	if err := f.gather(ctx); err != nil {
		return err
	}
	if err := f.startBare(ctx); err != nil {
		return err
	}
	for range o.Turns {
		for _, one := range []struct {
			name   string
			t      *traffic
			phases *[]Phase
		}{{"fan", f.group, &r.Fan}, {"bare", f.cast, &r.Bare}} {
			f.beat(ctx)
			found, err := one.t.run(ctx, plan{one.name, o.Rate, o.Warmup, o.Duration})
			if err != nil {
				return err
			}
			*one.phases = append(*one.phases, found)
		}
	}
	return nil
}

func (f *fan) close() error {
	if f.group != nil {
		f.group.close()
	}
	for _, all := range [][]*session{f.hears, f.listen} {
		for _, one := range all {
			if one != nil {
				one.close()
			}
		}
	}
	if f.bare == nil {
		return nil
	}
	return f.bare.stop()
}

// gather logs everybody in and makes the group of them.
func (f *fan) gather(ctx context.Context) error {
	there := f.stage.target()
	there.first = f.Connections
	f.group = newTraffic(there, &C2COptions{Setup: f.stage.setup, Connections: fanSenders, Size: f.Size})
	f.group.usage, f.group.copies = f.stage.usage, int64(f.Online-1)
	if err := f.group.connect(ctx, fanSenders); err != nil {
		return err
	}
	f.hears = make([]*session, f.Online-fanSenders)
	err := inParallel(len(f.hears), func(i int) (err error) {
		f.hears[i], err = f.logIn(ctx, there, fanSenders+i)
		return err
	})
	if err != nil {
		return err
	}
	names := make([]string, f.Online)
	for i := range names {
		names[i] = there.user(i)
	}
	admin, err := f.stage.backEnd(f.stage.nodes[0])
	if err != nil {
		return err
	}
	if err := admin.makeGroup(ctx, fanID, "Public", names[:fanSenders]); err != nil {
		return err
	}
	for _, d := range f.group.drivers {
		d.group = fanID
	}
	if err := admin.importMembers(ctx, fanID, names[fanSenders:]); err != nil {
		return err
	}
	return f.awaitAll(ctx)
}

func (f *fan) logIn(ctx context.Context, there target, user int) (*session, error) {
	sig, err := there.sign(there.user(user))
	if err != nil {
		return nil, err
	}
	s, err := there.open(ctx, f.stage.nodes[0].address, platformWeb, f.hear)
	if err != nil {
		return nil, err
	}
	if _, err := s.logIn(ctx, map[string]any{"identifier": there.user(user), "usersig": sig}); err != nil {
		s.close()
		return nil, fmt.Errorf("log %s in: %w", there.user(user), err)
	}
	return s, nil
}

// hear counts the messages of a push, and keeps the first one.
func (f *fan) hear(frame []byte) bool {
	if !f.group.heardIn(frame) {
		return false
	}
	if f.frame.Load() == nil {
		kept := bytes.Clone(frame)
		f.frame.CompareAndSwap(nil, &kept)
	}
	return true
}

// heardIn counts the bench messages in a frame that was pushed, and reports whether there are any.
func (t *traffic) heardIn(frame []byte) (some bool) {
	for {
		_, rest, found := bytes.Cut(frame, []byte(stampMark))
		if !found {
			return some
		}
		if due, ok := parseStamp(rest); ok {
			some = true
			t.meter.Load().deliverOne(due, t.watch.ns(), t.open.Load())
		}
		frame = rest
	}
}

// awaitAll sends until a message reached everybody: members hear of their group a moment after they were added.
func (f *fan) awaitAll(ctx context.Context) error {
	const tries, patience = 20, 2 * time.Second
	for range tries {
		m := newMeter(0, 0)
		f.group.meter.Store(m)
		d := f.group.drivers[0]
		d.mutex.Lock()
		_, err := d.client.Send(ctx, d.next("", f.group.watch.ns()))
		d.mutex.Unlock()
		if err != nil {
			return fmt.Errorf("send to the group: %w", err)
		}
		if until(ctx, patience, func() bool { return m.delivered.Load() == f.group.copies }) {
			return nil
		}
	}
	return fmt.Errorf("a message to %d members does not reach all of them", f.Online)
}

// startBare starts the server that broadcasts, with as many connections as the group has members that hear a message.
func (f *fan) startBare(ctx context.Context) error {
	address, err := freeAddress(ctx)
	if err != nil {
		return err
	}
	f.bare = &node{exe: f.stage.setup.Exe, env: f.stage.setup.Env, address: address, bare: true}
	if err := f.bare.start(ctx); err != nil {
		return err
	}
	f.cast = &traffic{watch: f.group.watch, progress: f.stage.setup.Progress, copies: int64(f.Online - 1)}
	f.cast.meter.Store(newMeter(0, 0))
	f.cast.usage = func(context.Context) usage { return usage{processor: used(f.bare.process.Pid)} }
	f.listen = make([]*session, f.Online-1)
	there := f.stage.target()
	err = inParallel(len(f.listen), func(i int) (err error) {
		f.listen[i], err = there.open(ctx, address, platformWeb, f.cast.heardIn)
		return err
	})
	if err != nil {
		return err
	}
	f.cast.sendAt = f.castOf(*f.frame.Load())
	return nil
}

// castOf sends a frame through the bare server, each time with another moment in it.
func (f *fan) castOf(frame []byte) func(k int, due int64) {
	at := bytes.Index(frame, []byte(stampMark)) + len(stampMark)
	return func(_ int, due int64) {
		m := f.cast.meter.Load()
		m.sent.Add(1)
		stampAt(frame[at:], due)
		if err := f.listen[0].socket.WriteMessage(gws.OpcodeBinary, frame); err != nil {
			m.fail(err)
			return
		}
		m.ackOne(due, f.cast.watch.ns(), true)
	}
}

// beat has every session say that it lives, as clients do that hear nothing for a while.
func (f *fan) beat(ctx context.Context) {
	_ = inParallel(len(f.hears), func(i int) error {
		_, err := f.hears[i].call(ctx, nil, "heartbeat.alive", struct{}{})
		return err
	})
}
