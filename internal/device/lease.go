package device

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// A node's devices are online while its lease lies ahead. One row per node is renewed, not one per device, so that
// fifteen thousand idle connections cost the store one small write now and then (docs/adr/0004-node-lease.md).
const (
	leaseFor   = 15 * time.Second
	leaseRenew = 5 * time.Second
)

// lease is this node's number, and the moment of its start, which tells it from an earlier holder of the number.
type lease struct {
	mutex   sync.RWMutex
	node    int64
	started int64
}

func (l *lease) get() (node, started int64) {
	l.mutex.RLock()
	defer l.mutex.RUnlock()
	return l.node, l.started
}

func (l *lease) set(node, started int64) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.node, l.started = node, started
}

var errNoNode = errors.New("device: every node number is taken")

// Join takes a lease for this node: the lowest number that nobody holds.
func (d *Devices) Join(ctx context.Context) error {
	var node, started int64
	err := d.db.Write(ctx, func(tx *db.Tx) error {
		var err error
		started = tx.Now().UnixMilli()
		node, err = takeNode(ctx, tx)
		return err
	})
	if err != nil {
		return fmt.Errorf("take a node number: %w", err)
	}
	d.lease.set(node, started)
	d.db.SetNode(node, time.UnixMilli(started))
	return nil
}

const upsertNode = `INSERT INTO node (id, lease_until, started_at) VALUES ($1, $2, $3)
ON CONFLICT (id) DO UPDATE SET lease_until = excluded.lease_until, started_at = excluded.started_at
WHERE node.lease_until <= $3`

func takeNode(ctx context.Context, tx *db.Tx) (int64, error) {
	now := tx.Now().UnixMilli()
	held := map[int64]bool{}
	err := db.Each(ctx, tx, func(scan db.Scanner) error {
		var id int64
		err := scan(&id)
		held[id] = true
		return err
	}, `SELECT id FROM node WHERE lease_until > $1`, now)
	if err != nil {
		return 0, err
	}
	for id := int64(1); id < db.MaxNodes; id++ {
		if held[id] {
			continue
		}
		taken, err := tx.Exec(upsertNode, id, now+leaseFor.Milliseconds(), now)
		if err != nil || taken == 1 {
			return id, err
		}
	}
	return 0, errNoNode
}

// Hold renews the lease until ctx ends. lost is called when another node has taken the number, because it was not renewed
// in time, and this one has a new number: its devices are not online by that, so its clients have to come back.
func (d *Devices) Hold(ctx context.Context, lost func()) {
	tick := d.clock.NewTicker(leaseRenew)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		held, err := d.renew(ctx)
		if err != nil && ctx.Err() == nil {
			d.log.ErrorContext(ctx, "renew the node's lease", telemetry.FieldError, err)
			continue
		}
		if !held && ctx.Err() == nil {
			if err := d.Join(ctx); err != nil {
				d.log.ErrorContext(ctx, "rejoin", telemetry.FieldError, err)
				continue
			}
			lost()
		}
	}
}

// renew reports false when another node has taken the number. A lease that ran out and that nobody took goes on, as after
// a clock that jumped forward or a machine that slept: its devices were offline to others for that while only.
func (d *Devices) renew(ctx context.Context) (bool, error) {
	node, started := d.lease.get()
	var renewed int64
	err := d.db.Write(ctx, func(tx *db.Tx) error {
		var err error
		now := tx.Now().UnixMilli()
		renewed, err = tx.Exec(`UPDATE node SET lease_until = $1 WHERE id = $2 AND started_at = $3`,
			now+leaseFor.Milliseconds(), node, started)
		return err
	})
	if err != nil {
		return false, err // the write may still be running, and then it has renewed to itself
	}
	return renewed == 1, nil
}

// Leave gives the lease back: the node's devices are offline from now on.
func (d *Devices) Leave(ctx context.Context) error {
	node, started := d.lease.get()
	return d.db.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(`UPDATE node SET lease_until = 0 WHERE id = $1 AND started_at = $2`, node, started)
		return err
	})
}

// Node is this node's number.
func (d *Devices) Node() int64 {
	node, _ := d.lease.get()
	return node
}
