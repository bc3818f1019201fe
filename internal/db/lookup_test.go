package db_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/magpie-im/magpie/internal/db"
)

// question is the value of the lookups here.
type question struct{ n, answer int }

// What comes while a read is running is read together by the next one, and each gets its own answer.
func TestLookupGathers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const askers = 20
		begun, goOn := make(chan struct{}), make(chan struct{})
		var calls []int // by one read at a time
		l := db.NewLookup(func(_ context.Context, values []*question) error {
			if calls = append(calls, len(values)); len(calls) == 1 {
				close(begun)
				<-goOn
			}
			for _, q := range values {
				q.answer = 2 * q.n
			}
			return nil
		})
		asked := make([]question, askers+1)
		ask := func(n int) error {
			asked[n].n = n
			return l.Read(t.Context(), &asked[n])
		}
		first := start(1, ask)
		<-begun
		others := start(askers, func(n int) error { return ask(n + 1) })
		synctest.Wait() // until all wait
		close(goOn)
		if err := errors.Join(append(first(), others()...)...); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(calls, []int{1, askers}) {
			t.Errorf("read in calls of %v, want 1 and all others", calls)
		}
		for n, q := range asked {
			if q.answer != 2*n {
				t.Errorf("%d was answered %d", n, q.answer)
			}
		}
	})
}

// An error is that of all who were read together, and of nobody who comes later; a panic too.
func TestLookupFails(t *testing.T) {
	broken := errors.New("broken")
	l := db.NewLookup(func(_ context.Context, values []*question) error {
		switch values[0].n {
		case 1:
			return broken
		case 2:
			panic("broken")
		}
		return nil
	})
	if err := l.Read(t.Context(), &question{n: 1}); !errors.Is(err, broken) {
		t.Errorf("a read that fails: %v", err)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("who makes the read is not told of its panic")
			}
		}()
		_ = l.Read(t.Context(), &question{n: 2})
	}()
	if err := l.Read(t.Context(), &question{}); err != nil {
		t.Errorf("the next read: %v", err)
	}
}

// Who does not wait any longer leaves the others their read.
func TestLookupLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun, goOn := make(chan struct{}), make(chan struct{})
		l := db.NewLookup(func(ctx context.Context, values []*question) error {
			if values[0].n == 0 {
				close(begun)
				<-goOn
			}
			values[0].answer = 1
			return ctx.Err()
		})
		first := start(1, func(int) error { return l.Read(t.Context(), &question{}) })
		<-begun
		impatient, leave := context.WithCancel(t.Context())
		leader := start(1, func(int) error { return l.Read(impatient, &question{n: 1}) })
		synctest.Wait()
		follower := start(1, func(int) error { return l.Read(t.Context(), &question{n: 2}) })
		synctest.Wait()
		leave()
		close(goOn)
		if err := errors.Join(append(first(), follower()...)...); err != nil {
			t.Errorf("those who wait: %v", err)
		}
		if err := leader()[0]; err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("who left: %v", err)
		}
	})
}

// Who would make the next read does not wait longer for its turn than it may.
func TestLookupLeaderLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun, goOn := make(chan struct{}), make(chan struct{})
		l := db.NewLookup(func(_ context.Context, values []*question) error {
			if values[0].n == 0 {
				close(begun)
				<-goOn
			}
			for _, q := range values {
				q.answer = 1
			}
			return nil
		})
		stuck := start(1, func(int) error { return l.Read(t.Context(), &question{}) })
		<-begun
		impatient, leave := context.WithCancel(t.Context())
		leader := start(1, func(int) error { return l.Read(impatient, &question{n: 1}) })
		synctest.Wait()
		answered := question{n: 2}
		follower := start(1, func(int) error { return l.Read(t.Context(), &answered) })
		synctest.Wait()
		leave()
		if err := leader()[0]; !errors.Is(err, context.Canceled) { // the read before still runs
			t.Errorf("who left: %v", err)
		}
		close(goOn)
		if err := errors.Join(append(stuck(), follower()...)...); err != nil || answered.answer != 1 {
			t.Errorf("those who wait: %v, answered %d", err, answered.answer)
		}
	})
}
