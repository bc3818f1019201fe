package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"

	"github.com/magpie-im/magpie/client"
	"github.com/magpie-im/magpie/internal/chat"
)

// line is a message of a history: who sent it and what it says.
type line struct{ from, text string }

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
		lines = append(lines, line{m.From, m.Text()})
	}
	slices.Reverse(lines)
	return lines, nil
}

// readRoaming reads the same with admin_getroammsg.
func readRoaming(ctx context.Context, b *backEnd, operator, peer string) ([]line, error) {
	const page = 100
	request := roamRequest{Operator: operator, Peer: peer, MaxCnt: page, MaxTime: now().Unix() + 1}
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
			lines = append(lines, line{m.From, text})
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

func (r *TortureReport) writeTable(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(table, "sent, acked, unsure\t%d, %d, %d\n", r.Sent, r.Acked, r.Unsure)
	_, _ = fmt.Fprintf(table, "reconnects, sent again\t%d, %d\n", r.Reconnects, r.Resent)
	_, _ = fmt.Fprintf(table, "ready after a start\t%.0f ms, at most %.0f ms\n", r.Restart.P50, r.Restart.Max)
	_, _ = fmt.Fprintf(table, "back end told again\t%d\n", r.ToldAgain)
	_, _ = fmt.Fprintf(table, "delivered by a sync at the end\t%d\n", r.Late)
	for _, reason := range slices.Sorted(maps.Keys(r.Errors)) {
		_, _ = fmt.Fprintf(table, "sends answered with %s\t%d\n", reason, r.Errors[reason])
	}
	for _, row := range []struct {
		name  string
		count int
	}{
		{"acknowledged but missing", r.Missing}, {"duplicated", r.Duplicated}, {"reordered", r.Reordered},
		{"sequence broken", r.SequenceBroken}, {"undelivered", r.Undelivered}, {"delivered twice", r.DeliveredTwice},
		{"back end never told", r.Untold}, {"back end told out of order", r.ToldReordered}, {"phantoms", r.Phantom}, {"doors disagree", r.Disagreements}, {"server crashes", r.Crashes},
		{"clients that gave up", r.ClientsEnded},
	} {
		_, _ = fmt.Fprintf(table, "%s\t%d\n", row.name, row.count)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, finding := range r.Findings {
		_, _ = fmt.Fprintln(w, finding)
	}
	verdict := "clean"
	if !r.Clean() {
		verdict = "NOT CLEAN"
	}
	_, err := fmt.Fprintln(w, verdict)
	return err
}
