package chat_test

import (
	"context"
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

// What users see of this room is told by the stories of the rooms above it. Here is what they cannot reach yet, or only
// by chance.

const app im.AppID = 7

func draft(name chat.Name, from im.AccountID, seq int64, text string) *chat.Draft {
	return &chat.Draft{App: app, Chat: name, From: from, Seq: seq, Random: 1, KeyTime: 1, Body: []byte(text)}
}

// add appends drafts in one transaction.
func add(t *testing.T, d *db.DB, chats *chat.Chats, drafts ...*chat.Draft) {
	t.Helper()
	if err := d.Write(t.Context(), func(tx *db.Tx) error { return chats.Append(tx, drafts) }); err != nil {
		t.Fatal(err)
	}
}

func texts(messages []chat.Message) []string {
	var all []string
	for _, m := range messages {
		all = append(all, fmt.Sprintf("%d %s", m.Sequence, m.Body))
	}
	return all
}

// A group's messages stand by sequence alone, whatever their times are, and nothing is written for its members.
func TestGroupTimeline(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		d := dbtest.Open(t, o)
		chats, group := chat.New(d), chat.Name{Kind: chat.Group, Low: 5}
		for i := range int64(4) {
			one := draft(group, im.AccountID(i), i, fmt.Sprint("m", i))
			one.SentAt = 1000 - i
			add(t, d, chats, one)
			if at := one.Message.Position; at != (chat.Position{Sequence: i + 1}) {
				t.Errorf("message %d stands at %+v", i, at)
			}
		}
		id, err := chats.Find(t.Context(), group)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range []struct {
			page chat.Page
			want []string
			more bool
		}{
			{chat.Page{From: chat.Newest(), Limit: 2}, []string{"3 m2", "4 m3"}, true},
			{chat.Page{From: chat.Position{Sequence: 3}, Limit: 2}, []string{"1 m0", "2 m1"}, false},
			{chat.Page{Newer: true, Limit: 3}, []string{"1 m0", "2 m1", "3 m2"}, true},
			{chat.Page{From: chat.Position{Sequence: 3}, Newer: true, Limit: 3}, []string{"4 m3"}, false},
			{chat.Page{From: chat.Newest(), Cleared: 3, Limit: 3}, []string{"4 m3"}, false},
		} {
			row.page.Chat, row.page.Owner = id, 99
			found, more, err := chats.Read(t.Context(), d, row.page)
			if err != nil || more != row.more || !slices.Equal(texts(found), row.want) {
				t.Errorf("page %+v: %q, more %v (%v), want %q, %v", row.page, texts(found), more, err, row.want, row.more)
			}
		}
		rows, err := db.One(t.Context(), d, db.Number, `SELECT COUNT(*) FROM conversation`)
		if err != nil || rows != 0 {
			t.Errorf("%d conversations were written (%v)", rows, err)
		}
	})
}

// A repeated message finds the first one, in its own transaction, beside others, and by a store that was opened anew.
func TestRepeated(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		d := dbtest.Open(t, o)
		name := chat.Between(2, 1)
		raw := chat.NewRaw(d)
		first := draft(name, 1, 1, "first")
		send := func(raw *chat.Raw, one *chat.Draft) {
			t.Helper()
			if err := raw.Append(t.Context(), one); err != nil {
				t.Fatal(err)
			}
		}
		send(raw, first)
		for what, by := range map[string]*chat.Raw{"the same node": raw, "another node": chat.NewRaw(d)} {
			again := draft(name, 1, 1, "again")
			send(by, again)
			if !again.Duplicate || again.Message.ID != first.Message.ID || string(again.Message.Body) != "first" {
				t.Errorf("repeated on %s: %+v", what, again.Message)
			}
		}
		other, twin := draft(name, 2, 1, "from the other side"), draft(name, 1, 2, "twin")
		send(raw, other)
		pair := []*chat.Draft{twin, draft(name, 1, 2, "twin again"), draft(name, 1, 3, "fresh")}
		if err := raw.AppendAll(t.Context(), pair); err != nil {
			t.Fatal(err)
		}
		if other.Duplicate || twin.Duplicate || !pair[1].Duplicate || pair[2].Duplicate {
			t.Errorf("duplicates: %v %v %v %v", other.Duplicate, twin.Duplicate, pair[1].Duplicate, pair[2].Duplicate)
		}
		if got := pair[2].Message.Sequence; got != 4 {
			t.Errorf("the last message has sequence %d, want 4: a repetition took one", got)
		}
	})
}

