package mute

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// someMuted is whether the store has a mute, as far as this node knows, so that messages cost no look at the store while there is
// none. It is set before a mute of this node is stored; of other nodes' the store is asked every few seconds.
type someMuted struct {
	found   atomic.Bool
	mutex   sync.Mutex
	writing int    // mutes that are being stored
	changes uint64 // how often one was
}

func (a *someMuted) is() bool { return a.found.Load() }

// begin says that a mute is about to be stored; ended, that this is over.
func (a *someMuted) begin() (ended func()) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.writing++
	a.found.Store(true)
	return func() {
		a.mutex.Lock()
		defer a.mutex.Unlock()
		a.writing--
		a.changes++
	}
}

// read takes over what the store says, unless a mute was being stored meanwhile.
func (a *someMuted) read(ask func() (bool, error)) error {
	a.mutex.Lock()
	before, busy := a.changes, a.writing > 0
	a.mutex.Unlock()
	some, err := ask()
	if err != nil {
		return err
	}
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if some || !busy && a.writing == 0 && a.changes == before {
		a.found.Store(some)
	}
	return nil
}

const (
	// askEvery is how long a mute of another node may not be known here, when it is the store's only one.
	askEvery = 3 * time.Second
	// dropEvery is in how many of these looks mutes are removed that have ended.
	dropEvery = 20
)

// Load reads whether there are mutes, before the first message comes.
func (m *Mutes) Load(ctx context.Context) error {
	return m.some.read(func() (bool, error) {
		found, err := db.One(ctx, m.db, db.Number, `SELECT COUNT(*) FROM (SELECT account_id FROM global_mute LIMIT 1) AS mute`)
		if err != nil {
			return false, fmt.Errorf("read whether accounts are muted: %w", err)
		}
		return found > 0, nil
	})
}

// Keep looks at the store from time to time, until ctx ends.
func (m *Mutes) Keep(ctx context.Context) {
	tick := m.clock.NewTicker(askEvery)
	defer tick.Stop()
	for turn := 1; ; turn++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := m.Load(ctx)
		if err == nil && m.some.is() && turn%dropEvery == 0 {
			err = m.drop(ctx)
		}
		if err != nil && ctx.Err() == nil {
			m.log.WarnContext(ctx, "look at mutes", telemetry.FieldError, err)
		}
	}
}

// dropMost bounds the mutes that one transaction removes.
const dropMost = 1000

// drop removes mutes that have ended.
func (m *Mutes) drop(ctx context.Context) error {
	ended, err := db.All(ctx, m.db, db.Number, `SELECT account_id FROM global_mute WHERE chat_until <= $1 AND group_until <= $2 LIMIT $3`,
		m.db.Now().Unix(), m.db.Now().Unix(), dropMost)
	if err != nil || len(ended) == 0 {
		return err
	}
	return m.db.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(`DELETE FROM global_mute WHERE chat_until <= $1 AND group_until <= $2 AND account_id IN ($3...)`,
			tx.Now().Unix(), tx.Now().Unix(), db.Ints(ended))
		return err
	})
}

// OnDelete removes the mute of a deleted account. It is an [account.Participant].
func (*Mutes) OnDelete(_ context.Context, tx *db.Tx, of account.Account) (func(), error) {
	_, err := tx.Exec(`DELETE FROM global_mute WHERE account_id = $1`, int64(of.ID))
	return nil, err
}

// RemoveOf removes the mutes of accounts that are removed. It is an [account.RemovePart].
func (*Mutes) RemoveOf(_ context.Context, tx *db.Tx, of []im.AccountID, _ int64) (int64, error) {
	return tx.Exec(`DELETE FROM global_mute WHERE account_id IN ($1...)`, db.Ints(of))
}
