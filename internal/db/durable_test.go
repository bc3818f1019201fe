package db_test

import (
	"database/sql"
	"testing"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
)

// A database that lets commits go before they are on disk is overruled.
func TestCommitsWaitForTheDisk(t *testing.T) {
	address := dbtest.URL(t)
	plain, err := sql.Open("pgx", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = plain.Close() }()
	var name string
	if err := plain.QueryRowContext(t.Context(), `SELECT quote_ident(current_database())`).Scan(&name); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ set, want string }{{"off", "on"}, {"local", "local"}, {"remote_apply", "remote_apply"}} {
		if _, err := plain.ExecContext(t.Context(), `ALTER DATABASE `+name+` SET synchronous_commit = `+row.set); err != nil {
			t.Fatal(err)
		}
		var got string
		err := dbtest.Open(t, db.Options{URL: address}).Write(t.Context(), func(tx *db.Tx) error {
			var err error
			got, err = db.One(t.Context(), tx, db.Text, `SHOW synchronous_commit`)
			return err
		})
		if err != nil || got != row.want {
			t.Errorf("set to %s, a commit goes by %q (%v), want %q", row.set, got, err, row.want)
		}
	}
}
