package db_test

import (
	"context"
	"log"
	"os"
	"testing"

	"github.com/magpie-im/magpie/internal/db"
)

// A program's first store gives SQLite its memory. A test that opens the database past the store must not come first.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "magpie-db-")
	if err != nil {
		log.Fatal(err)
	}
	d, err := db.Open(context.Background(), db.Options{Dir: dir})
	if err != nil {
		log.Fatal(err)
	}
	if err := d.Close(); err != nil {
		log.Fatal(err)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}
