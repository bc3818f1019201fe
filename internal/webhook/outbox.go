package webhook

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// Add stores callbacks in the transaction of what they tell, and has them delivered once it is on disk.
func (w *Webhooks) Add(tx *db.Tx, events ...Event) error {
	if len(events) == 0 {
		return nil
	}
	rest := events
	for len(rest) > 0 {
		n := sameAddress(rest)
		if err := insertPack(tx, rest[:n]); err != nil {
			return fmt.Errorf("store callbacks: %w", err)
		}
		rest = rest[n:]
	}
	tx.OnCommit(func() { w.stored(events) })
	return nil
}

// Store is Add for callbacks of what is not stored itself.
func (w *Webhooks) Store(ctx context.Context, events ...Event) error {
	if len(events) == 0 {
		return nil
	}
	return w.db.Write(ctx, func(tx *db.Tx) error { return w.Add(tx, events...) })
}

// sameAddress counts the events at the beginning that may share a row.
func sameAddress(events []Event) int {
	n := 1
	for n < min(len(events), packMost) && events[n].app == events[0].app && events[n].hook == events[0].hook {
		n++
	}
	return n
}

func insertPack(tx *db.Tx, events []Event) error {
	row, last, size := tx.NextID(), int64(0), 0
	for i := range events {
		const around = 100
		size += len(events[i].body) + around
	}
	packed := make([]byte, 0, size)
	for i := range events {
		last = tx.NextID()
		packed = appendPacked(packed, last, &events[i])
	}
	_, err := tx.Exec(`INSERT INTO webhook_outbox (id, app_id, hook, last_id, stored_at, events) VALUES ($1, $2, $3, $4, $5, $6)`,
		row, int64(events[0].app), events[0].hook, last, tx.Now().UnixMilli(), packed)
	return err
}

// pack is a row of callbacks of which some are not delivered yet.
type pack struct {
	id     int64
	events []*waiting // as fetched
	left   int        // how many of them still need the row; the recorder's
}

// waiting is a stored callback on its way to the back end.
type waiting struct {
	id       int64
	command  string
	lane     int64
	address  string
	platform string
	body     []byte
	attempts int
	since    int64 // unix milliseconds
	nextAt   int64 // unix milliseconds
	pack     *pack // nil when it has a row of its own
	in       *lane // once it is in memory
}

// queueKey names the callbacks of one address.
type queueKey struct {
	app  im.AppID
	hook string
}

// packsBehind lists the rows of callbacks behind the given row.
func packsBehind(ctx context.Context, from db.Source, key queueKey, after int64, limit int) ([]int64, error) {
	return db.All(ctx, from, db.Number, `SELECT id FROM webhook_outbox
		WHERE app_id = $1 AND hook = $2 AND id > $3 ORDER BY id LIMIT $4`, int64(key.app), key.hook, after, limit)
}

// fetchPack reads a row of callbacks; db.ErrNotFound when it is gone.
func fetchPack(ctx context.Context, from db.Source, id int64) (*pack, error) {
	return db.One(ctx, from, scanPack, `SELECT id, stored_at, events FROM webhook_outbox WHERE id = $1`, id)
}

func scanPack(row db.Scanner) (*pack, error) {
	var (
		p      = &pack{}
		stored int64
		packed []byte
	)
	err := row(&p.id, &stored, &packed)
	if err != nil {
		return nil, err
	}
	p.events, err = unpack(packed)
	p.left = len(p.events)
	for _, e := range p.events {
		e.since, e.pack = stored, p
	}
	return p, err
}

// failedLanes lists the lanes that have callbacks which wait in rows of their own.
func failedLanes(ctx context.Context, from db.Source, key queueKey) ([]int64, error) {
	return db.All(ctx, from, db.Number, `SELECT DISTINCT lane FROM webhook_event WHERE app_id = $1 AND hook = $2 AND dead_at = 0`,
		int64(key.app), key.hook)
}

// fetchLane reads the first callbacks of a lane that wait in rows of their own.
func fetchLane(ctx context.Context, from db.Source, key queueKey, lane int64, limit int) ([]*waiting, error) {
	return db.All(ctx, from, func(row db.Scanner) (*waiting, error) {
		e := &waiting{lane: lane}
		var body string
		err := row(&e.id, &e.command, &e.address, &e.platform, &body, &e.attempts, &e.since, &e.nextAt)
		e.body = []byte(body)
		return e, err
	}, `SELECT id, command, address, platform, body, attempts, since, next_at FROM webhook_event
		WHERE app_id = $1 AND hook = $2 AND dead_at = 0 AND lane = $3 ORDER BY id LIMIT $4`, int64(key.app), key.hook, lane, limit)
}

// outstanding lists the addresses for which callbacks wait. It is asked when a node takes over the deliveries.
func outstanding(ctx context.Context, from db.Source) ([]queueKey, error) {
	return db.All(ctx, from, func(row db.Scanner) (queueKey, error) {
		var k queueKey
		err := row(&k.app, &k.hook)
		return k, err
	}, `SELECT app_id, hook FROM webhook_outbox UNION SELECT app_id, hook FROM webhook_event WHERE dead_at = 0`)
}

// finished is an attempt's result on its way into the store.
type finished struct {
	event  waiting
	at     int64 // unix milliseconds
	took   int64 // milliseconds
	status int
	reply  string
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
	_, err := tx.Exec(insert, e.id, int64(key.app), key.hook, e.command, e.lane, e.address, e.platform, string(e.body),
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
		packed = appendPacked(packed, e.id, &Event{
			lane: e.lane, command: e.command, address: e.address, platform: e.platform, body: e.body,
		})
	}
	_, err := tx.Exec(`UPDATE webhook_outbox SET events = $2 WHERE id = $1`, id, packed)
	return err
}
