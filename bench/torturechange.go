package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/magpie-im/magpie/client"
)

// ChangeTally counts what became of recalls, edits and read marks. All but the first three must be zero.
type ChangeTally struct {
	// Recalled, Edited and Marked were acknowledged.
	Recalled int `json:"recalled"`
	Edited   int `json:"edited"`
	Marked   int `json:"marked"`
	// RecallsUndone were acknowledged, and the history has the message as if it stood; EditsLost, as it was before.
	RecallsUndone int `json:"recalls_undone"`
	EditsLost     int `json:"edits_lost"`
	// MarksBack are read marks that stand before one that was acknowledged, or seen.
	MarksBack int `json:"marks_back"`
}

func (c *ChangeTally) faults() int { return c.RecallsUndone + c.EditsLost + c.MarksBack }

// changes is what was done to a sender's messages after they were acknowledged, by their numbers, and how far the receiver
// has marked them read. The book's mutex guards it.
type changes struct {
	sent   []client.Sent // by number; those of messages that are not acknowledged are empty
	of     map[int]*change
	marked int64 // the latest second that was acknowledged as read, or seen as the mark
	marks  int
	back   []string // what was seen of marks that went back
}

// change is what was done to one message.
type change struct {
	recall  outcome // unsent: nobody has tried
	edited  int     // the latest edit that was acknowledged; 0 is the message as it was sent
	version int     // the latest that was tried
}

// acked settles a message that the server has taken.
func (b *book) acked(number int, sent client.Sent) {
	b.settle(number, acked)
	b.mutex.Lock()
	defer b.mutex.Unlock()
	for len(b.sent) < len(b.outcomes) {
		b.sent = append(b.sent, client.Sent{})
	}
	b.sent[number] = sent
}

// recent draws one of the newest messages that are acknowledged; the number is 0 if there is none.
func (b *book) recent(c chance) (number int, sent client.Sent) {
	const newest = 50
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if len(b.sent) < 2 {
		return 0, sent
	}
	number = len(b.sent) - 1 - c.IntN(min(newest, len(b.sent)-1))
	if sent = b.sent[number]; sent.Time == 0 {
		return 0, sent
	}
	return number, sent
}

// changed calls set with the message's change.
func (b *book) changed(number int, set func(*change)) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if b.of == nil {
		b.of = map[int]*change{}
	}
	if b.of[number] == nil {
		b.of[number] = &change{recall: unsent}
	}
	set(b.of[number])
}

// mayBeRecalled reports whether somebody has tried to recall the message: a receiver who was away is not given it then. The
// caller holds the mutex.
func (b *book) mayBeRecalled(number int) bool {
	return b.of[number] != nil && b.of[number].recall != unsent
}

// meddle changes messages of all users until ctx ends: recalls, edits, read marks.
func (c *crowd) meddle(ctx context.Context) {
	var group sync.WaitGroup
	for user := range c.clients {
		group.Go(func() { c.change(ctx, user) })
	}
	group.Wait()
}

func (c *crowd) change(ctx context.Context, user int) {
	const least, most = 20 * time.Millisecond, 300 * time.Millisecond
	chance := newChance(c.seed, "change", user)
	for wait(ctx, chance.between(least, most)) == nil {
		acting, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
		switch chance.IntN(4) {
		case 0:
			c.recall(acting, user, chance)
		case 1, 2:
			c.edit(acting, user, chance)
		default:
			c.mark(acting, user, chance)
		}
		cancel()
	}
}

func (c *crowd) recall(ctx context.Context, user int, chance chance) {
	b := c.books[user]
	number, sent := b.recent(chance)
	if number == 0 {
		return
	}
	if err := b.tryRecall(number, func() error { return c.clients[user].Recall(ctx, sent.Message()) }); err != nil {
		c.failed(err)
	}
}

