package node_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/internal/node"
)

// A full disk is seen as one while small writes may still find a place, and its end is seen too.
func TestDiskIsFull(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=2m"); err != nil {
		t.Skipf("a small disk needs a privileged test: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, 0) })
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 512<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	d := dbtest.Open(t, db.Options{Dir: filepath.Join(dir, "data")})
	manual := clock.NewManual(time.Unix(1_700_000_000, 0))
	n := node.New(node.Parts{DB: d, Log: slog.New(slog.DiscardHandler), Clock: manual.Clock()})
	if err := n.Writable(t.Context()); err != nil {
		t.Fatal(err)
	}
	message := bytes.Repeat([]byte("x"), 12<<10)
	var err error
	for i := 0; err == nil && i < 1000; i++ {
		err = d.Write(t.Context(), func(tx *db.Tx) error {
			_, err := tx.Exec(`INSERT INTO secret (name, value) VALUES ($1, $2)`, tx.Now().String()+string(rune('a'+i)), message)
			return err
		})
	}
	if db.Fault(err) != "the disk is full" {
		t.Errorf("the disk is full, and a write fails with %v", err)
	}
	manual.Advance(time.Second)
	if err := n.Writable(t.Context()); err == nil || err.Error() != "the disk is full" {
		t.Errorf("of a full disk: %v", err)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	manual.Advance(time.Second)
	if err := n.Writable(t.Context()); err != nil {
		t.Errorf("there is room again: %v", err)
	}
}
