package bench

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/magpie-im/magpie/client"
)

// talked is a book of n messages, all acknowledged and each delivered once, and the history that goes with it.
func talked(n int) (*book, []int) {
	b := newBook("alice", "bob")
	var numbers []int
	for range n {
		number := b.next()
		b.settle(number, acked)
		b.deliver(number, b.text(number))
		numbers = append(numbers, number)
	}
	return b, numbers
}

func judge(b *book, numbers []int) Tally {
	var t Tally
	t.count(b)
	t.history(b, numbers)
	t.deliveries(b)
	return t
}

func TestNothingLost(t *testing.T) {
	if got := judge(talked(5)); !got.Clean() || got.Sent != 5 || got.Acked != 5 || len(got.Findings) != 0 {
		t.Errorf("%+v", got)
	}
}

// The checker is worth something only if it fails when it should.
func TestEveryFaultIsFound(t *testing.T) {
	for _, row := range []struct {
		name    string
		spoil   func(b *book, numbers []int) []int
		want    Tally
		finding string
	}{
		{"missing", func(b *book, n []int) []int { b.got[3] = 1; return slices.Delete(n, 2, 3) },
			Tally{Missing: 1, Phantom: 1}, "message 3: acknowledged and not in the history"},
		{"all missing", func(b *book, _ []int) []int { clear(b.got); return nil },
			Tally{Missing: 5, Undelivered: 5}, "message 1 to 5 of 5: acknowledged and never delivered"},
		{"last missing", func(b *book, n []int) []int { b.got[5] = 0; return n[:4] },
			Tally{Missing: 1, Undelivered: 1}, "message 5"},
		{"twice in a row", func(_ *book, n []int) []int { return slices.Insert(n, 2, 2) },
			Tally{Duplicated: 1}, "message 2 is in the history 2 times"},
		{"twice, apart", func(_ *book, n []int) []int { return append(n, 1) },
			Tally{Duplicated: 1}, "message 1 is in the history 2 times"},
		{"three times", func(_ *book, n []int) []int { return append(n, 1, 1) },
			Tally{Duplicated: 2}, "message 1 is in the history 3 times"},
		{"swapped", func(_ *book, n []int) []int { n[1], n[2] = n[2], n[1]; return n },
			Tally{Reordered: 1}, "message 2 is in the history after 3"},
		{"first at the end", func(_ *book, n []int) []int { return append(n[1:], 1) },
			Tally{Reordered: 1}, "message 1 is in the history after 5"},
		{"undelivered", func(b *book, n []int) []int { b.got[4] = 0; return n },
			Tally{Undelivered: 1}, "message 4 of 5: acknowledged and never delivered; the receiver was never away"},
		{"delivered three times", func(b *book, n []int) []int { b.got[4] = 3; return n },
			Tally{DeliveredTwice: 2}, "message 4 was delivered 3 times"},
		{"never sent, stored", func(_ *book, n []int) []int { return append(n, 6) },
			Tally{Phantom: 1}, "never sent"},
		{"of somebody else", func(_ *book, n []int) []int { return append(n, 0) },
			Tally{Phantom: 1}, "never sent"},
		{"never sent, delivered", func(b *book, n []int) []int { b.deliver(6, "x"); b.deliver(0, "y"); return n },
			Tally{Phantom: 2}, `alice never sent: "x"`},
	} {
		t.Run(row.name, func(t *testing.T) {
			b, numbers := talked(5)
			got := judge(b, row.spoil(b, numbers))
			if got.Clean() || !strings.Contains(strings.Join(got.Findings, "\n"), row.finding) {
				t.Errorf("findings %q, want %q", got.Findings, row.finding)
			}
			got.Findings, got.Sent, got.Acked = nil, 0, 0
			if got.faults() != row.want.faults() {
				t.Errorf("counted %+v, want %+v", got, row.want)
			}
		})
	}
}

// faults are the counters alone, comparable.
func (t *Tally) faults() [10]int {
	return [...]int{t.Missing, t.Duplicated, t.Reordered, t.SequenceBroken, t.Undelivered, t.DeliveredTwice, t.Phantom,
		t.Disagreements, t.Crashes, t.ClientsEnded}
}

