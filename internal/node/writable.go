package node

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/telemetry"
)

const (
	// probeBytes is more than the commit of one message of the usual largest size takes: on a disk that is almost full
	// the probe must not fit where a message does not.
	probeBytes = 64 << 10
	// probeWithin is how long a write may take before the store counts as one that does not answer.
	probeWithin = 2 * time.Second
	// probeEvery bounds how often the probe is written, however often somebody asks.
	probeEvery = time.Second
)

// probe is the last look at whether the store takes writes.
type probe struct {
	mutex  sync.Mutex
	looked time.Time
	err    error
}

// Writable returns nil when the store took a write within the last second, and else why it does not, in words that
// anybody may read. One who asks may wait for two seconds.
func (n *Node) Writable(ctx context.Context) error {
	n.probe.mutex.Lock()
	defer n.probe.mutex.Unlock()
	if age := n.Clock.Since(n.probe.looked); age >= 0 && age < probeEvery {
		return n.probe.err
	}
	before := n.probe.err
	n.probe.err = n.write(context.WithoutCancel(ctx)) // what is found counts for all who ask
	n.probe.looked = n.Clock.Now()
	if n.probe.err == nil && before != nil {
		n.Log.InfoContext(ctx, "the store takes writes again")
	}
	return n.probe.err
}

const putProbe = `INSERT INTO node_probe (id, written_at, filler) VALUES ($1, $2, $3)
ON CONFLICT (id) DO UPDATE SET written_at = excluded.written_at, filler = excluded.filler`

func (n *Node) write(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeWithin)
	defer cancel()
	// Chance, because a database neither writes what is there already nor at its length what it can compress.
	filler := make([]byte, probeBytes)
	_, _ = rand.NewChaCha8([32]byte{0: byte(rand.Uint32()), 1: byte(rand.Uint32()), 2: byte(rand.Uint32()), 3: byte(rand.Uint32())}).Read(filler)
	err := n.DB.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(putProbe, n.key, tx.Now().UnixMilli(), filler)
		return err
	})
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.DeadlineExceeded):
		err = fmt.Errorf("the store has not taken a write within %s", probeWithin)
		n.sampled.Warn(ctx, "store", "the node is not ready", telemetry.FieldReason, err)
		return err
	}
	n.sampled.Warn(ctx, "store", "the node is not ready", telemetry.FieldError, err)
	return errors.New(db.Fault(err))
}
