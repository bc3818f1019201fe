package presence

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
)

// A custom status goes some time after the account's last device. Nothing is written for it when devices come and go: every
// node looks from time to time, more often than that time is long, for custom statuses of accounts without a device. So those
// whose node was killed are found too.

// tidyAtOnce bounds the custom statuses that are looked at in one statement.
const tidyAtOnce = 500

// gone is an account with a custom status that has no device online, and since when, in unix milliseconds.
type gone struct {
	account im.AccountID
	since   int64
}

// goneQuery finds them. Of a device whose node was killed nobody knows when it went, so its account goes now.
const goneQuery = `SELECT c.account_id, COALESCE(MAX(d.changed_at), 0), COALESCE(MAX(CASE WHEN d.revoked = 0 THEN d.online_on ELSE 0 END), 0)
FROM custom_status c LEFT JOIN device d ON d.account_id = c.account_id
WHERE c.away_at = 0 AND NOT EXISTS (SELECT 1 FROM device o JOIN node n ON n.id = o.online_on AND n.started_at = o.node_started
	WHERE o.account_id = c.account_id AND o.revoked = 0 AND n.lease_until > $1)
GROUP BY c.account_id LIMIT $2`

// overQuery finds custom statuses of accounts that were away for long enough or are online again, and since when one of their
// devices is: 0 is none.
const overQuery = `SELECT c.account_id, c.away_at, COALESCE((SELECT MIN(o.changed_at) FROM device o
	JOIN node n ON n.id = o.online_on AND n.started_at = o.node_started
	WHERE o.account_id = c.account_id AND o.revoked = 0 AND n.lease_until > $1), 0)
FROM custom_status c WHERE c.away_at <> 0 AND (c.away_at <= $2 OR EXISTS (SELECT 1 FROM device o
	JOIN node n ON n.id = o.online_on AND n.started_at = o.node_started
	WHERE o.account_id = c.account_id AND o.revoked = 0 AND n.lease_until > $3)) LIMIT $4`

// tidy notes which accounts with a custom status are away, removes the statuses of those that are for too long, and tells their
// watchers, until nothing is left to do.
func (p *Presences) tidy(ctx context.Context) error {
	for {
		away, err := p.findAway(ctx)
		if err != nil {
			return err
		}
		over, back, err := p.findOver(ctx)
		if err != nil || len(away)+len(over)+len(back) == 0 {
			return err
		}
		if err := p.store(ctx, away, over, back); err != nil {
			return err
		}
	}
}

func (p *Presences) findAway(ctx context.Context) ([]gone, error) {
	now := p.clock.Now().UnixMilli()
	away, err := db.All(ctx, p.db, func(scan db.Scanner) (gone, error) {
		var (
			one    gone
			killed int64
		)
		err := scan(&one.account, &one.since, &killed)
		if killed != 0 || one.since > now {
			one.since = now
		}
		return one, err
	}, goneQuery, now, tidyAtOnce)
	if err != nil {
		return nil, fmt.Errorf("find custom statuses of accounts that are away: %w", err)
	}
	return away, nil
}

// findOver lists the accounts whose custom statuses are over, and those that were not away: they came back in time, or their
// node's lease ran out for a moment.
func (p *Presences) findOver(ctx context.Context) (over, back []im.AccountID, err error) {
	now := p.clock.Now()
	err = db.Each(ctx, p.db, func(scan db.Scanner) error {
		var (
			id            im.AccountID
			away, arrived int64
		)
		err := scan(&id, &away, &arrived)
		if arrived != 0 && arrived < away+keepCustom.Milliseconds() {
			back = append(back, id)
		} else {
			over = append(over, id)
		}
		return err
	}, overQuery, now.UnixMilli(), now.Add(-keepCustom).UnixMilli(), now.UnixMilli(), tidyAtOnce)
	if err != nil {
		return nil, nil, fmt.Errorf("find custom statuses that are over: %w", err)
	}
	return over, back, nil
}

// store does what tidy found. A custom status that was set meanwhile is not away and stays.
func (p *Presences) store(ctx context.Context, away []gone, over, back []im.AccountID) error {
	var removed []im.AccountID
	err := p.db.Write(ctx, func(tx *db.Tx) error {
		removed = removed[:0]
		if err := markAway(tx, away); err != nil {
			return err
		}
		if _, err := tx.Exec(`UPDATE custom_status SET away_at = 0 WHERE account_id IN ($1...)`, db.Ints(back)); err != nil {
			return err
		}
		return tx.Returning(func(scan db.Scanner) error {
			var id im.AccountID
			err := scan(&id)
			removed = append(removed, id)
			return err
		}, `DELETE FROM custom_status WHERE away_at <> 0 AND account_id IN ($1...) RETURNING account_id`, db.Ints(over))
	})
	if err != nil {
		return fmt.Errorf("remove custom statuses: %w", err)
	}
	for _, id := range removed {
		p.PresenceChanged(id)
		p.tell(event.Devices(id), event.CustomChanged)
	}
	return nil
}

// markAway notes since when accounts are away that still are. One that came back and went again since it was found is away since
// then: otherwise its custom status would be over too early.
func markAway(tx *db.Tx, away []gone) error {
	const width = 2
	return db.Chunks(tx, width, away, func(chunk []gone) error {
		values := make([]any, 0, width*len(chunk)+1)
		for _, one := range chunk {
			values = append(values, int64(one.account), one.since)
		}
		now := db.Parameters(len(values)+1, 1)
		_, err := tx.Exec(`WITH gone (account_id, since) AS (VALUES `+db.Rows(len(chunk), width, true)+`)
			UPDATE custom_status SET away_at = COALESCE((SELECT MAX(d.changed_at) FROM device d
				WHERE d.account_id = gone.account_id AND d.changed_at > gone.since AND d.changed_at <= `+now+`), gone.since) FROM gone
			WHERE custom_status.account_id = gone.account_id AND custom_status.away_at = 0 AND NOT EXISTS (SELECT 1 FROM device o
				JOIN node n ON n.id = o.online_on AND n.started_at = o.node_started
				WHERE o.account_id = gone.account_id AND o.revoked = 0 AND n.lease_until > `+now+`)`,
			append(values, tx.Now().UnixMilli())...)
		return err
	})
}

// OnDelete removes what a deleted account said of itself and whom it watched. It is an [account.Participant].
func (*Presences) OnDelete(_ context.Context, tx *db.Tx, of account.Account) (func(), error) {
	for _, statement := range []string{
		`DELETE FROM custom_status WHERE account_id = $1`, `DELETE FROM presence_watch WHERE account_id = $1`,
	} {
		if _, err := tx.Exec(statement, int64(of.ID)); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// RemoveOf removes the same of accounts that are removed. It is an [account.RemovePart].
func (*Presences) RemoveOf(_ context.Context, tx *db.Tx, of []im.AccountID, most int64) (int64, error) {
	statuses, err := tx.Exec(`DELETE FROM custom_status WHERE account_id IN ($1...)`, db.Ints(of))
	if err != nil {
		return 0, err
	}
	watches, err := tx.Exec(`DELETE FROM presence_watch WHERE (account_id, target_id) IN
		(SELECT account_id, target_id FROM presence_watch WHERE account_id IN ($1...) LIMIT $2)`, db.Ints(of), most)
	return statuses + watches, err
}
