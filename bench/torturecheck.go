package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/magpie-im/magpie/client"
	"github.com/magpie-im/magpie/internal/chat"
)

// line is a message of a history: who sent it, what it says, and whether it was recalled.
type line struct {
	from, text string
	recalled   bool
}

// checkHistories reads the whole history of every pair at the client door, from both ends in turn, and some also at the
// REST door, which must say the same.
func (t *torture) checkHistories(ctx context.Context) error {
	const sample = 5 // one pair in five at the other door too
	admin, err := t.stage.backEnd(t.stage.nodes[0])
	if err != nil {
		return err
	}
	for user := 0; user < len(t.crowd.books); user += 2 {
		reader := user + user/2%2
		if t.ended(reader) {
			reader ^= 1
		}
		if t.ended(reader) {
			continue
		}
		here, there := t.crowd.books[reader], t.crowd.books[reader^1]
		lines, err := readHistory(ctx, t.crowd.clients[reader], here.to)
		if err != nil {
			return fmt.Errorf("read the history of %s: %w", here.from, err)
		}
		t.checkLines(lines, here, there)
		if user/2%sample != 0 {
			continue
		}
		again, err := readRoaming(ctx, admin, there.from, here.from)
		if err != nil {
			return fmt.Errorf("read the history of %s: %w", there.from, err)
		}
		if !slices.Equal(lines, again) {
			t.report.find(&t.report.Disagreements, "%s and %s: %d messages at the client door, %d at the REST door, not the same",
				here.from, there.from, len(lines), len(again))
		}
	}
	return nil
}

// ended reports whether a client has given up, which is a fault of its own: it reads nothing any more.
func (t *torture) ended(user int) bool { return t.crowd.clients[user].Err() != nil }

func (t *torture) checkLines(lines []line, books ...*book) {
	for _, b := range books {
		var numbers []int
		for _, l := range lines {
			if l.from == b.from {
				numbers = append(numbers, b.number(l.text))
			}
		}
		t.report.count(b)
		t.report.history(b, numbers)
		t.report.deliveries(b)
		t.report.callbacks(b)
		t.report.checkChanges(b, lines)
	}
}

// readHistory reads a client's whole history with a peer, oldest first.
func readHistory(ctx context.Context, c *client.Client, peer string) ([]line, error) {
	const page = 100
	var lines []line
	for m, err := range c.Messages(ctx, peer, client.HistoryQuery{Limit: page}) {
		if err != nil {
			return nil, err
		}
		lines = append(lines, line{m.From, m.Text(), m.Recalled})
	}
	slices.Reverse(lines)
	return lines, nil
}

// readRoaming reads the same with admin_getroammsg.
func readRoaming(ctx context.Context, b *backEnd, operator, peer string) ([]line, error) {
	const page, ahead = 100, time.Minute // a server's clock may have been ahead
	request := roamRequest{Operator: operator, Peer: peer, MaxCnt: page, MaxTime: now().Add(ahead).Unix()}
	var lines []line
	for {
		var reply roamReply
		if err := b.call(ctx, "openim/admin_getroammsg", &request, &reply); err != nil {
			return nil, err
		}
		slices.Reverse(reply.MsgList)
		for _, m := range reply.MsgList {
			text := ""
			if len(m.MsgBody) > 0 {
				text = m.MsgBody[0].MsgContent.Text
			}
			lines = append(lines, line{m.From, text, m.FlagBits&recalledBit != 0})
		}
		if reply.Complete == 1 {
			slices.Reverse(lines)
			return lines, nil
		}
		if reply.LastMsgKey == request.LastMsgKey {
			return nil, errors.New("a page that is not the last leads nowhere")
		}
		request.MaxTime, request.LastMsgKey = reply.LastMsgTime, reply.LastMsgKey
	}
}

// checkSequences looks into the store itself, beside the running servers.
func (t *torture) checkSequences(ctx context.Context) error {
	d, err := t.stage.open(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	raw := chat.NewRaw(d)
	chats, err := raw.Chats(ctx)
	if err != nil {
		return fmt.Errorf("list chats: %w", err)
	}
	for _, one := range chats {
		found, err := raw.Sequences(ctx, one.ID)
		if err != nil {
			return fmt.Errorf("list sequences: %w", err)
		}
		t.report.sequences(one.ID, one.LastSequence, found)
	}
	return nil
}
