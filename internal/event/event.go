// Package event pushes events to clients: it turns a value into the frame that clients read, and publishes the frame for
// the nodes that have sessions of the audience.
//
// A room declares its events in its events.go, with Define. This package does not know what events mean, nor which
// sessions exist; that is the gateway's.
package event

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"reflect"
	"slices"
	"sync/atomic"

	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// Event is one member of a push's EventArray (docs/protocol/wire.md#push-catalogue).
type Event struct {
	number int
	key    string // empty: the value's members stand beside the number
	value  any
}

// Kind is a declared kind of event.
type Kind[T any] struct {
	number int
	key    string
	open   bool
}

// Define declares a kind of event: its number on the wire, Event, and the key that holds its value. Clients tell kinds
// apart by the key.
func Define[T any](number int, key string) Kind[T] { return Kind[T]{number: number, key: key} }

// DefineOpen declares a kind whose value is an object of which the members stand beside the number. Clients tell kinds apart by
// the member with the key.
func DefineOpen[T any](number int, key string) Kind[T] { return Kind[T]{number, key, true} }

// Declared is a kind of event as its room declares it: the key that holds its value, and the value's type.
type Declared struct {
	Key  string
	Type reflect.Type
}

// Declaration is what clients have to know of the kind.
func (k Kind[T]) Declaration() Declared { return Declared{k.key, reflect.TypeFor[T]()} }

// Of makes an event of this kind.
func (k Kind[T]) Of(value T) Event {
	if k.open {
		return Event{number: k.number, value: value}
	}
	return Event{k.number, k.key, value}
}

// MarshalJSON writes the event as a member of an EventArray.
func (e Event) MarshalJSON() ([]byte, error) { return e.encode() }

// encode writes {"Event":number,key:value}, or the members of the value in the place of the key.
func (e Event) encode() ([]byte, error) {
	value, err := wire.Marshal(e.value)
	if err != nil {
		return nil, err
	}
	if e.key == "" {
		return wire.Join(fmt.Appendf(nil, `{"Event":%d}`, e.number), value), nil
	}
	return fmt.Appendf(nil, `{"Event":%d,"%s":%s}`, e.number, e.key, value), nil
}

// The servcmd of a push's head, by which clients choose how to read it.
const (
	carrier     = "im_open_push.msg_push"
	kickCarrier = "im_open_status.stat_forceoffline"
)

// Router publishes pushes. It is safe for concurrent use.
type Router struct {
	bus bus.Bus
	seq atomic.Uint32
}

// NewRouter makes a router over the bus.
func NewRouter(b bus.Bus) *Router { return &Router{bus: b} }

// Push pushes events to an audience, on whichever node its sessions are. A push is a hint: a device that does not get it
// finds the same in the history, so an error is for the log and never fails the command that caused the push.
func (r *Router) Push(to Audience, events ...Event) error {
	frame, err := r.Frame(events...)
	if err != nil {
		return err
	}
	return r.Send(to, frame)
}

// Frame encodes a push once, for any number of Send.
func (r *Router) Frame(events ...Event) ([]byte, error) {
	return r.encode(carrier, events, "")
}

// Send publishes an encoded push.
func (r *Router) Send(to Audience, frame []byte) error {
	return r.publish(to, actionPush, 0, frame)
}

// Kick tells an account's devices, or the one that the audience names, that their login has ended. reason is the KickType
// that the client reads, and by the device whose login kicked them, 0 for none; the gateway closes the connection when the
// client has confirmed.
func (r *Router) Kick(to Audience, reason int, by im.DeviceID) error {
	frame, err := r.KickFrame(reason, by)
	if err != nil {
		return err
	}
	return r.publish(to, actionKick, reason, frame)
}

// KickFrame is the frame that Kick pushes.
func (r *Router) KickFrame(reason int, by im.DeviceID) ([]byte, error) {
	return r.encode(kickCarrier, []Event{kick.Of([]kickEvent{{kickout{reason, NewDeviceOf(by)}}})}, "")
}

// Replace has the node with an older session of this device end it, because the device has a new one: session is the
// number of the new session.
func (r *Router) Replace(account im.AccountID, device im.DeviceID, session uint64) error {
	return r.publish(Devices(account).Only(device), actionReplace, 0, binary.BigEndian.AppendUint64(nil, session))
}

