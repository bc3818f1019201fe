package account_test

import (
	"context"
	"testing"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/magpietest"
)

// An account that is removed while its row is waited for is not brought back by that, and counts as unknown.
func TestLockMeetsRemoval(t *testing.T) {
	o := db.Options{URL: dbtest.URL(t)}
	store, beside := dbtest.Open(t, o), dbtest.Raw(t, o)
	for _, id := range []int{1, 2} {
		if _, err := beside.ExecContext(t.Context(), `INSERT INTO account (id, app_id, user_id, nick, face_url, valid_after, created_at, deleted_at)
			VALUES ($1, $2, 'user ' || $1::bigint, '', '', 7, 0, 0)`, id, magpietest.AppID); err != nil {
			t.Fatal(err)
		}
	}
	removal, err := beside.BeginTx(t.Context(), nil)
	if err == nil {
		_, err = removal.ExecContext(t.Context(), `DELETE FROM account WHERE id = 1`)
	}
	if err != nil {
		t.Fatal(err)
	}
	locked := make(chan map[im.AccountID]int64, 1)
	go func() {
		defer close(locked)
		err := store.Write(context.Background(), func(tx *db.Tx) error {
			found, err := account.Lock(tx, []im.AccountID{1, 2})
			if err == nil {
				locked <- found
			}
			return err
		})
		if err != nil {
			t.Errorf("lock: %v", err)
		}
	}()
	number := func(query string) (n int) {
		if err := beside.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
			t.Error(err)
		}
		return n
	}
	magpietest.Eventually(t, "the row is waited for", func() bool {
		return number(`SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`) == 1
	})
	if err := removal.Commit(); err != nil {
		t.Fatal(err)
	}
	if found := <-locked; len(found) != 1 || found[2] != 7 {
		t.Errorf("locked are %v, want account 2 alone", found)
	}
	<-locked
	if n := number(`SELECT COUNT(*) FROM account WHERE id = 1`); n != 0 {
		t.Error("the account that was removed is back")
	}
}
