// Package event carries what is pushed to clients: it turns a value into the frame that clients read and routes the
// frame to the nodes that hold the receiver's devices.
//
// A room declares what it pushes in its events.go, with Define. This package does not know what events mean, nor which
// connections exist; that is the gateway's.
package event

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"reflect"
	"sync/atomic"

	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// Item is one element of a push's EventArray (docs/protocol/wire.md#push-catalogue).
type Item struct {
	number int
	key    string
	value  any
}

// Kind is a declared sort of item.
type Kind[T any] struct {
	number int
	key    string
}

// Define declares a sort of item: its Event number and the key that holds its value. Clients route an item by its key.
func Define[T any](number int, key string) Kind[T] { return Kind[T]{number, key} }

// Declared is a sort of item as its room declares it: where its value stands, and of what type it is.
type Declared struct {
	Key  string
	Type reflect.Type
}

// Declaration is what clients have to know of the sort.
func (k Kind[T]) Declaration() Declared { return Declared{k.key, reflect.TypeFor[T]()} }

// Of makes an item of this sort.
func (k Kind[T]) Of(value T) Item { return Item{k.number, k.key, value} }

// encode writes {"Event":number,key:value}.
func (i Item) encode() ([]byte, error) {
	value, err := wire.Marshal(i.value)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, `{"Event":%d,"%s":%s}`, i.number, i.key, value), nil
}

// The servcmd of a push's head, by which clients choose how to read it.
const (
	carrier       = "im_open_push.msg_push"
	logoutCarrier = "im_open_status.stat_forceoffline"
)

// Router publishes pushes. It is safe for concurrent use.
type Router struct {
	bus bus.Bus
	seq atomic.Uint32
}

// NewRouter makes a router over the bus.
func NewRouter(b bus.Bus) *Router { return &Router{bus: b} }

// Push sends items to an audience, wherever its devices are connected. A push is a hint: a device that does not get
// it finds the same in history, so a failure is for the log and never fails the command that caused it.
func (r *Router) Push(to Audience, items ...Item) error {
	frame, err := r.Frame(items...)
	if err != nil {
		return err
	}
	return r.Send(to, frame)
}

// Frame encodes a push once, for any number of Send.
func (r *Router) Frame(items ...Item) ([]byte, error) {
	return r.encode(carrier, items, "")
}

// Send publishes an encoded push.
func (r *Router) Send(to Audience, frame []byte) error {
	return r.publish(to, actionPush, 0, frame)
}

// LogOut tells an account's devices, or the one that the audience names, that they were logged out. reason is the KickType
// that the client reads; the gateway closes the connection when the client has confirmed.
func (r *Router) LogOut(to Audience, reason int) error {
	frame, err := r.LogOutFrame(reason)
	if err != nil {
		return err
	}
	return r.publish(to, actionLogOut, reason, frame)
}

// LogOutFrame is what LogOut has written to the device's client.
func (r *Router) LogOutFrame(reason int) ([]byte, error) {
	return r.encode(logoutCarrier, []Item{logout.Of([]logoutNotice{{kickout{KickType: reason}}})}, "")
}

// Replace tells whichever node holds an older connection of this device to drop it, because the device is back on a
// new one.
func (r *Router) Replace(account im.AccountID, device im.InstanceID, connection uint64) error {
	return r.publish(Devices(account).Only(device), actionReplace, 0, binary.BigEndian.AppendUint64(nil, connection))
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

// Flush returns when what was published has left this process, so that its end does not take it along.
func (r *Router) Flush(ctx context.Context) error {
	if err := r.bus.Flush(ctx); err != nil {
		return fmt.Errorf("flush events: %w", err)
	}
	return nil
}

var logout = Define[[]logoutNotice](15, "C2cNotifyMsgArray")

type logoutNotice struct {
	KickoutMsgNotify kickout `json:"KickoutMsgNotify"`
}

type kickout struct {
	KickType int `json:"KickType"`
}

// Events lists what this package pushes by itself.
func Events() []Declared { return []Declared{logout.Declaration()} }

// encode writes the frame by hand around the values: a codec would read and write every value again at each level.
// more is what the body holds after the items: nothing, or a comma and members.
func (r *Router) encode(servcmd string, items []Item, more string) ([]byte, error) {
	values, size := make([][]byte, len(items)), 0
	for i, item := range items {
		value, err := item.encode()
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
	return r.encode(carrier, []Item{none}, `,"Flag":1`)
}
