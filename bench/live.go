package bench

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"
)

// LiveOptions say what `magpie bench live` measures.
type LiveOptions struct {
	Setup
	// Members are inside live rooms, each in one of Rooms rooms.
	Members, Rooms int
	// Rates are the messages a second to each room, by priority, the highest first.
	Rates [livePriorities]float64
	// Limit is the room's rate (live.message_rate); 0 leaves the server's default.
	Limit int
	// Slow is how many members stop reading in phases of their own; 0 leaves these out.
	Slow int
	// Turns is how often each kind of phase is measured.
	Turns int
	// Size is the length of a MsgBody in bytes.
	Size             int
	Warmup, Duration time.Duration
}

// livePriorities is the number of priorities.
const livePriorities = 4

// priorityNames are the priorities on the wire, the highest first.
func priorityNames() [livePriorities]string {
	return [livePriorities]string{"High", "Normal", "Low", "Lowest"}
}

const (
	mostLiveMembers = 500_000
	mostLiveRooms   = 1000
	// liveFiles is how many files a process of the run has open beside its members' connections.
	liveFiles = 1000
)

// Validate refuses what cannot be run.
func (o *LiveOptions) Validate() error {
	rate := 0.0
	for _, one := range o.Rates {
		if one < 0 || one > maxRate {
			return fmt.Errorf("--high, --normal, --low, --lowest: want 0 to %d", maxRate)
		}
		rate += one
	}
	switch {
	case o.Members < 1 || o.Members > mostLiveMembers:
		return fmt.Errorf("--members: want 1 to %d", mostLiveMembers)
	case o.Rooms < 1 || o.Rooms > min(o.Members, mostLiveRooms):
		return fmt.Errorf("--rooms: want 1 to %d, and no more than members", mostLiveRooms)
	case rate == 0:
		return errors.New("--high, --normal, --low, --lowest: want one above zero")
	case o.Slow < 0 || o.Slow >= o.Members:
		return errors.New("--slow: want fewer than members")
	case o.Turns < 1 || o.Limit < 0:
		return errors.New("--turns: want at least 1; --limit: not below zero")
	case o.Size < minLiveSize:
		return fmt.Errorf("--size: want at least %d bytes", minLiveSize)
	case o.Warmup < 0 || o.Duration < shortest:
		return errors.New("--duration: want at least 100ms; --warmup: not below zero")
	}
	return nil
}

// Live measures pushes to the members of live rooms beside a server that only writes the same frames.
func Live(ctx context.Context, o LiveOptions) (report *LiveReport, err error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	each, err := membersOfProcess()
	if err != nil {
		return nil, err
	}
	processes := (o.Members + each - 1) / each
	if processes > 1 && (o.DB == "" || o.Bus == "") {
		return nil, fmt.Errorf("--members: a process may open %d files, so %d members are %d servers, which need --db and --bus",
			each+liveFiles, o.Members, processes)
	}
	if err := wantFiles(min(o.Members, each) + liveFiles); err != nil {
		return nil, err
	}
	s, err := newStage(ctx, o.Setup, processes)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	for _, n := range s.nodes {
		n.env = append(n.env, "MAGPIE_COMMANDS_PER_SECOND=0")
	}
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	return o.measure(ctx, s)
}

// membersOfProcess is how many members one process can have, as each takes a file.
func membersOfProcess() (int, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("read the limit on open files: %w", err)
	}
	if limit.Max < 2*liveFiles {
		return 0, fmt.Errorf("this process may open %d files; want %d at least (ulimit -Hn)", limit.Max, 2*liveFiles)
	}
	return int(min(limit.Max, mostLiveMembers)) - liveFiles, nil
}

// show is live rooms with their members, beside a server that only writes.
type show struct {
	*LiveOptions
	stage   *stage
	admin   []*backEnd // one for each server
	parties []*party   // the members, some to each server
	bare    []*party   // as many connections to servers that only write
	walkers []*node
	walks   []*bareCaster // one for each of these servers
	talk    *talk
	probe   *probe

	profiled bool
}

