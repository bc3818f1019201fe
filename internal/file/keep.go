package file

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
)

const selectSum = `SELECT bytes FROM file_sum WHERE app_id = $1 AND account_id = $2`

// addToSum adds to a sum of an account or an application unless it would be above a bound. The caller has seen that the bytes alone
// are within it.
const addToSum = `INSERT INTO file_sum (app_id, account_id, bytes) VALUES ($1, $2, $3)
ON CONFLICT (app_id, account_id) DO UPDATE SET bytes = file_sum.bytes + excluded.bytes WHERE file_sum.bytes + excluded.bytes <= $4`

// nameObject keeps the name of an object that is there already, and gives the name that counts.
const nameObject = `INSERT INTO file_object (digest, name, size, type, width, height, files, freed_at, large, thumb)
VALUES ($1, $2, $3, $4, $5, $6, 1, 0, '', '')
ON CONFLICT (digest) DO UPDATE SET files = file_object.files + 1 RETURNING name`

// keep makes a file of what has arrived: the object first, and when it is safe, the row. A file that was uploaded before by
// the same address is taken again if it is the same.
func (f *Files) keep(ctx context.Context, app *im.App, to address, a *arrived) error {
	a.kind, a.found = to.kind, typeOf(a.head)
	if !to.kind.suits(a.found) {
		return &refusal{http.StatusUnsupportedMediaType, "kind", "The file is not of the kind that it was announced as."}
	}
	k := &keeping{app: app, to: to, arrived: a, name: f.objectName(a.digest)}
	if err := f.store.Keep(ctx, k.name, a.path); err != nil {
		return err
	}
	err := f.db.Write(ctx, func(tx *db.Tx) error {
		k.object, k.refused = "", nil
		return k.write(ctx, tx)
	})
	if err != nil {
		return fmt.Errorf("keep a file: %w", err) // the row may be there all the same, so the object stays until it is looked for
	}
	if k.object != k.name {
		f.drop(ctx, k.name)
	}
	return k.refused
}

// drop removes an object that no row names, or lets it be found later.
func (f *Files) drop(ctx context.Context, name string) {
	if err := f.store.Remove(ctx, name); err != nil {
		f.log.WarnContext(ctx, "remove an object", telemetry.FieldError, err)
	}
}

// objectName makes a name that no other object has: the digest, when it was made in unix milliseconds, and something random.
func (f *Files) objectName(digest string) string {
	var b [6]byte
	_, _ = rand.Read(b[:]) // never fails
	return digest + "-" + strconv.FormatInt(f.clock.Now().UnixMilli(), 36) + "-" + hex.EncodeToString(b[:])
}

// keeping is an upload in its transaction. A refusal leaves the transaction to the others in it.
type keeping struct {
	app *im.App
	to  address
	*arrived
	name string // of the object that was kept for it

	object  string // that has the bytes; empty when the file was not taken, or was there
	refused error
}

func (k *keeping) write(ctx context.Context, tx *db.Tx) error {
	held, err := account.Lock(tx, []im.AccountID{k.to.account})
	if err != nil {
		return err
	}
	if _, exists := held[k.to.account]; !exists {
		k.refused = &refusal{http.StatusForbidden, "account", "The account was deleted meanwhile."}
		return nil
	}
	there, err := k.repeats(ctx, tx)
	if err != nil || there {
		return err
	}
	if k.refused, err = k.charge(ctx, tx); err != nil || k.refused != nil {
		return err
	}
	err = tx.Returning(func(scan db.Scanner) error { return scan(&k.object) }, nameObject,
		k.digest, k.name, k.size, k.found, int64(k.width), int64(k.height))
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO file (id, app_id, account_id, kind, digest, size, created_at, banned) VALUES ($1, $2, $3, $4, $5, $6, $7, FALSE)`,
		k.to.id, int64(k.app.ID), int64(k.to.account), int64(k.kind), k.digest, k.size, tx.Now().UnixMilli())
	return err
}

// repeats reports whether the file is there already, and refuses it if its bytes are others.
func (k *keeping) repeats(ctx context.Context, tx *db.Tx) (bool, error) {
	before, err := db.One(ctx, tx, db.Text, `SELECT digest FROM file WHERE id = $1`, k.to.id)
	switch {
	case errors.Is(err, db.ErrNotFound):
		return false, nil
	case err != nil:
		return false, err
	case before != k.digest:
		k.refused = &refusal{http.StatusConflict, "taken", "Another file was uploaded to this address."}
	}
	return true, nil
}

// charge adds the file to the sums of the account and of the application, or to neither. The account's row is locked, so that its
// sum does not change between the two.
func (k *keeping) charge(ctx context.Context, tx *db.Tx) (refused, err error) {
	own, all := bound(accountMost.Of(k.app)), bound(appMost.Of(k.app))
	sum, err := db.One(ctx, tx, db.Number, selectSum, int64(k.app.ID), int64(k.to.account))
	if err != nil && !errors.Is(err, db.ErrNotFound) {
		return nil, err
	}
	if sum+k.size > own {
		return errFull(true), nil
	}
	if k.size > all {
		return errFull(false), nil
	}
	changed, err := tx.Exec(addToSum, int64(k.app.ID), int64(0), k.size, all)
	if err != nil {
		return nil, err
	}
	if changed == 0 {
		return errFull(false), nil
	}
	_, err = tx.Exec(addToSum, int64(k.app.ID), int64(k.to.account), k.size, own)
	return nil, err
}

// bound is a setting in bytes; what has no bound has one that nothing reaches.
func bound(mib int) int64 {
	if mib == 0 {
		return 1 << 62
	}
	return int64(mib) << 20
}
