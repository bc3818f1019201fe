package bustest

import (
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/bus"
)

// Message is one call of Receive.
type Message struct {
	Subject bus.Subject
	Data    []byte
}

// Recorder is a bus.Handler that keeps what it receives until the test asks for it.
type Recorder struct {
	t        testing.TB
	messages chan Message
}

// NewRecorder makes room for so many messages that were not asked for yet; one more fails the test.
func NewRecorder(t testing.TB, room int) *Recorder {
	return &Recorder{t: t, messages: make(chan Message, room)}
}

// Receive implements bus.Handler.
func (r *Recorder) Receive(s bus.Subject, data []byte) {
	select {
	case r.messages <- Message{s, data}:
	default:
		r.t.Errorf("more than %d messages, the last to %v", cap(r.messages), s)
	}
}

// Next waits for the next message.
func (r *Recorder) Next() Message {
	r.t.Helper()
	select {
	case m := <-r.messages:
		return m
	case <-time.After(Patience):
		r.t.Fatal("no message came")
		return Message{}
	}
}

// Want waits for the next message and fails the test if it is another.
func (r *Recorder) Want(s bus.Subject, data string) {
	r.t.Helper()
	if m := r.Next(); m.Subject != s || string(m.Data) != data {
		r.t.Fatalf("received %q to %v, want %q to %v", shorten(m.Data), m.Subject, shorten([]byte(data)), s)
	}
}

// Wait fails the test if done is not closed in time.
func Wait(t testing.TB, done <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(Patience):
		t.Fatalf("waited in vain: %s", what)
	}
}

func shorten(data []byte) []byte { return data[:min(len(data), 40)] }

// handlerFunc lets a test write its handler in place.
type handlerFunc func(s bus.Subject, data []byte)

func (f handlerFunc) Receive(s bus.Subject, data []byte) { f(s, data) }
