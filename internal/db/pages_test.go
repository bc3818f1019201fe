package db_test

import (
	"encoding/binary"
	"testing"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/magpie-im/magpie/internal/db"
)

// SQLite says nothing when it has no use for the block, for instance because a page needs more room than it was given.
func TestPagesComeFromTheBlock(t *testing.T) {
	d := open(t, db.Options{Dir: t.TempDir()})
	if err := d.Write(t.Context(), func(tx *db.Tx) error { return state(tx, 1) }); err != nil {
		t.Fatalf("write: %v", err)
	}
	if used, elsewhere := status(t, sqlite3.SQLITE_STATUS_PAGECACHE_USED), status(t, sqlite3.SQLITE_STATUS_PAGECACHE_OVERFLOW); used == 0 || elsewhere != 0 {
		t.Errorf("%d pages of the block are used and %d bytes of pages lie elsewhere, want some and 0", used, elsewhere)
	}
}

// status asks SQLite for one of its figures, of the whole process.
func status(t *testing.T, what int32) int32 {
	t.Helper()
	thread := libc.NewTLS()
	defer thread.Close()
	now := libc.Xmalloc(thread, 8)
	defer libc.Xfree(thread, now)
	if code := sqlite3.Xsqlite3_status(thread, what, now, now+4, 0); code != sqlite3.SQLITE_OK {
		t.Fatalf("sqlite3_status: code %d", code)
	}
	return int32(binary.NativeEndian.Uint32(libc.GoBytes(now, 4)))
}
