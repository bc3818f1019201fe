package bench

import (
	"context"
	"maps"
)

// liveLedger is what a server says became of a room's messages.
type liveLedger struct {
	Waiting int64 `json:"WaitingNum"`
	Total   []struct {
		Received, Pushed int64
		Dropped          map[string]int64
	}
}

func (b *backEnd) ledger(ctx context.Context, room string) (*liveLedger, error) {
	l := &liveLedger{}
	return l, b.call(ctx, "magpie_live/get_ledger", map[string]any{"GroupId": room}, l)
}

// became is what became of the messages of a room, at all servers.
type became struct {
	received, pushed int64
	dropped          map[string]int64
}

// ledgers reads the ledgers of all rooms, and how many pushes members have skipped.
func (w *show) ledgers(ctx context.Context) (all []became, skipped float64, err error) {
	all = make([]became, w.Rooms)
	for i, admin := range w.admin {
		for room := range all {
			l, err := admin.ledger(ctx, roomName(room))
			if err != nil {
				return nil, 0, err
			}
			all[room].add(l)
		}
		skipped += field(scrape(ctx, "http://"+w.stage.nodes[i].address+"/metrics", ""), "magpie_live_skipped_total")
	}
	return all, skipped, nil
}

func (b *became) add(l *liveLedger) {
	if b.dropped == nil {
		b.dropped = map[string]int64{}
	}
	for _, one := range l.Total {
		b.received += one.Received
		b.pushed += one.Pushed
		for why, n := range one.Dropped {
			b.dropped[why] += n
		}
	}
}

// count takes what became of messages between two looks.
func (p *LivePhase) count(before, after []became) {
	p.Dropped = map[string]int64{}
	for room := range after {
		p.Received += after[room].received - before[room].received
		p.Pushed += after[room].pushed - before[room].pushed
		for why, n := range after[room].dropped {
			p.Dropped[why] += n - before[room].dropped[why]
		}
	}
	maps.DeleteFunc(p.Dropped, func(_ string, n int64) bool { return n == 0 })
}
