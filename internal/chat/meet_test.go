package chat_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
)

// meet runs two writes of which the first is committed while the second waits for a lock that it holds, and gives the errors.
func meet(t *testing.T, d *db.DB, first, second func(*db.Tx) error) (ofFirst, ofSecond error) {
	t.Helper()
	begun, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		<-begun
		ended <- d.Write(t.Context(), second)
	}()
	ofFirst = d.Write(t.Context(), func(tx *db.Tx) error {
		if err := first(tx); err != nil {
			return err
		}
		close(begun)
		return locked(t, d)
	})
	return ofFirst, <-ended
}

// locked returns when a connection to the database waits for a lock.
func locked(t *testing.T, d *db.DB) error {
	for deadline := time.Now().Add(20 * time.Second); ; {
		n, err := db.One(t.Context(), d, db.Number, `SELECT COUNT(*) FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock'`)
		if err != nil || n > 0 {
			return err
		}
		if time.Now().After(deadline) {
			return errors.New("no write waits for the other one")
		}
	}
}

// marking has the second account read up to a message of the first one.
func marking(t *testing.T, chats *chat.Chats, to *chat.Draft) func(*db.Tx) error {
	return func(tx *db.Tx) error {
		_, err := chats.MarkRead(t.Context(), tx, to.Message.Chat, chat.Reader{Account: 2, Peer: 1}, to.Message.Time)
		return err
	}
}

// recalling takes a message back.
func recalling(t *testing.T, chats *chat.Chats, one *chat.Draft) func(*db.Tx) error {
	return func(tx *db.Tx) error {
		_, err := chats.Recall(t.Context(), tx, one.Message.Chat,
			chat.Recall{Chat: one.Chat, Key: one.Message.Key(), From: one.From, By: "x"})
		return err
	}
}

// Two devices of an account mark a chat as read at once: the mark stands where the further one says.
func TestMarksMeet(t *testing.T) {
	set := clock.NewManual(time.Unix(1_700_000_000, 0))
	d := dbtest.Open(t, db.Options{URL: dbtest.URL(t), Now: set.Clock().Now})
	chats, name := chat.New(d), chat.Between(1, 2)
	var sent []*chat.Draft
	for i := range int64(5) {
		sent = append(sent, draft(name, 1, i, fmt.Sprint("m", i)))
		add(t, d, chats, sent[i])
		set.Advance(time.Minute)
	}
	one, other := meet(t, d, marking(t, chats, sent[3]), marking(t, chats, sent[1]))
	if one != nil || other != nil {
		t.Fatalf("the marks end with %v and %v", one, other)
	}
	if got := unreadFrom(t, chats, 2, 1); got != 1 {
		t.Errorf("%d messages are unread, want 1", got)
	}
}

// A message is recalled by two at once: the second is told so, and the message is taken out of the unread ones once.
func TestRecallsMeet(t *testing.T) {
	d := dbtest.Open(t, db.Options{URL: dbtest.URL(t)})
	chats, name := chat.New(d), chat.Between(1, 2)
	sent := []*chat.Draft{draft(name, 1, 1, "a"), draft(name, 1, 2, "b"), draft(name, 1, 3, "c")}
	add(t, d, chats, sent...)
	recall := recalling(t, chats, sent[1])
	if one, other := meet(t, d, recall, recall); one != nil || !errors.Is(other, chat.ErrRecalled) {
		t.Errorf("the recalls end with %v and %v", one, other)
	}
	if got := unreadFrom(t, chats, 2, 1); got != 2 {
		t.Errorf("%d messages are unread, want 2", got)
	}
}

// A message is recalled while its reader marks what stands before it as read: it is not unread any more.
func TestRecallMeetsMark(t *testing.T) {
	set := clock.NewManual(time.Unix(1_700_000_000, 0))
	d := dbtest.Open(t, db.Options{URL: dbtest.URL(t), Now: set.Clock().Now})
	chats, name := chat.New(d), chat.Between(1, 2)
	sent := []*chat.Draft{draft(name, 1, 1, "a"), draft(name, 1, 2, "b")}
	for _, one := range sent {
		add(t, d, chats, one)
		set.Advance(time.Minute)
	}
	if one, other := meet(t, d, recalling(t, chats, sent[1]), marking(t, chats, sent[0])); one != nil || other != nil {
		t.Fatalf("recall and mark end with %v and %v", one, other)
	}
	if got := unreadFrom(t, chats, 2, 1); got != 0 {
		t.Errorf("%d messages are unread, want none", got)
	}
}

// Both parties of a chat mark it as read at once: they wait for each other, and never in a circle, which PostgreSQL takes a
// second to find.
func TestPartiesMarkAtOnce(t *testing.T) {
	set := clock.NewManual(time.Unix(1_700_000_000, 0))
	d := dbtest.Open(t, db.Options{URL: dbtest.URL(t), Now: set.Clock().Now})
	chats, name := chat.New(d), chat.Between(1, 2)
	for i := range int64(100) {
		set.Advance(time.Minute)
		one := draft(name, 1, i, "m")
		add(t, d, chats, one, draft(name, 2, 1000+i, "n"))
		var both sync.WaitGroup
		for _, by := range []chat.Reader{{Account: 1, Peer: 2}, {Account: 2, Peer: 1}} {
			both.Go(func() {
				err := d.Write(t.Context(), func(tx *db.Tx) error {
					_, err := chats.MarkRead(t.Context(), tx, one.Message.Chat, by, 0)
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
	}
	deadlocks, err := db.One(t.Context(), d, db.Number, `SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`)
	if err != nil || deadlocks > 0 {
		t.Errorf("%d deadlocks (%v)", deadlocks, err)
	}
}
