package account_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/magpietest"
)

// race is a store on PostgreSQL with two accounts, and a transaction beside it.
type race struct {
	store  *db.DB
	beside *sql.DB
	tx     *sql.Tx
}

func newRace(t *testing.T) *race {
	t.Helper()
	o := db.Options{URL: dbtest.URL(t)}
	r := &race{store: dbtest.Open(t, o), beside: dbtest.Raw(t, o)}
	for _, id := range []int{1, 2} {
		_, err := r.beside.ExecContext(t.Context(), `INSERT INTO account (id, app_id, user_id, nick, face_url, valid_after, created_at, deleted_at)
			VALUES ($1, $2, 'user ' || $1::bigint, '', '', 7, 0, 0)`, id, magpietest.AppID)
		if err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if r.tx, err = r.beside.BeginTx(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	return r
}

// first runs a statement in the transaction beside, begins a write of the store, and ends the transaction when the write
// waits for it. It returns when the write has ended.
func (r *race) first(t *testing.T, statement string, write func(tx *db.Tx) error) {
	t.Helper()
	if _, err := r.tx.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- r.store.Write(context.Background(), write) }()
	magpietest.Eventually(t, "the row is waited for", func() bool {
		return r.number(t, `SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`) == 1
	})
	if err := errors.Join(r.tx.Commit(), <-ended); err != nil {
		t.Fatal(err)
	}
}

func (r *race) number(t *testing.T, query string) (n int) {
	t.Helper()
	if err := r.beside.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// An account that is removed while its row is waited for is not brought back by that, and counts as unknown.
func TestLockMeetsRemoval(t *testing.T) {
	r := newRace(t)
	var found map[im.AccountID]int64
	r.first(t, `DELETE FROM account WHERE id = 1`, func(tx *db.Tx) (err error) {
		found, err = account.Lock(tx, []im.AccountID{1, 2})
		return err
	})
	if len(found) != 1 || found[2] != 7 {
		t.Errorf("locked are %v, want account 2 alone", found)
	}
	if n := r.number(t, `SELECT COUNT(*) FROM account WHERE id = 1`); n != 0 {
		t.Error("the account that was removed is back")
	}
}

// A removal that meets a login of one of the accounts removes the device of that login too.
func TestRemovalMeetsLogin(t *testing.T) {
	r := newRace(t)
	remove := account.RemoveApp(func(_ context.Context, tx *db.Tx, of []im.AccountID, _ int64) (int64, error) {
		return tx.Exec(`DELETE FROM device WHERE account_id IN ($1...)`, db.Ints(of))
	})
	if _, err := r.tx.ExecContext(t.Context(), `UPDATE account SET valid_after = valid_after WHERE id = 1`); err != nil {
		t.Fatal(err)
	}
	r.first(t, `INSERT INTO device (account_id, instance_id, platform, online_on, node_started, signature, issued_at, expires_at, revoked, changed_at)
		VALUES (1, 5, 7, 0, 0, 0, 0, 0, 0, 0)`, func(tx *db.Tx) error {
		_, err := remove(context.Background(), tx, magpietest.AppID, 0)
		return err
	})
	if accounts, devices := r.number(t, `SELECT COUNT(*) FROM account`), r.number(t, `SELECT COUNT(*) FROM device`); accounts != 0 || devices != 0 {
		t.Errorf("%d accounts and %d devices are left", accounts, devices)
	}
}
