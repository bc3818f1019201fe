package dbtest_test

import (
	"context"
	"database/sql"
	"testing"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
)

// Two tests at once must not see each other's rows, so every URL is a database of its own.
func TestDatabasesAreSeparate(t *testing.T) {
	first, second := connect(t, dbtest.URL(t)), connect(t, dbtest.URL(t))
	if _, err := first.ExecContext(t.Context(), `CREATE TABLE fact (n BIGINT)`); err != nil {
		t.Fatal(err)
	}
	if _, err := second.ExecContext(t.Context(), `SELECT n FROM fact`); err == nil {
		t.Error("the second database has the first one's table")
	}
}

// What waits for the disk and what does not are two servers.
func TestDurable(t *testing.T) {
	for _, row := range []struct{ url, want string }{{dbtest.URL(t), "off"}, {dbtest.Durable(t), "on"}} {
		var got string
		if err := connect(t, row.url).QueryRowContext(t.Context(), `SHOW fsync`).Scan(&got); err != nil || got != row.want {
			t.Errorf("fsync is %q (%v), want %q", got, err, row.want)
		}
	}
}

func TestEach(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		if err := dbtest.Open(t, o).Ping(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

func connect(t *testing.T, url string) *sql.DB {
	t.Helper()
	d, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}
