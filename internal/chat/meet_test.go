package chat_test

import (
	"errors"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/chat"
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

// A message is recalled by two at once: the second is told so, and the message is taken out of the unread ones once.
func TestRecallsMeet(t *testing.T) {
	d := dbtest.Open(t, db.Options{URL: dbtest.URL(t)})
	chats, name := chat.New(d), chat.Between(1, 2)
	sent := []*chat.Draft{draft(name, 1, 1, "a"), draft(name, 1, 2, "b"), draft(name, 1, 3, "c")}
	add(t, d, chats, sent...)
	recall := func(tx *db.Tx) error {
		m := &sent[1].Message
		_, err := chats.Recall(t.Context(), tx, m.Chat, chat.Recall{Chat: name, Key: m.Key(), From: 1, By: "x"})
		return err
	}
	if one, other := meet(t, d, recall, recall); one != nil || !errors.Is(other, chat.ErrRecalled) {
		t.Errorf("the recalls end with %v and %v", one, other)
	}
	if got := unreadFrom(t, chats, 2, 1); got != 2 {
		t.Errorf("%d messages are unread, want 2", got)
	}
}
