package bundle

import (
	"bytes"
	"context"
	"slices"

	"github.com/magpie-im/magpie/internal/db"
)

// mostKeys bounds the keys that are looked for in one body.
const mostKeys = 300

// Sent notes that the bundles are needed from now on whose keys stand in bodies, at whatever depth, in the transaction that stores
// these.
func (b *Bundles) Sent(ctx context.Context, tx *db.Tx, bodies [][]byte) error {
	named := map[int64]string{}
	var ids []int64
	for _, body := range bodies {
		for _, k := range keysIn(body) {
			named[k.id], ids = k.secret, append(ids, k.id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	var found []int64
	err := db.Each(ctx, tx, func(row db.Scanner) error {
		var (
			id     int64
			secret string
		)
		err := row(&id, &secret)
		if named[id] == secret {
			found = append(found, id)
		}
		return err
	}, `SELECT id, secret FROM bundle WHERE id IN ($1...) AND used_at < $2`, db.Ints(ids), tx.Now().Add(-touchEvery).UnixMilli())
	if err != nil || len(found) == 0 {
		return err
	}
	_, err = tx.Exec(`UPDATE bundle SET used_at = $1 WHERE id IN ($2...)`, tx.Now().UnixMilli(), db.Ints(slices.Sorted(slices.Values(found))))
	return err
}

// keysIn finds the keys of bundles in JSON in normal form.
func keysIn(body []byte) (keys []key) {
	const member, end = `"JsonMsgKey":"`, `"`
	for len(keys) < mostKeys {
		_, rest, is := bytes.Cut(body, []byte(member))
		if !is {
			break
		}
		text, _, _ := bytes.Cut(rest, []byte(end))
		if k, is := parseKey(string(text)); is {
			keys = append(keys, k)
		}
		body = rest
	}
	return keys
}
