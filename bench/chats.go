package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// peers are, for each connection, those that it sends to in turn.
type peers [][]int

// chatsOf names how many chats n connections have when nobody says otherwise: each pair has one.
func chatsOf(n, chats int) int {
	if chats == 0 {
		return n / 2
	}
	return chats
}

// validChats refuses a number of chats that n connections cannot have among themselves.
func validChats(n, chats int) error {
	if least, most := n/2, n*(n-1)/2; chats != 0 && (chats < least || chats > most) {
		return fmt.Errorf("--chats: %d connections have %d to %d chats among themselves", n, least, most)
	}
	return nil
}

// newPeers spreads chats over n connections: first over their pairs, then over neighbours further and further away, so
// that each connection has as many as the others, or one more. Both sides of a chat send in it. The first
// of a connection's peers is the other one of its pair.
func newPeers(n, chats int) peers {
	p := make(peers, n)
	left := chats
	join := func(i, j int) {
		if left > 0 {
			p[i], p[j] = append(p[i], j), append(p[j], i)
			left--
		}
	}
	for i := 0; i < n; i += 2 {
		join(i, i+1)
	}
	for distance := 1; distance <= n/2; distance++ {
		ring := n
		if 2*distance == n {
			ring = n / 2 // from here on the same chats come again, from the other side
		}
		for i := range ring {
			if j := (i + distance) % n; i^1 != j {
				join(i, j)
			}
		}
	}
	return p
}

// makeChats sends the first message of each chat, so that the phases find them made. When nobody says how many, there is
// one for each pair, which the warming up makes.
func (o *C2COptions) makeChats(ctx context.Context, t *traffic) error {
	if o.Chats == 0 {
		return nil
	}
	m := newMeter(0, 0)
	t.meter.Store(m)
	failures := make([]error, len(t.drivers))
	var group sync.WaitGroup
	for i, d := range t.drivers {
		group.Go(func() { failures[i] = d.greet(ctx, t.peers[i], i, m) })
	}
	group.Wait()
	t.settle(ctx, m)
	return errors.Join(failures...)
}

// greet sends from connection i in those of its chats that no other connection has to make.
func (d *driver) greet(ctx context.Context, others []int, i int, m *meter) error {
	for k, other := range others {
		if other < i {
			continue
		}
		if err := d.sendTo(ctx, d.to[k], d.traffic.watch.ns()); err != nil {
			return fmt.Errorf("make a chat: %w", err)
		}
		m.acked.Add(1)
	}
	return nil
}
