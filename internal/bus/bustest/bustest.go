// Package bustest holds the contract of bus.Bus as tests that every implementation passes, and what other rooms need
// to test with a bus: a handler that records and a NATS server inside the test. It knows nothing about implementations.
package bustest

import (
	"context"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/bus"
)

// Patience is how long the tests wait for what must happen. It is long, because only a failing test waits for it.
const Patience = 20 * time.Second

// Open makes two nodes of one service, a and b. They may be one and the same bus. Both are closed by the test's Cleanup.
type Open func(t *testing.T) (a, b bus.Bus)

// Run tests the whole contract. Each subtest opens its own buses.
func Run(t *testing.T, open func(t *testing.T) (a, b bus.Bus)) {
	tests := []struct {
		name string
		run  func(t *testing.T, open Open)
	}{
		{"delivers to the other node and to itself", testCarries},
		{"tells subjects apart", testSubjectsApart},
		{"delivers nothing after Unsubscribe", testUnsubscribe},
		{"has one handler per subject", testOneHandler},
		{"keeps the order", testOrder},
		{"serves many subjects with one handler", testManySubjects},
		{"publishes without subscribers", testNoSubscribers},
		{"carries any size up to MaxData", testSizes},
		{"lets a receiver keep data", testRetention},
		{"may be called from within Receive", testReentrancy},
		{"obeys Unsubscribe from within Receive", testUnsubscribeWithin},
		{"is safe for concurrent use", testConcurrency},
		{"refuses bad subjects", testBadSubject},
		{"counts", testStats},
		{"closes", testClose},
		{"closes under load", testCloseUnderLoad},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { test.run(t, open) })
	}
}

// Devices is the subject most tests use.
func Devices(id int64) bus.Subject { return bus.Subject{Kind: bus.KindDevices, ID: id} }

// Publish fails the test if b refuses.
func Publish(t testing.TB, b bus.Bus, s bus.Subject, data string) {
	t.Helper()
	if err := b.Publish(s, []byte(data)); err != nil {
		t.Fatalf("publish to %v: %v", s, err)
	}
}

// Subscribe fails the test if b refuses. The other nodes' messages arrive after Flush.
func Subscribe(t testing.TB, b bus.Bus, s bus.Subject, h bus.Handler) {
	t.Helper()
	if err := b.Subscribe(s, h); err != nil {
		t.Fatalf("subscribe to %v: %v", s, err)
	}
}

// Unsubscribe fails the test if b refuses.
func Unsubscribe(t testing.TB, b bus.Bus, s bus.Subject) {
	t.Helper()
	if err := b.Unsubscribe(s); err != nil {
		t.Fatalf("unsubscribe from %v: %v", s, err)
	}
}

// Flush fails the test if the server does not answer.
func Flush(t testing.TB, b bus.Bus) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	if err := b.Flush(ctx); err != nil {
		t.Fatalf("flush: %v", err)
	}
}
