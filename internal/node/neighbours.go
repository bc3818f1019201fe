package node

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// A node's row counts as long as it is renewed. The lease is short, because a node that comes back after a crash on
// another machine waits for the end of its own former one; one that lapses by mistake costs nothing.
const (
	leaseFor   = 9 * time.Second
	renewEvery = 3 * time.Second
	lookEvery  = 250 * time.Millisecond
	forgetRows = 24 * time.Hour
)

// The refusals of Enter. Each is a sentence for the operator.
var (
	ErrNoBus     = errors.New("another node serves this database without --bus, or this one does: nodes that share a database need a common NATS, so give all of them the same --bus, or stop the other node")
	ErrOtherBus  = errors.New("another node serves this database and does not hear this one on --bus: give all nodes of a database the same --bus and --cluster")
	errOnlyLater = errors.New("a node with another --bus, or without one, has begun to serve this database while this one could not reach it: stop one of them")
)

// neighbour is the row of another node that this one may not be able to hear.
type neighbour struct {
	id      int64
	joined  bool
	process string
	until   int64
}

// Enter returns when the node may serve beside those that serve the database already, which it then has told. It
// refuses with ErrNoBus or ErrOtherBus as soon as one that it cannot hear is seen to live, by renewing its row: that
// takes a few seconds. A row that nobody renews is of a node that ended without a farewell: Enter waits until its lease
// ends, or not at all when its process was on this machine and is gone.
func (n *Node) Enter(ctx context.Context) error {
	if err := n.listen(ctx); err != nil {
		return err
	}
	seen, renewals := map[int64]int64{}, map[int64]int{}
	tick := n.Clock.NewTicker(n.lookEvery)
	defer tick.Stop()
	for first := true; ; first = false {
		unheard, err := n.tryEnter(ctx)
		if err != nil || len(unheard) == 0 {
			return err
		}
		for _, other := range unheard {
			if before, ok := seen[other.id]; ok && other.until > before {
				renewals[other.id]++
			}
			seen[other.id] = other.until
			if err := n.judge(other, renewals[other.id]); err != nil {
				return err
			}
		}
		if first {
			n.Log.InfoContext(ctx, "another node has lately served this database, and this one does not hear it on the bus; waiting to see whether it lives",
				telemetry.FieldCount, len(unheard), telemetry.FieldDuration, n.leaseFor)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for another node's lease: %w", ctx.Err())
		case <-tick.C:
		}
	}
}

// judge asks an unheard neighbour on the bus, or refuses when it lives and has had the time to answer.
func (n *Node) judge(other neighbour, renewals int) error {
	switch {
	case !other.joined || n.Bus == nil:
		if renewals >= 1 {
			return ErrNoBus
		}
	case renewals >= 2:
		return ErrOtherBus
	default:
		// What is lost here is asked again in a moment.
		_ = n.Bus.Publish(bus.Subject{Kind: bus.KindNode, ID: other.id}, letter(question, n.key))
	}
	return nil
}

const lockRow = `INSERT INTO node_bus (id, joined, process, until) VALUES (0, FALSE, '', $1)
ON CONFLICT (id) DO UPDATE SET until = excluded.until`

const putRow = `INSERT INTO node_bus (id, joined, process, until) VALUES ($1, $2, $3, $4)
ON CONFLICT (id) DO UPDATE SET until = excluded.until`

