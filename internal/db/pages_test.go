package db_test

import (
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
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

// What SQLite takes for a statement and gives back must stay with the process: asking the system for it takes longer than the
// statement. Only Linux tells what a process has.
func TestPiecesStay(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs /proc")
	}
	open(t, db.Options{Dir: t.TempDir()})
	thread := libc.NewTLS()
	defer thread.Close()
	const together = 96 << 10
	for size := 16; size <= 16<<10; size *= 2 {
		pieces := make([]uintptr, together/size)
		for i := range pieces {
			pieces[i] = libc.Xmalloc(thread, libc.Tsize_t(size))
		}
		for _, piece := range pieces {
			libc.Xfree(thread, piece)
		}
		maps, gone := mapped(t), 0
		for _, piece := range pieces {
			if !slices.ContainsFunc(maps, func(m [2]uintptr) bool { return m[0] <= piece && piece < m[1] }) {
				gone++
			}
		}
		if gone > 0 {
			t.Errorf("%d of %d pieces of %d bytes went back to the system", gone, len(pieces), size)
		}
	}
}

// mapped lists the process's memory: from, and up to.
func mapped(t *testing.T) [][2]uintptr {
	t.Helper()
	text, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	var all [][2]uintptr
	for line := range strings.Lines(string(text)) {
		var m [2]uintptr
		if _, err := fmt.Sscanf(line, "%x-%x", &m[0], &m[1]); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		all = append(all, m)
	}
	return all
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
