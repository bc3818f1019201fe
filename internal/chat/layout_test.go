package chat_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/internal/im"
)

// conversations are the rows of the table, as far as they change.
func conversations(t *testing.T, d *db.DB) []string {
	t.Helper()
	rows, err := db.All(t.Context(), d, db.Text, `SELECT CAST(owner_id AS TEXT) || ' settled ' || CAST(settled AS TEXT) ||
		' changed ' || CAST(changed_at AS TEXT) FROM conversation ORDER BY owner_id`)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// unreadFrom is how many messages of a peer an account has not read.
func unreadFrom(t *testing.T, chats *chat.Chats, owner, peer im.AccountID) int64 {
	t.Helper()
	found, err := chats.UnreadOf(t.Context(), owner, []im.AccountID{peer})
	if err != nil {
		t.Fatal(err)
	}
	return found[peer]
}

// A message changes how its conversations stand, and no row of them after the first.
func TestMessageLeavesConversationsAlone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		set := clock.NewManual(time.Unix(1_700_000_000, 0))
		o.Now = set.Clock().Now
		d := dbtest.Open(t, o)
		chats, name := chat.New(d), chat.Between(1, 2)
		add(t, d, chats, draft(name, 1, 1, "first"))
		before := conversations(t, d)
		set.Set(time.Unix(1_700_000_100, 0))
		for i := range int64(3) {
			// A node that has not met the chat makes no rows again either.
			add(t, d, chat.New(d), draft(name, 1, 10+i, "more"))
			add(t, d, chats, draft(name, 1, 20+i, "more"))
		}
		if after := conversations(t, d); len(before) != 2 || !slices.Equal(before, after) {
			t.Errorf("the rows were %q and are %q", before, after)
		}
		if got := unreadFrom(t, chats, 2, 1); got != 7 {
			t.Errorf("%d messages are unread, want 7", got)
		}
		moved, err := chats.Moved(t.Context(), d, 2, chat.Moves{Behind: chat.Change{At: 1_700_000_099_000}, Limit: 5})
		if err != nil || len(moved) != 1 || moved[0].Changed != 1_700_000_100_000 {
			t.Errorf("moved lately are %+v (%v)", moved, err)
		}
	})
}

// Imports and others that are written together keep their order, and the last message of a list is the one with the newest
// time.
func TestImportsAmongOthers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		d := dbtest.Open(t, o)
		chats, name := chat.New(d), chat.Between(1, 2)
		old := func(seq, second int64) *chat.Draft {
			one := draft(name, 1, seq, fmt.Sprint("old", seq))
			one.Imported, one.EitherSide, one.SentAt, one.KeyTime = true, true, second, second
			return one
		}
		all := []*chat.Draft{old(1, 2000), draft(name, 1, 2, "new2"), old(3, 1000), old(4, 1500), draft(name, 1, 5, "new5")}
		for range 2 {
			add(t, d, chats, all...)
		}
		for i, one := range all {
			if !one.Duplicate || one.Message.Sequence != int64(i+1) {
				t.Errorf("message %d has sequence %d; known the second time: %v", i, one.Message.Sequence, one.Duplicate)
			}
		}
		last := func() string {
			t.Helper()
			recent, err := chats.Recent(t.Context(), d, 2, nil, 5)
			if err != nil || len(recent) != 1 {
				t.Fatalf("the list is %+v (%v)", recent, err)
			}
			list, err := chats.List(t.Context(), d, 2, []int64{recent[0].Chat})
			one := list[recent[0].Chat]
			if err != nil || one.Last == nil {
				t.Fatalf("the list shows %+v (%v)", list, err)
			}
			return fmt.Sprintf("%s, %d unread", one.Last.Body, one.Unread)
		}
		if got := last(); got != "new5, 5 unread" {
			t.Errorf("the list shows %s", got)
		}
		hide := func(tx *db.Tx) error { return chats.Hide(tx, 2, []im.AccountID{1}, false) }
		if err := d.Write(t.Context(), hide); err != nil {
			t.Fatal(err)
		}
		if list, err := chats.Recent(t.Context(), d, 2, nil, 5); err != nil || len(list) != 0 {
			t.Errorf("after it was removed the list is %+v (%v)", list, err)
		}
		add(t, d, chats, old(6, 1700))
		if got := last(); got != "new5, 1 unread" {
			t.Errorf("after another import the list shows %s", got)
		}
	})
}