// A node that knows which messages it has met does not let a repetition fail the transaction that it shares.
func TestRepeatedRunsOnce(t *testing.T) {
	d := dbtest.Open(t, db.Options{Dir: t.TempDir()})
	chats, runs := chat.New(d), 0
	batch := db.NewBatch(d, func(tx *db.Tx, drafts []*chat.Draft) error {
		runs++
		return chats.Append(tx, drafts)
	})
	for i := range 3 {
		one := draft(chat.Between(1, 2), 1, 1, "again and again")
		if err := batch.Write(context.WithoutCancel(t.Context()), one); err != nil {
			t.Fatal(err)
		}
		if one.Duplicate != (i > 0) {
			t.Errorf("message %d is a duplicate: %v", i, one.Duplicate)
		}
	}
	if runs != 3 {
		t.Errorf("three writes ran %d times", runs)
	}
}

// A clock that was ahead and is set right: what was sent meanwhile stays where it is, what comes is stamped with the right
// time and stands behind it, and all of it can be read.
func TestClockThatWasAhead(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		right := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		set := clock.NewManual(right.Add(time.Hour))
		o.Now = set.Clock().Now
		d := dbtest.Open(t, o)
		chats, name := chat.New(d), chat.Between(1, 2)
		add(t, d, chats, draft(name, 1, 1, "ahead"))
		set.Set(right)
		after := draft(name, 1, 2, "right")
		add(t, d, chats, after)
		if after.Message.Time != right.Unix() {
			t.Errorf("the message is stamped %d, and it is %d", after.Message.Time, right.Unix())
		}
		id := after.Message.Chat
		if byKey, err := chats.ByKey(t.Context(), d, id, after.Message.Key(), 1); err != nil || byKey == nil || byKey.ID != after.Message.ID {
			t.Errorf("by its key there is %+v (%v)", byKey, err)
		}
		found, _, err := chats.Read(t.Context(), d, chat.Page{Chat: id, Owner: 2, From: chat.Newest(), Limit: 10})
		if want := []string{"1 ahead", "2 right"}; err != nil || !slices.Equal(texts(found), want) {
			t.Errorf("history %q (%v), want %q", texts(found), err, want)
		}
		offline := func() []string {
			t.Helper()
			moved, err := chats.Moved(t.Context(), d, 2, chat.Moves{Unread: true, Limit: 10})
			if err != nil || len(moved) == 0 {
				return nil
			}
			missed, err := chats.Offline(t.Context(), d, 2, &moved[0], chat.Span{Limit: 10})
			if err != nil {
				t.Fatal(err)
			}
			return texts(missed)
		}
		mark := func(second int64) chat.Mark {
			t.Helper()
			var mark chat.Mark
			err := d.Write(t.Context(), func(tx *db.Tx) (err error) {
				mark, err = chats.MarkRead(t.Context(), tx, id, chat.Reader{Account: 2, Peer: 1}, second)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return mark
		}
		mark(right.Unix() - 100)
		if got := offline(); len(got) != 2 {
			t.Errorf("unread are %q, want both", got)
		}
		if got := mark(found[0].Time); !got.Moved || got.Time != right.Unix() {
			t.Errorf("a mark at the message of the future is %+v, want one at %d", got, right.Unix())
		}
		if got := offline(); got != nil {
			t.Errorf("after reading, unread are %q", got)
		}
		add(t, d, chats, draft(name, 1, 3, "later"))
		if got := offline(); !slices.Equal(got, []string{"3 later"}) {
			t.Errorf("unread are %q, want the last one", got)
		}
	})
}
