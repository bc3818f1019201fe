package outbox

import (
	"context"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/webhook"
)

// together counts the callbacks at the beginning that share a row, and tells how many bytes the row may take.
func together(callbacks []webhook.Callback) (n, size int) {
	for n < len(callbacks) && callbacks[n].App == callbacks[0].App && callbacks[n].Hook == callbacks[0].Hook {
		one := packedSize(&callbacks[n])
		if n > 0 && size+one > packBytes {
			break
		}
		n, size = n+1, size+one
	}
	return n, size
}

// insertPack stores callbacks as one row of about that size.
func insertPack(tx *db.Tx, callbacks []webhook.Callback, size int) error {
	row, last := tx.NextID(), int64(0)
	packed := make([]byte, 0, size)
	for i := range callbacks {
		last = tx.NextID()
		packed = appendPacked(packed, last, &callbacks[i])
	}
	_, err := tx.Exec(`INSERT INTO webhook_outbox (id, app_id, hook, last_id, stored_at, events) VALUES ($1, $2, $3, $4, $5, $6)`,
		row, int64(callbacks[0].App), callbacks[0].Hook, last, tx.Now().UnixMilli(), packed)
	return err
}

// pack is a row of callbacks of which some are not delivered yet.
type pack struct {
	id        int64
	callbacks []*waiting // as fetched
	left      int        // how many of them still need the row
}

// waiting is a stored callback that is not delivered yet.
type waiting struct {
	id       int64
	command  string
	lane     int64
	clientIP string
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
		at     int64
		packed []byte
	)
	err := row(&p.id, &at, &packed)
	if err != nil {
		return nil, err
	}
	p.callbacks, err = unpack(packed)
	p.left = len(p.callbacks)
	for _, e := range p.callbacks {
		e.since, e.pack = at, p
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
		err := row(&e.id, &e.command, &e.clientIP, &e.platform, &body, &e.attempts, &e.since, &e.nextAt)
		e.body = []byte(body)
		return e, err
	}, `SELECT id, command, address, platform, body, attempts, since, next_at FROM webhook_event
		WHERE app_id = $1 AND hook = $2 AND dead_at = 0 AND lane = $3 ORDER BY id LIMIT $4`, int64(key.app), key.hook, lane, limit)
}

// outstanding lists the addresses for which callbacks wait, for a node that begins to deliver.
func outstanding(ctx context.Context, from db.Source) ([]queueKey, error) {
	return db.All(ctx, from, func(row db.Scanner) (queueKey, error) {
		var k queueKey
		err := row(&k.app, &k.hook)
		return k, err
	}, `SELECT app_id, hook FROM webhook_outbox UNION SELECT app_id, hook FROM webhook_event WHERE dead_at = 0`)
}
