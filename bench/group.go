package bench

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// GroupOptions say what `magpie bench group` measures.
type GroupOptions struct {
	Setup
	// Connections send, five of them in each group; so many of its members are online.
	Connections int
	// InFlight is how many sends of one connection are under way; 0 is 1.
	InFlight int
	// Members is how many a large group has; those that do not send are stored only.
	Members int
	// Turns is how often each kind of phase is measured.
	Turns int
	// Size is the length of a MsgBody in bytes.
	Size int
	// Online are the members of the group that a few of them send Rate messages a second to; 0 leaves this out.
	Online           int
	Rate             float64
	Warmup, Duration time.Duration
}

const (
	// smallGroup is how many members a small group has. All of them send.
	smallGroup = 5
	// mostMembers is what a community may have, and usualMembers any other group.
	mostMembers  = 1_000_000
	usualMembers = 6000
	// mostOnline bounds the sessions that hear a group.
	mostOnline = 20_000
)

// Validate refuses what cannot be run.
func (o *GroupOptions) Validate() error {
	switch {
	case o.Connections < 2*smallGroup || o.Connections%(2*smallGroup) != 0:
		return fmt.Errorf("--connections: want a multiple of %d, as they are in groups of %d, and in pairs", 2*smallGroup, smallGroup)
	case o.Members <= smallGroup || o.Members > mostMembers:
		return fmt.Errorf("--members: want %d to %d", smallGroup+1, mostMembers)
	case o.Turns < 1 || o.InFlight < 0 || o.InFlight > maxInFlight/2:
		return fmt.Errorf("--turns: want at least 1; --in-flight: 1 to %d", maxInFlight/2)
	case o.Size < minSize:
		return fmt.Errorf("--size: want at least %d bytes", minSize)
	case o.Online != 0 && (o.Online < fanSenders || o.Online > mostOnline) || o.Online > 0 && o.Rate <= 0:
		return fmt.Errorf("--online: want 0, or %d to %d with a --rate above zero", fanSenders, mostOnline)
	case o.Warmup < 0 || o.Duration < shortest:
		return errors.New("--duration: want at least 100ms; --warmup: not below zero")
	}
	return nil
}

// Group measures sends into small and large groups beside one-to-one sends, and pushes to many members beside a server that only
// broadcasts.
func Group(ctx context.Context, o GroupOptions) (*GroupReport, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	return onStage(ctx, o.Setup, o.Connections+o.Online, o.measure)
}

func (o *GroupOptions) measure(ctx context.Context, s *stage) (*GroupReport, error) {
	r := &GroupReport{
		Store: o.store(), Connections: o.Connections, InFlight: max(o.InFlight, 1), Members: o.Members, Size: o.Size, Online: o.Online,
		Rate: o.Rate, Seconds: o.Duration.Seconds(),
	}
	r.flags = map[string]any{
		"connections": o.Connections, "in-flight": r.InFlight, "members": o.Members, "turns": o.Turns, "size": o.Size,
		"online": o.Online, "rate": o.Rate, "warmup": o.Warmup, "duration": o.Duration,
	}
	// A node takes 40 messages of a group in a second, if nobody says otherwise.
	if err := s.configure(ctx, map[string]string{"group.message_rate": fmt.Sprint(unlimitedRate)}); err != nil {
		return nil, err
	}
	processors := s.processors()
	if err := o.sends(ctx, s, r); err != nil {
		return nil, err
	}
	err := o.fan(ctx, s, r)
	r.OthersCPU = s.others(processors)
	return r, err
}