func (o *LiveOptions) measure(ctx context.Context, s *stage) (r *LiveReport, err error) {
	w := &show{LiveOptions: o, stage: s}
	defer func() { err = errors.Join(err, w.close()) }()
	r = o.report(s)
	if o.Limit > 0 {
		if err := s.configure(ctx, map[string]string{"live.message_rate": fmt.Sprint(o.Limit)}); err != nil {
			return nil, err
		}
	}
	if r.Before, err = w.memory(ctx); err != nil {
		return nil, err
	}
	if err := w.gather(ctx); err != nil {
		return nil, err
	}
	if r.Joined, err = w.memory(ctx); err != nil {
		return nil, err
	}
	for range o.Turns {
		if err := w.turn(ctx, r); err != nil {
			return nil, err
		}
	}
	r.After, err = w.memory(ctx)
	return r, err
}

// turn measures each kind of phase once.
func (w *show) turn(ctx context.Context, r *LiveReport) error {
	p, err := w.phase(ctx, "live", 0)
	if err != nil {
		return err
	}
	r.Live = append(r.Live, *p)
	if w.Slow > 0 {
		slow, err := w.phase(ctx, "slow", w.Slow)
		if err != nil {
			return err
		}
		r.Slow = append(r.Slow, *slow)
	}
	bare, err := w.barePhase(ctx, p)
	if err != nil {
		return err
	}
	r.Bare = append(r.Bare, *bare)
	return nil
}

// gather makes the rooms, and has everybody enter.
func (w *show) gather(ctx context.Context) error {
	for _, n := range w.stage.nodes {
		one, err := w.stage.backEnd(n)
		if err != nil {
			return err
		}
		w.admin = append(w.admin, one)
	}
	for room := range w.Rooms {
		owner := roomName(room) + "-owner"
		if err := w.admin[0].importAccounts(ctx, []string{owner}); err != nil {
			return err
		}
		if err := w.admin[0].makeGroup(ctx, roomName(room), "AVChatRoom", []string{owner}); err != nil {
			return err
		}
	}
	started := now()
	if err := w.enter(ctx); err != nil {
		return err
	}
	w.stage.progress("%d members entered within %.1f s", w.Members, now().Sub(started).Seconds())
	var err error
	if w.talk, err = newTalk(ctx, w); err != nil {
		return err
	}
	w.probe, err = newProbe(ctx, w.stage)
	return err
}

// enter starts the processes of the members, and those that they are compared with.
func (w *show) enter(ctx context.Context) error {
	n := len(w.stage.nodes)
	for i, node := range w.stage.nodes {
		first, last := i*w.Members/n, (i+1)*w.Members/n
		order := partyOrder{
			App: uint32(w.stage.app), Key: w.stage.key, Address: node.address, First: first, Count: last - first, Rooms: w.Rooms,
		}
		one, err := startParty(ctx, w.stage.setup, order)
		if err != nil {
			return err
		}
		w.parties = append(w.parties, one)
		if err := w.startBare(ctx, order); err != nil {
			return err
		}
	}
	return nil
}

// startBare starts a server that only writes, and as many connections to it as a server has members.
func (w *show) startBare(ctx context.Context, order partyOrder) error {
	address, err := freeAddress(ctx)
	if err != nil {
		return err
	}
	bare := &node{exe: w.stage.setup.Exe, env: w.stage.setup.Env, address: address, bare: true, walks: true}
	w.walkers = append(w.walkers, bare)
	if err := bare.start(ctx); err != nil {
		return err
	}
	order.Bare, order.Address = true, address
	one, err := startParty(ctx, w.stage.setup, order)
	if err != nil {
		return err
	}
	w.bare = append(w.bare, one)
	caster, err := newBareCaster(ctx, address)
	w.walks = append(w.walks, caster)
	return err
}

func (w *show) close() error {
	if w.talk != nil {
		w.talk.close()
	}
	if w.probe != nil {
		w.probe.close()
	}
	var all []error
	for _, one := range append(w.parties, w.bare...) {
		all = append(all, one.stop())
	}
	for _, one := range w.walks {
		if one != nil {
			one.close()
		}
	}
	for _, one := range w.walkers {
		all = append(all, one.stop())
	}
	return errors.Join(all...)
}

// memory is what all servers occupy together.
func (w *show) memory(ctx context.Context) (all Memory, err error) {
	for _, n := range w.stage.nodes {
		one, err := n.memory(ctx)
		if err != nil {
			return all, err
		}
		all.Resident += one.Resident
		all.Heap += one.Heap
		all.Stacks += one.Stacks
	}
	return all, nil
}

func roomName(room int) string { return fmt.Sprintf("live-%04d", room) }
