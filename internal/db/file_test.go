package db_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
)

// The store is its owner's alone, whatever the directory, the umask and the rights that its files had before.
func TestFilesArePrivate(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	for name, dir := range map[string]func(t *testing.T) string{
		"a directory that is not there": func(t *testing.T) string { return filepath.Join(t.TempDir(), "a", "b") },
		"a directory open to all":       openToAll,
		"a store that others could read": func(t *testing.T) string {
			dir := openToAll(t)
			d, err := db.Open(t.Context(), db.Options{Dir: dir})
			if err != nil {
				t.Fatal(err)
			}
			writeLease(t, d)
			copied := openToAll(t) // with its log, as after a crash
			for _, file := range []string{"magpie.db", "magpie.db-wal", "magpie.db-shm"} {
				text, err := os.ReadFile(filepath.Join(dir, file))
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(copied, file), text, 0o666); err != nil {
					t.Fatal(err)
				}
			}
			if err := d.Close(); err != nil {
				t.Error(err)
			}
			return copied
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := dir(t)
			writeLease(t, dbtest.Open(t, db.Options{Dir: dir}))
			for _, file := range []string{"magpie.db", "magpie.db-wal", "magpie.db-shm"} {
				info, err := os.Stat(filepath.Join(dir, file))
				if err != nil {
					t.Fatal(err)
				}
				if mode := info.Mode().Perm(); mode != 0o600 {
					t.Errorf("%s has the mode %o", file, mode)
				}
			}
			if info, err := os.Stat(dir); err != nil || name == "a directory that is not there" && info.Mode().Perm() != 0o700 {
				t.Errorf("the directory: %v, %v", info.Mode(), err)
			}
		})
	}
}

func openToAll(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}

func writeLease(t *testing.T, d *db.DB) {
	t.Helper()
	err := d.Write(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(`INSERT INTO lease (name, holder, until) VALUES ('test', 1, 2) ON CONFLICT (name) DO NOTHING`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Who asks for a store that is there is refused where none is, and leaves nothing behind.
func TestExistingMakesNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		if o.Dir != "" {
			o.Dir = filepath.Join(o.Dir, "typo")
		}
		existing := o
		existing.Existing = true
		for range 2 { // the second time shows what the first left
			if d, err := db.Open(t.Context(), existing); !errors.Is(err, db.ErrNoStore) {
				t.Errorf("open: %v", err)
				if err == nil {
					_ = d.Close()
				}
			}
		}
		if _, err := os.Stat(o.Dir); o.Dir != "" && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the directory is there: %v", err)
		}
		writeLease(t, dbtest.Open(t, o))
		writeLease(t, dbtest.Open(t, existing))
	})
}

// Nor does it change a store of an older version, which servers may be using.
func TestExistingChangesNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		d, err := db.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		err = d.Write(t.Context(), func(tx *db.Tx) error {
			_, err := tx.Exec(`DELETE FROM migration WHERE number = (SELECT MAX(number) FROM migration)`)
			return err
		})
		if err = errors.Join(err, d.Close()); err != nil {
			t.Fatal(err)
		}
		o.Existing = true
		d, err = db.Open(t.Context(), o)
		if err == nil {
			_ = d.Close()
		}
		if !errors.Is(err, db.ErrUnfit) || !strings.Contains(err.Error(), "magpie serve") {
			t.Errorf("open: %v", err)
		}
	})
}

// A database that does not answer is not said to have no store.
func TestExistingNeedsAnAnswer(t *testing.T) {
	_, err := db.Open(t.Context(), db.Options{URL: "postgres://nobody@127.0.0.1:1/none?connect_timeout=2", Existing: true})
	if err == nil || errors.Is(err, db.ErrNoStore) {
		t.Errorf("open: %v", err)
	}
}
