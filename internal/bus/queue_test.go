package bus

import (
	"errors"
	"slices"
	"testing"
)

func TestQueueIsBoundedInMessages(t *testing.T) {
	q := newQueue[int](capacity{messages: 2, bytes: 100})
	for i, want := range []error{nil, nil, ErrFull} {
		if err := q.push(i, 1); !errors.Is(err, want) {
			t.Fatalf("push %d: %v, want %v", i, err, want)
		}
	}
	if !q.mark(7) {
		t.Fatal("a mark does not fit into a full queue")
	}
	batch, open := q.take(nil)
	if !open || !slices.Equal(batch, []int{0, 1, 7}) {
		t.Fatalf("took %v, %t", batch, open)
	}
	if err := q.push(3, 1); !errors.Is(err, ErrFull) {
		t.Fatalf("push while the batch is worked on: %v, want ErrFull", err)
	}
	q.mark(8)
	q.take(batch)
	if err := q.push(4, 1); err != nil {
		t.Fatalf("push after the batch was done: %v", err)
	}
}

func TestQueueHoldsRoomUntilTheBatchIsDone(t *testing.T) {
	q := newQueue[int](capacity{messages: 10, bytes: 100})
	push := func(size int, want error) {
		t.Helper()
		if err := q.push(size, size); !errors.Is(err, want) {
			t.Fatalf("push of %d bytes: %v, want %v", size, err, want)
		}
	}
	push(60, nil)
	push(41, ErrFull)
	batch, _ := q.take(nil)
	push(41, ErrFull) // the 60 bytes are taken, but still in memory
	push(40, nil)
	batch, _ = q.take(batch)
	push(61, ErrFull)
	push(60, nil)
	if !slices.Equal(batch, []int{40}) {
		t.Fatalf("took %v", batch)
	}
}

func TestQueueIsDrainedAfterClose(t *testing.T) {
	q := newQueue[int](capacity{messages: 10, bytes: 100})
	if err := q.push(1, 1); err != nil {
		t.Fatal(err)
	}
	q.close()
	if err := q.push(2, 1); !errors.Is(err, ErrClosed) {
		t.Fatalf("push after close: %v", err)
	}
	if q.mark(3) {
		t.Fatal("mark after close")
	}
	batch, open := q.take(nil)
	if !open || !slices.Equal(batch, []int{1}) {
		t.Fatalf("took %v, %t", batch, open)
	}
	if _, open = q.take(batch); open {
		t.Fatal("open after the last item")
	}
}