// tryEnter adds the node's row unless there are neighbours that it does not hear, and gives those. Nodes do this one
// after the other.
func (n *Node) tryEnter(ctx context.Context) ([]neighbour, error) {
	var unheard []neighbour
	err := n.DB.Write(ctx, func(tx *db.Tx) error {
		now := tx.Now().UnixMilli()
		if _, err := tx.Exec(lockRow, now); err != nil {
			return err
		}
		var err error
		if unheard, err = n.unheard(ctx, tx, now); err != nil || len(unheard) > 0 {
			return err
		}
		if _, err := tx.Exec(`DELETE FROM node_bus WHERE until < $1 AND id <> 0`, now-forgetRows.Milliseconds()); err != nil {
			return err
		}
		_, err = tx.Exec(putRow, n.key, n.Bus != nil, n.process, now+n.leaseFor.Milliseconds())
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for other nodes: %w", err)
	}
	return unheard, nil
}

func (n *Node) unheard(ctx context.Context, from db.Source, now int64) ([]neighbour, error) {
	var found []neighbour
	err := db.Each(ctx, from, func(row db.Scanner) error {
		var other neighbour
		if err := row(&other.id, &other.joined, &other.process, &other.until); err != nil {
			return err
		}
		if !n.hears(other) && !goneProcess(other.process) {
			found = append(found, other)
		}
		return nil
	}, `SELECT id, joined, process, until FROM node_bus WHERE until > $1 AND id <> 0 AND id <> $2`, now, n.key)
	return found, err
}

func (n *Node) hears(other neighbour) bool {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	return n.Bus != nil && other.joined && n.heard[other.id]
}

// Keep renews the node's row until ctx ends. If others came that it does not hear, which needs that this node could not
// write for a while, Trouble says so from then on.
func (n *Node) Keep(ctx context.Context) {
	tick := n.Clock.NewTicker(n.renewEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := n.renew(ctx); err != nil && ctx.Err() == nil {
			n.Log.WarnContext(ctx, "tell other nodes of this one", telemetry.FieldError, err)
		}
	}
}

func (n *Node) renew(ctx context.Context) error {
	err := n.DB.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(putRow, n.key, n.Bus != nil, n.process, tx.Now().Add(n.leaseFor).UnixMilli())
		return err
	})
	if err != nil {
		return err
	}
	others, err := n.unheard(ctx, n.DB, n.DB.Now().UnixMilli())
	if err != nil {
		return err
	}
	var trouble error
	for _, other := range others {
		if n.Bus == nil || !other.joined {
			trouble = errOnlyLater
		}
	}
	n.mutex.Lock()
	before := n.trouble
	n.trouble = trouble
	n.mutex.Unlock()
	if trouble != nil && before == nil {
		n.Log.ErrorContext(ctx, trouble.Error())
	}
	return nil
}

// Trouble is why the node should not serve though it runs, or nil.
func (n *Node) Trouble() error {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	return n.trouble
}

// Leave takes the node's rows out, so that another one need not wait for it.
func (n *Node) Leave(ctx context.Context) error {
	return n.DB.Write(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(`DELETE FROM node_bus WHERE id = $1`, n.key); err != nil {
			return err
		}
		_, err := tx.Exec(`DELETE FROM node_probe WHERE id = $1`, n.key)
		return err
	})
}

// The letters that nodes send each other: a sign, and the sender's key.
const (
	question = '?'
	answer   = '!'
)

func letter(sign byte, from int64) []byte {
	return binary.BigEndian.AppendUint64([]byte{sign}, uint64(from))
}

// maxHeard bounds the keys that are remembered; every start of a node is a new one.
const maxHeard = 4096

// listen makes the node one that others can ask on the bus.
func (n *Node) listen(ctx context.Context) error {
	if n.Bus == nil {
		return nil
	}
	if err := n.Bus.Subscribe(bus.Subject{Kind: bus.KindNode, ID: n.key}, n); err != nil {
		return fmt.Errorf("subscribe to questions of other nodes: %w", err)
	}
	if err := n.Bus.Flush(ctx); err != nil {
		return fmt.Errorf("subscribe to questions of other nodes: %w", err)
	}
	return nil
}

// Receive answers another node that asks, and hears what others answer.
func (n *Node) Receive(_ bus.Subject, data []byte) {
	if len(data) != 9 {
		return
	}
	from := int64(binary.BigEndian.Uint64(data[1:]))
	n.mutex.Lock()
	if len(n.heard) == maxHeard { // those that still live are asked again
		clear(n.heard)
	}
	n.heard[from] = true
	n.mutex.Unlock()
	if data[0] == question {
		_ = n.Bus.Publish(bus.Subject{Kind: bus.KindNode, ID: from}, letter(answer, n.key))
	}
}