// tryRecall has a message recalled, unless somebody has tried already.
func (b *book) tryRecall(number int, recall func() error) error {
	tried := false
	b.changed(number, func(one *change) {
		if tried = one.recall != unsent; !tried {
			one.recall = unsure
		}
	})
	if tried {
		return nil
	}
	err := recall()
	if err == nil {
		b.changed(number, func(one *change) { one.recall = acked })
	}
	return err
}

func (c *crowd) edit(ctx context.Context, user int, chance chance) {
	b := c.books[user]
	number, sent := b.recent(chance)
	if number == 0 {
		return
	}
	err := b.tryEdit(number, func(version int, body json.RawMessage) error {
		return c.clients[user].Call(ctx, "openim.modify_c2c_msg", map[string]any{
			"From_Account": b.from, "To_Account": b.to, "MsgSeq": sent.Seq, "MsgRandom": sent.Random, "MsgTime": sent.Time,
			"MsgVersion": version - 1, "MsgBody": body,
		}, nil)
	})
	if err != nil {
		c.failed(err)
	}
}

// tryEdit has a message edited, unless it may be recalled already or an edit before has an unknown outcome.
func (b *book) tryEdit(number int, edit func(version int, body json.RawMessage) error) error {
	version := 0
	b.changed(number, func(one *change) {
		if one.recall == unsent && one.edited == one.version {
			one.version++
			version = one.version
		}
	})
	if version == 0 {
		return nil
	}
	body, err := json.Marshal([]map[string]any{{"MsgType": "TIMTextElem", "MsgContent": map[string]any{"Text": b.edit(number, version)}}})
	if err == nil {
		err = edit(version, body)
	}
	if err == nil {
		b.changed(number, func(one *change) { one.edited = version })
	}
	return err
}

// mark has a user mark as read what his peer sent, up to one of the newest messages, which may lie before an earlier mark;
// then the peer looks where the mark stands.
func (c *crowd) mark(ctx context.Context, user int, chance chance) {
	b := c.books[user^1]
	number, sent := b.recent(chance)
	if number == 0 {
		return
	}
	if err := c.clients[user].MarkRead(ctx, b.from, sent.Time); err != nil {
		c.failed(err)
		return
	}
	b.mutex.Lock()
	b.marks++
	if !c.stepped { // else the message may be of a second that has not come yet, which no mark shows
		b.marked = max(b.marked, sent.Time)
	}
	b.mutex.Unlock()
	c.look(ctx, user)
}

// look reads a user's mark as his peer sees it. Only one goroutine at a time looks at one mark, and moves it.
func (c *crowd) look(ctx context.Context, user int) {
	b := c.books[user^1]
	at, err := c.clients[user^1].PeerReadTime(ctx, b.to)
	if err != nil {
		c.failed(err)
		return
	}
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if at < b.marked {
		b.back = append(b.back, fmt.Sprintf("the read mark stands at %d, after it stood at %d", at, b.marked))
	}
	b.marked = max(b.marked, at)
}

// checkChanges holds a sender's messages in the history against what was done to them.
func (t *Tally) checkChanges(b *book, lines []line) {
	var undone, lost []int
	for _, l := range lines {
		number, version := b.read(l.text)
		one := b.of[number]
		if l.from != b.from || one == nil {
			continue
		}
		if one.recall == acked && !l.recalled {
			undone = append(undone, number)
		}
		if version < one.edited || version > one.version {
			lost = append(lost, number)
		}
	}
	for _, one := range b.of {
		t.Edited += one.edited
		if one.recall == acked {
			t.Recalled++
		}
	}
	t.Marked += b.marks
	t.findMany(&t.RecallsUndone, len(undone), "%s to %s: message %s: its recall was acknowledged and it stands", b.from, b.to, spans(undone))
	t.findMany(&t.EditsLost, len(lost), "%s to %s: message %s: is not what the last edit made of it", b.from, b.to, spans(lost))
	t.findMany(&t.MarksBack, len(b.back), "%s to %s: %s", b.from, b.to, first(b.back))
}