// A message that somebody took back counts no more for who has not read it, and not twice for who has.
func TestRecallSettlesOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		d := dbtest.Open(t, o)
		chats, name := chat.New(d), chat.Between(1, 2)
		sent := []*chat.Draft{draft(name, 1, 1, "a"), draft(name, 1, 2, "b"), draft(name, 2, 3, "c"), draft(name, 1, 4, "d")}
		add(t, d, chats, sent...)
		recall := func(one *chat.Draft) {
			t.Helper()
			if err := d.Write(t.Context(), recalling(t, chats, one)); err != nil {
				t.Fatal(err)
			}
		}
		recall(sent[1])
		if got := unreadFrom(t, chats, 2, 1); got != 2 {
			t.Errorf("after a recall %d are unread, want 2", got)
		}
		if err := d.Write(t.Context(), marking(t, chats, sent[3])); err != nil {
			t.Fatal(err)
		}
		recall(sent[0])
		add(t, d, chats, draft(name, 1, 5, "e"))
		if mine, theirs := unreadFrom(t, chats, 2, 1), unreadFrom(t, chats, 1, 2); mine != 1 || theirs != 1 {
			t.Errorf("unread are %d and %d, want 1 and 1", mine, theirs)
		}
	})
}

// errRefused is a write's own.
var errRefused = errors.New("refused")

// What a transaction stored that failed is not known, and what the running one has stored is.
func TestRepeatedAroundAFailure(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		d := dbtest.Open(t, o)
		chats, name := chat.New(d), chat.Between(1, 2)
		add(t, d, chats, draft(name, 1, 1, "before"))
		err := d.Write(t.Context(), func(tx *db.Tx) error {
			lost, again := []*chat.Draft{draft(name, 1, 2, "lost")}, []*chat.Draft{draft(name, 1, 2, "lost again")}
			return errors.Join(chats.Append(tx, lost), chats.Append(tx, again), errRefused)
		})
		if !errors.Is(err, errRefused) {
			t.Fatalf("the write gave %v", err)
		}
		first, second := draft(name, 1, 2, "first"), draft(name, 1, 2, "second")
		err = d.Write(t.Context(), func(tx *db.Tx) error {
			if err := chats.Append(tx, []*chat.Draft{first}); err != nil {
				return err
			}
			return chats.Append(tx, []*chat.Draft{second})
		})
		if err != nil || first.Duplicate || !second.Duplicate || second.Message.ID != first.Message.ID {
			t.Errorf("duplicates: %v, %v (%v)", first.Duplicate, second.Duplicate, err)
		}
		again := draft(name, 1, 1, "again")
		add(t, d, chats, again)
		if !again.Duplicate {
			t.Error("the message from before the failure is not known any more")
		}
	})
}

// A repeated message is known for some minutes, also by a node that was started meanwhile. What a node knows is bounded: where
// no index keeps the keys, a message that is repeated after that is another one.
func TestHowLongARepetitionIsKnown(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		set := clock.NewManual(time.Unix(1_700_000_000, 0))
		o.Now = set.Clock().Now
		d := dbtest.Open(t, o)
		chats, name, start := chat.New(d), chat.Between(1, 2), set.Clock().Now()
		again := func(by *chat.Chats, after time.Duration) bool {
			t.Helper()
			set.Set(start.Add(after))
			one := draft(name, 1, 1, "first")
			add(t, d, by, one)
			return one.Duplicate
		}
		if again(chats, 0) {
			t.Error("the first message is a repetition")
		}
		restarted := chat.New(d)
		set.Set(start.Add(4 * time.Minute))
		if err := restarted.LoadKnown(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !again(chats, 4*time.Minute) || !again(restarted, 4*time.Minute) {
			t.Error("a repetition after four minutes is another message")
		}
		for i := range int64(3) {
			set.Set(start.Add(time.Duration(10+6*i) * time.Minute))
			add(t, d, chats, draft(name, 1, 10+i, "other"))
		}
		if known := again(chats, 30*time.Minute); known == d.SoleWriter() {
			t.Errorf("a repetition after half an hour is known: %v", known)
		}
	})
}
