package outbox

import (
	"fmt"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/webhook"
	"github.com/magpie-im/magpie/internal/wire"
)

// finished is an attempt's result that is to be stored.
type finished struct {
	callback waiting
	at       int64 // unix milliseconds
	took     int64 // milliseconds
	status   int   // HTTP's; 0 without an answer
	reply    string
	host     string // of the address
	then     verdict
}

// verdict is what is done with a callback after an attempt.
type verdict int

const (
	delivered verdict = iota
	again             // later; the callback says when
	dead
	postponed // there was no attempt: the back end is not to be called now
	moved     // there was no attempt: it gets a row of its own
	gone      // there was no attempt: its application was removed
)

// batch is the results that are recorded together, with the rows that are not needed any more after them.
type batch struct {
	key      queueKey
	results  []finished
	done     []int64 // rows of webhook_outbox
	attempts []attemptRow
}

// attemptRow is a row of attempts, as JSON.
type attemptRow struct {
	first, last int64 // the lowest and the highest id of their callbacks
	text        string
}

// record stores results: a delivered callback goes, with its row when it was the row's last; any other gets, or keeps, a
// row of its own.
func (b *batch) record(tx *db.Tx) error {
	for i := range b.results {
		if err := b.results[i].move(tx, b.key); err != nil {
			return err
		}
	}
	if err := b.remove(tx); err != nil {
		return err
	}
	for _, r := range b.attempts {
		_, err := tx.Exec(`INSERT INTO webhook_attempt (id, app_id, first_event, last_event, attempts) VALUES ($1, $2, $3, $4, $5)`,
			tx.NextID(), int64(b.key.app), r.first, r.last, r.text)
		if err != nil {
			return err
		}
	}
	return nil
}

// remove deletes rows that are not needed any more: of delivered callbacks with rows of their own, and of the outbox.
func (b *batch) remove(tx *db.Tx) error {
	var delivered []int64
	for i := range b.results {
		if b.results[i].ownRowEnds() {
			delivered = append(delivered, b.results[i].callback.id)
		}
	}
	if len(delivered) > 0 {
		if _, err := tx.Exec(`DELETE FROM webhook_event WHERE id IN ($1...)`, db.Ints(delivered)); err != nil {
			return err
		}
	}
	if len(b.done) == 0 {
		return nil
	}
	_, err := tx.Exec(`DELETE FROM webhook_outbox WHERE id IN ($1...)`, db.Ints(b.done))
	return err
}

const insertFailed = `INSERT INTO webhook_event
(id, app_id, hook, command, lane, address, platform, body, attempts, since, next_at, dead_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`

const upsertFailed = insertFailed + ` ON CONFLICT (id) DO UPDATE SET attempts = excluded.attempts, next_at = excluded.next_at, dead_at = excluded.dead_at`

// ownRowEnds tells a callback that needs its own row no more.
func (r *finished) ownRowEnds() bool { return r.ends() && r.callback.pack == nil }

// ends tells a callback that needs no row any more.
func (r *finished) ends() bool { return r.then == delivered || r.then == gone }

func (r *finished) move(tx *db.Tx, key queueKey) error {
	e := &r.callback
	if r.ends() {
		return nil
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

// encode makes the rows of attempts ahead of the transaction, so that nobody's commit waits for it: one row for all that
// were delivered at once, and one for each other.
func (b *batch) encode() error {
	var together []Attempt
	for i := range b.results {
		r := &b.results[i]
		if r.then == moved || r.then == gone {
			continue
		}
		one := r.attempt(b.key.hook)
		if r.then == delivered && one.Number == 1 {
			together = append(together, one)
			continue
		}
		if err := b.addAttempts([]Attempt{one}); err != nil {
			return err
		}
	}
	if len(together) == 0 {
		return nil
	}
	return b.addAttempts(together)
}

func (b *batch) addAttempts(all []Attempt) error {
	first, last := all[0].event, all[0].event
	for _, one := range all {
		first, last = min(first, one.event), max(last, one.event)
	}
	text, err := wire.Marshal(all)
	if err != nil {
		return fmt.Errorf("encode attempts: %w", err)
	}
	b.attempts = append(b.attempts, attemptRow{first, last, string(text)})
	return nil
}

func (r *finished) attempt(hook string) Attempt {
	return Attempt{
		EventID: formatID(r.callback.id), Number: r.callback.attempts, Hook: hook, Command: r.callback.command,
		At: r.at, Took: r.took, Status: r.status, Reply: r.reply, event: r.callback.id,
	}
}

// shrink leaves in a row only the callbacks that still need it.
func shrink(tx *db.Tx, id int64, left []*waiting) error {
	var packed []byte
	for _, e := range left {
		packed = appendPacked(packed, e.id, &webhook.Callback{
			Lane: e.lane, Command: e.command, ClientIP: e.clientIP, Platform: e.platform, Body: e.body,
		})
	}
	_, err := tx.Exec(`UPDATE webhook_outbox SET events = $2 WHERE id = $1`, id, packed)
	return err
}