// A message whose outcome nobody was told may be stored or not, and delivered or not, but only once.
func TestUnsureMessages(t *testing.T) {
	b, numbers := talked(3)
	lost, stored, refused := b.next(), b.next(), b.next()
	b.settle(refused, unsent)
	b.deliver(stored, b.text(stored))
	got := judge(b, append(numbers, stored))
	if !got.Clean() || got.Sent != 5 || got.Unsure != 2 || got.Acked != 3 {
		t.Errorf("message %d is no fault: %+v", lost, got)
	}
	if got := judge(b, append(numbers, stored, stored)); got.Duplicated != 1 {
		t.Errorf("%+v", got)
	}
}

func TestBrokenSequences(t *testing.T) {
	for _, row := range []struct {
		name   string
		last   int64
		found  []int64
		broken int
	}{
		{"whole", 3, []int64{1, 2, 3}, 0},
		{"empty", 0, nil, 0},
		{"gap", 4, []int64{1, 2, 4}, 1},
		{"repeat", 3, []int64{1, 2, 2, 3}, 1},
		{"from two", 3, []int64{2, 3}, 1},
		{"back", 3, []int64{1, 3, 2}, 4}, // two breaks, one more where it goes on, and the counter
		{"counter ahead", 4, []int64{1, 2, 3}, 1},
		{"counter behind", 2, []int64{1, 2, 3}, 1},
		{"all gone", 3, nil, 1},
	} {
		var got Tally
		got.sequences(7, row.last, row.found)
		if got.Clean() != (row.broken == 0) || row.name != "back" && got.SequenceBroken != row.broken {
			t.Errorf("%s: %+v, want %d", row.name, got, row.broken)
		}
	}
}

// Every counter of a fault, alone, spoils the verdict.
func TestVerdict(t *testing.T) {
	for _, spoil := range []func(*Tally) *int{
		func(t *Tally) *int { return &t.Missing }, func(t *Tally) *int { return &t.Duplicated },
		func(t *Tally) *int { return &t.Reordered }, func(t *Tally) *int { return &t.SequenceBroken },
		func(t *Tally) *int { return &t.Undelivered }, func(t *Tally) *int { return &t.DeliveredTwice },
		func(t *Tally) *int { return &t.Phantom }, func(t *Tally) *int { return &t.Disagreements },
		func(t *Tally) *int { return &t.Crashes }, func(t *Tally) *int { return &t.ClientsEnded },
	} {
		tally := Tally{Sent: 1, Acked: 1, Unsure: 1, Late: 1}
		if !tally.Clean() {
			t.Fatal("a tally without faults is not clean")
		}
		tally.find(spoil(&tally), "fault")
		if tally.Clean() {
			t.Errorf("%+v is clean", tally)
		}
	}
}

// A message is known by its whole text, so that one of another pair, or one that was cut, is not taken for it.
func TestNumbersAreReadBack(t *testing.T) {
	b, other := newBook("alice", "bob"), newBook("alice", "carol")
	whole := b.text(12)
	for text, want := range map[string]int{
		whole: 12, other.text(12): 0, whole[:len(whole)-1]: 0, whole + "m": 0, "": 0, "alice bob x m": 0, "alice bob 012 m": 0,
	} {
		if got := b.number(text); got != want {
			t.Errorf("%.30q is message %d, want %d", text, got, want)
		}
	}
}

func TestSpans(t *testing.T) {
	for want, numbers := range map[string][]int{"": nil, "3": {3}, "3 to 4": {3, 4}, "1, 3 to 5, 9": {1, 3, 4, 5, 9}} {
		if got := spans(numbers); got != want {
			t.Errorf("%v: %q", numbers, got)
		}
	}
}

func TestAbsences(t *testing.T) {
	b, start := newBook("alice", "bob"), time.Now()
	for _, step := range []struct {
		state client.State
		at    time.Duration
	}{
		{client.Connected, 0}, {client.Disconnected, 100}, {client.Connecting, 110}, {client.Disconnected, 150},
		{client.Connected, 300}, {client.Disconnected, 400}, {client.Connected, 450},
	} {
		b.state(step.state, start.Add(step.at*time.Millisecond))
	}
	if got := b.away.text(); got != "away 2 times, at most 200 ms" {
		t.Error(got)
	}
}
