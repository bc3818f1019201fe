package outbox

import (
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/webhook"
	"github.com/magpie-im/magpie/internal/wire"
)

// finished is an attempt's result on its way into the store.
type finished struct {
	event  waiting
	at     int64 // unix milliseconds
	took   int64 // milliseconds
	status int   // HTTP's; 0 without an answer
	reply  string
	host   string // of the address
	then   verdict
}

// verdict is what becomes of a callback after an attempt.
type verdict int

const (
	delivered verdict = iota
	again             // later; the event says when
	dead
	postponed // there was no attempt: the back end is not to be called now
	moved     // there was no attempt: it gets a row of its own
)

// batch is the results that are recorded together, with the rows that nothing needs any more after them.
type batch struct {
	key     queueKey
	results []finished
	done    []int64 // rows of webhook_outbox
}

// record stores results: a delivered callback goes, with its row when it was the row's last; any other gets, or keeps, a
// row of its own.
func (b *batch) record(tx *db.Tx) error {
	for i := range b.results {
		if err := b.results[i].move(tx, b.key); err != nil {
			return err
		}
	}
	for _, id := range b.done {
		if _, err := tx.Exec(`DELETE FROM webhook_outbox WHERE id = $1`, id); err != nil {
			return err
		}
	}
	return b.recordAttempts(tx)
}

const insertFailed = `INSERT INTO webhook_event
(id, app_id, hook, command, lane, address, platform, body, attempts, since, next_at, dead_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`

const upsertFailed = insertFailed + ` ON CONFLICT (id) DO UPDATE SET attempts = excluded.attempts, next_at = excluded.next_at, dead_at = excluded.dead_at`

func (r *finished) move(tx *db.Tx, key queueKey) error {
	e := &r.event
	if r.then == delivered {
		if e.pack != nil {
			return nil
		}
		_, err := tx.Exec(`DELETE FROM webhook_event WHERE id = $1`, e.id)
		return err
	}
	deadAt, insert := int64(0), upsertFailed
	switch r.then {
	case dead:
		deadAt = r.at
	case moved: // what is there already, since before a crash, knows more
		insert = insertFailed + ` ON CONFLICT DO NOTHING`
	}
	_, err := tx.Exec(insert, e.id, int64(key.app), key.hook, e.command, e.lane, e.clientIP, e.platform, string(e.body),
		e.attempts, e.since, e.nextAt, deadAt)
	return err
}

// recordAttempts writes one row for all that were delivered at once, and one for each other.
func (b *batch) recordAttempts(tx *db.Tx) error {
	var together []Attempt
	for i := range b.results {
		r := &b.results[i]
		if r.then == moved {
			continue
		}
		one := r.attempt(b.key.hook)
		if r.then == delivered && one.Number == 1 {
			together = append(together, one)
			continue
		}
		if err := insertAttempts(tx, b.key.app, []Attempt{one}); err != nil {
			return err
		}
	}
	if len(together) == 0 {
		return nil
	}
	return insertAttempts(tx, b.key.app, together)
}

func (r *finished) attempt(hook string) Attempt {
	return Attempt{
		EventID: formatID(r.event.id), Number: r.event.attempts, Hook: hook, Command: r.event.command,
		At: r.at, Took: r.took, Status: r.status, Reply: r.reply, event: r.event.id,
	}
}

func insertAttempts(tx *db.Tx, app im.AppID, all []Attempt) error {
	first, last := all[0].event, all[0].event
	for _, one := range all {
		first, last = min(first, one.event), max(last, one.event)
	}
	text, err := wire.Marshal(all)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO webhook_attempt (id, app_id, first_event, last_event, attempts) VALUES ($1, $2, $3, $4, $5)`,
		tx.NextID(), int64(app), first, last, string(text))
	return err
}

// shrink leaves in a row only the callbacks that still need it.
func shrink(tx *db.Tx, id int64, left []*waiting) error {
	var packed []byte
	for _, e := range left {
		packed = appendPacked(packed, e.id, &webhook.Event{
			Lane: e.lane, Command: e.command, ClientIP: e.clientIP, Platform: e.platform, Body: e.body,
		})
	}
	_, err := tx.Exec(`UPDATE webhook_outbox SET events = $2 WHERE id = $1`, id, packed)
	return err
}