// Leave takes the devices of accounts out of a group's audience, on every node that hears of the group: what is pushed to the
// group later does not reach them. The group is its number in the store. LeaveOwn follows for each of the accounts.
func (r *Router) Leave(group int64, accounts ...im.AccountID) error {
	for some := range slices.Chunk(accounts, leaveTogether) {
		if err := r.publish(Group(group), actionLeave, 0, membership(group, some...)); err != nil {
			return err
		}
	}
	return nil
}

// leaveTogether is how many accounts one bus message takes out of a group.
const leaveTogether = 1000

// LeaveOwn says by an account's own subject that it left a group, for nodes that hear nothing of the group yet, as a session
// there is about to join it.
func (r *Router) LeaveOwn(group int64, account im.AccountID) error {
	return r.publish(Devices(account), actionLeave, 0, membership(group, account))
}

// Empty takes everybody out of a group's audience, on every node. It is for a group that is there no more.
func (r *Router) Empty(group int64) error { return r.publish(Group(group), actionEmpty, 0, nil) }

// LeaveLive takes accounts' devices out of a live room's audience, on every node.
func (r *Router) LeaveLive(room int64, accounts ...im.AccountID) error {
	return r.publish(LiveRoom(room), actionLeave, 0, membership(room, accounts...))
}

// EmptyLive is Empty for a live room's audience.
func (r *Router) EmptyLive(room int64) error { return r.publish(LiveRoom(room), actionEmpty, 0, nil) }

// Join brings an account's devices into a group's audience, on every node. The group is its number in the store.
func (r *Router) Join(group int64, account im.AccountID) error {
	return r.publish(Devices(account), actionJoin, 0, membership(group, account))
}

func (r *Router) publish(to Audience, action byte, reason int, frame []byte) error {
	message := make([]byte, 0, headerSize+len(frame))
	message = append(message, action, byte(reason))
	message = binary.BigEndian.AppendUint64(message, uint64(to.except))
	message = binary.BigEndian.AppendUint64(message, uint64(to.only))
	message = binary.BigEndian.AppendUint64(message, uint64(to.brings.Chat))
	message = binary.BigEndian.AppendUint64(message, uint64(to.brings.Number))
	message = append(message, frame...)
	if err := r.bus.Publish(to.subject, message); err != nil {
		return fmt.Errorf("publish event to %v: %w", to.subject, err)
	}
	return nil
}

// Flush returns when all published bus messages have left this process, so that a node that stops loses none.
func (r *Router) Flush(ctx context.Context) error {
	if err := r.bus.Flush(ctx); err != nil {
		return fmt.Errorf("flush events: %w", err)
	}
	return nil
}

var kick = Define[[]kickEvent](15, "C2cNotifyMsgArray")

type kickEvent struct {
	KickoutMsgNotify kickout `json:"KickoutMsgNotify"`
}

type kickout struct {
	KickType int        `json:"KickType"`
	New      *NewDevice `json:"NewInstInfo,omitzero"`
}

// NewDevice tells a device that was kicked which one came. Clients log it.
type NewDevice struct {
	ID im.DeviceID `json:"InstId"`
}

// NewDeviceOf is the device as clients are told of it; nil when there is none.
func NewDeviceOf(by im.DeviceID) *NewDevice {
	if by == 0 {
		return nil
	}
	return &NewDevice{by}
}

// Events lists the kinds of events that this package pushes by itself.
func Events() []Declared { return []Declared{kick.Declaration()} }

// encode writes the frame by hand around the values: a codec would read and write every value again at each level.
// more is what the body holds after the events: nothing, or a comma and members.
func (r *Router) encode(servcmd string, events []Event, more string) ([]byte, error) {
	values, size := make([][]byte, len(events)), 0
	for i, e := range events {
		value, err := e.encode()
		if err != nil {
			return nil, fmt.Errorf("encode push: %w", err)
		}
		values[i] = value
		size += len(value) + 1
	}
	const around = 120
	frame := make([]byte, 0, around+size+len(more))
	frame = fmt.Appendf(frame, `{"head":{"servcmd":"%s","seq":%d},"body":{"EventArray":[`, servcmd, r.seq.Add(1))
	frame = append(frame, bytes.Join(values, []byte{','})...)
	frame = append(frame, ']')
	frame = append(frame, more...)
	return append(frame, '}', '}'), nil
}

// Resync is the frame that makes a client ask for what it missed: a push of no messages with Flag 1
// (docs/protocol/wire.md#push).
func (r *Router) Resync() ([]byte, error) {
	none := Define[[]struct{}](9, "C2cMsgArray").Of([]struct{}{})
	return r.encode(carrier, []Event{none}, `,"Flag":1`)
}
