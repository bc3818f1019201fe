// Package bus carries bus messages between the nodes of one service: publish and subscribe by [Subject], nothing else.
//
// A message here is a bus message, and a hint: the truth is in the database, so the bus may lose messages when a node is
// too slow or a connection breaks. Messages that a limit drops are counted in [Stats], and a node that may have missed
// messages is told through OnGap. Nodes cannot know of messages that a publisher lost on their way to the server.
//
// Two buses keep one contract, tested by bustest: [Memory] for a single node and [NATS] for several. The package knows
// neither accounts nor events nor sessions; only those that publish and receive the bytes know what they mean.
package bus

import (
	"context"
	"errors"
	"strconv"
)

// Kind says what the id of a [Subject] counts. Its value is the letter that stands for it in a NATS subject, so a
// new kind is one new lowercase letter here.
type Kind byte

// The kinds in use.
const (
	KindDevices Kind = 'u' // one account, on the nodes where a device of it is connected
	KindGroup   Kind = 'g' // one group, on the nodes where a member's device is connected
	KindLive    Kind = 'l' // one live room, on the nodes where a session has joined it
	KindApp     Kind = 'e' // everybody of one application, on the nodes where a session has joined it
	KindWatch   Kind = 's' // the presence of one account, on the nodes where a session watches it
	KindNode    Kind = 'n' // one node
	KindAll     Kind = 'a' // every node that subscribes to it; ID is 0

	KindAccount      Kind = 'c' // news of changed accounts, for every node's cache; ID is 0
	KindChangedGroup Kind = 'r' // news of changed groups, for every node's cache; ID is 0
	KindPresence     Kind = 'o' // who is inside live rooms, for every node; ID is 0
	KindWebhook      Kind = 'w' // an application has new callbacks to deliver, for the node that does; ID is 0
)

// MaxData is the largest message in bytes. It leaves room below the payload limit of an unconfigured NATS server
// (1 MiB); [ConnectNATS] refuses a server that takes less.
const MaxData = 512 << 10

// What the methods of every [Bus] may return, besides errors of the network.
var (
	ErrClosed       = errors.New("bus: closed")
	ErrSubscribed   = errors.New("bus: subject already has a handler")
	ErrSubject      = errors.New("bus: kind of subject is not a lowercase letter")
	ErrTooLarge     = errors.New("bus: data is larger than MaxData")
	ErrFull         = errors.New("bus: too much is waiting to be sent, message dropped")
	ErrDisconnected = errors.New("bus: connection to the server broke")
)

// Subject is the address of a message. It is a comparable value of 16 bytes without pointers, so that tens of
// thousands of idle subscriptions cost little memory and nothing to the garbage collector.
type Subject struct {
	Kind Kind
	ID   int64 // what Kind says; 0 for KindAll
}

// String gives the last two tokens of the NATS subject, such as "u.144115".
func (s Subject) String() string { return string(s.appendTo(nil)) }

func (s Subject) appendTo(b []byte) []byte {
	return strconv.AppendInt(append(b, byte(s.Kind), '.'), s.ID, 10)
}

func (s Subject) check() error {
	if s.Kind < 'a' || s.Kind > 'z' {
		return ErrSubject
	}
	return nil
}

func checkMessage(s Subject, data []byte) error {
	if len(data) > MaxData {
		return ErrTooLarge
	}
	return s.check()
}

// Handler receives messages. One Handler value serves any number of subjects, so a subscription needs no closure.
type Handler interface {
	// Receive must not block: it holds up every other message to this node (NATS) or the publisher itself (Memory).
	// It may call Publish, Subscribe and Unsubscribe of the same bus, but not Close or Flush.
	//
	// data is immutable from Publish on. Receive may keep it without copying and must never write to it: other
	// nodes' handlers and the publisher may be reading the same bytes.
	Receive(s Subject, data []byte)
}

// Bus is one node's end of the bus. Its methods may be called from any goroutine, and after Close return [ErrClosed].
//
// Messages from one publisher to one subject are received in the order of the Publish calls, each at most once.
// A node also receives what it publishes itself, if it subscribes to the subject.
type Bus interface {
	// Publish sends data to the handler of s on every node that has one; without any, it is a cheap no-op. It never
	// waits for another node or the server. The caller must not change data afterwards. A nil error means accepted, not
	// received; ErrFull means dropped and counted, which a caller whose truth is in the database may ignore.
	Publish(s Subject, data []byte) error

	// Subscribe makes h the handler of s on this node. A subject has at most one: a second Subscribe returns
	// ErrSubscribed and leaves the first in place. Other nodes' messages are sure to arrive only after Flush.
	// h must not be nil.
	Subscribe(s Subject, h Handler) error

	// Unsubscribe forgets the handler of s. A Receive that is running, or that a concurrent Publish is about to
	// call, may still finish after Unsubscribe has returned. No handler to forget is not an error.
	Unsubscribe(s Subject) error

	// Flush returns when the server has processed every Publish, Subscribe and Unsubscribe that returned before it.
	// Over NATS it waits ten seconds at most, and not at all while the server does not answer. ErrDisconnected says so, and
	// that what was under way may be lost; a gap follows if it was.
	Flush(ctx context.Context) error

	// Close ends all subscriptions and gives what is waiting to be sent to the network, without waiting for it to
	// arrive. Closing again returns nil.
	Close() error
}

// Stats are totals since the bus was made.
type Stats struct {
	Published  uint64 // accepted by Publish
	Received   uint64 // given to handlers
	Dropped    uint64 // lost to a limit of this node, outbound or inbound; never more than were really lost
	Reconnects uint64 // connections re-established; each was followed by a call of the OnGap function
}
