package device

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/magpie-im/magpie/internal/app"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// row is a row of the table of devices.
type row struct {
	account   im.AccountID
	device    im.DeviceID
	platform  im.Platform
	signature int64
	issued    int64
	expires   int64
	revoked   KickType
	by        im.DeviceID // whose login revoked it; 0 is none
	changed   int64       // unix milliseconds of its last login, return or loss

	mark app.Mark // of the key by which it logs in; not stored, as its token proves it
}

// keepRevoked is how long a kicked device is remembered, so that it learns why when it comes back.
const keepRevoked = 7 * 24 * time.Hour

func (r *row) key() key { return key{r.account, r.device} }

// insert stores fresh logins on this node, and deletes rows of their accounts to which no device can come back.
func (l *lease) insert(tx *db.Tx, fresh []*row) error {
	ids := make([]im.AccountID, len(fresh))
	for i, r := range fresh {
		ids[i] = r.account
	}
	_, err := tx.Exec(`DELETE FROM device WHERE account_id IN ($1...) AND changed_at < $2 AND (revoked <> 0 OR expires_at < $3)`,
		db.Ints(ids), tx.Now().Add(-keepRevoked).UnixMilli(), tx.Now().Unix())
	if err != nil {
		return err
	}
	node, started := l.get()
	const width = 9
	return db.Chunks(tx, width, fresh, func(chunk []*row) error {
		values := make([]any, 0, width*len(chunk))
		for _, r := range chunk {
			r.changed = tx.Now().UnixMilli()
			values = append(values, int64(r.account), int64(r.device), int(r.platform), node, started,
				r.signature, r.issued, r.expires, r.changed)
		}
		_, err := tx.Exec(`INSERT INTO device (account_id, instance_id, platform, online_on, node_started, signature, issued_at,
			expires_at, revoked, changed_at) VALUES `+db.RowsOf(len(chunk), "(?,?,?,?,?,?,?,?,0,?)"), values...)
		return err
	})
}

// loggedIn lists the devices of accounts that are logged in, connected or not.
func loggedIn(ctx context.Context, from db.Source, ids []im.AccountID) (map[im.AccountID][]row, error) {
	found := map[im.AccountID][]row{}
	err := db.Each(ctx, from, func(scan db.Scanner) error {
		var r row
		err := scan(&r.account, &r.device, &r.platform, &r.changed)
		found[r.account] = append(found[r.account], r)
		return err
	}, `SELECT account_id, instance_id, platform, changed_at FROM device WHERE account_id IN ($1...) AND revoked = 0`, db.Ints(ids))
	return found, err
}

// online lists the devices that are logged in and connected.
func online(ctx context.Context, from db.Source, account im.AccountID) ([]row, error) {
	return db.All(ctx, from, func(scan db.Scanner) (row, error) {
		r := row{account: account}
		err := scan(&r.device, &r.platform)
		return r, err
	}, `SELECT instance_id, platform FROM device WHERE account_id = $1 AND revoked = 0 AND online_on <> 0`, int64(account))
}

// revoke reports whether the device was logged in.
func revoke(tx *db.Tx, account im.AccountID, device im.DeviceID, reason KickType) (bool, error) {
	revoked, err := tx.Exec(`UPDATE device SET revoked = $3, online_on = 0, changed_at = $4
		WHERE account_id = $1 AND instance_id = $2 AND revoked = 0`,
		int64(account), int64(device), int(reason), tx.Now().UnixMilli())
	return revoked > 0, err
}

// revokeRows ends the logins of rows, each for the reason and by the device that its row has.
func revokeRows(tx *db.Tx, rows []row) error {
	const width = 4
	return db.Chunks(tx, width, rows, func(chunk []row) error {
		values := make([]any, 0, width*len(chunk)+1)
		for i := range chunk {
			r := &chunk[i]
			values = append(values, int64(r.account), int64(r.device), int64(r.revoked), int64(r.by))
		}
		_, err := tx.Exec(`WITH lost (account_id, instance_id, revoked, kicked_by) AS (VALUES `+db.Rows(len(chunk), width, true)+`)
			UPDATE device SET revoked = lost.revoked, kicked_by = lost.kicked_by, online_on = 0, changed_at = `+
			db.Parameters(len(values)+1, 1)+` FROM lost WHERE device.account_id = lost.account_id
			AND device.instance_id = lost.instance_id AND device.revoked = 0`, append(values, tx.Now().UnixMilli())...)
		return err
	})
}

// nextParameter is the n-th parameter behind those of keys.
func nextParameter(keys []key, n int) string { return db.Parameters(2*len(keys)+n, 1) }

// revokeAll ends all logins of an account, and gives their devices.
func revokeAll(tx *db.Tx, account im.AccountID, reason KickType) (ended []im.DeviceID, err error) {
	err = tx.Returning(func(row db.Scanner) error {
		var device im.DeviceID
		err := row(&device)
		ended = append(ended, device)
		return err
	}, `UPDATE device SET revoked = $2, online_on = 0, changed_at = $3
		WHERE account_id = $1 AND revoked = 0 RETURNING instance_id`, int64(account), int(reason), tx.Now().UnixMilli())
	return ended, err
}

// comeBack marks devices as connected to this node, if they are still logged in, and reads their columns into the rows. The
// statement reads and writes at once, so that a kick comes before it or after it. It returns which devices came back.
func (l *lease) comeBack(tx *db.Tx, rows map[key]*row) (back map[key]bool, err error) {
	node, started := l.get()
	now := tx.Now().UnixMilli()
	back = make(map[key]bool, len(rows))
	keys := slices.SortedFunc(maps.Keys(rows), compareKeys)
	err = db.KeyChunks(tx, 2, keys, func(chunk []key) error {
		return tx.Returning(func(scan db.Scanner) error {
			var r row
			err := scan(&r.account, &r.device, &r.platform, &r.expires, &r.changed)
			if err == nil {
				*rows[r.key()], back[r.key()] = r, true
			}
			return err
		}, `WITH back (account_id, instance_id) AS (VALUES `+db.Rows(len(chunk), 2, true)+`)
			UPDATE device SET online_on = `+nextParameter(chunk, 1)+`, node_started = `+nextParameter(chunk, 2)+`,
				changed_at = CASE WHEN changed_at < `+nextParameter(chunk, 3)+` THEN `+nextParameter(chunk, 4)+` ELSE changed_at + 1 END
			WHERE revoked = 0 AND (account_id, instance_id) IN (SELECT account_id, instance_id FROM back)
			RETURNING account_id, instance_id, platform, expires_at, changed_at`, append(args(chunk), node, started, now, now)...)
	})
	return back, err
}
