package db

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// storeFile is the embedded database within its directory.
const storeFile = "magpie.db"

// ErrNoStore is returned by Open when there is no store and Options.Existing asks for one.
var ErrNoStore = errors.New("there is no store")

// privateMode is for files that hold the applications' keys and messages.
const privateMode = 0o600

// prepareFile makes the directory and an empty database file where they are missing, and takes the rights of others away
// from files that exist. SQLite gives the files beside the database file the same rights, so those must be right before
// SQLite begins.
func prepareFile(dir string, existing bool) error {
	path := filepath.Join(dir, storeFile)
	if existing {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w in %s: is that the directory of a server? `magpie serve` and `magpie app add` make one", ErrNoStore, dir)
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make data directory: %w", err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, privateMode)
	if err != nil {
		return fmt.Errorf("open store: %w", err)
	}
	if err := file.Close(); err != nil {
		return fmt.Errorf("open store: %w", err)
	}
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		if err := makePrivate(path + suffix); err != nil {
			return err
		}
	}
	return nil
}

// makePrivate leaves a file to its owner alone. The operator cares for the rights on a file system that has none, and of
// a file that another user owns.
func makePrivate(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("look at the store's rights: %w", err)
	case info.Mode().Perm() == privateMode:
		return nil
	}
	err = os.Chmod(path, privateMode)
	if err == nil || errors.Is(err, fs.ErrPermission) || errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EROFS) {
		return nil
	}
	return fmt.Errorf("make the store private: %w", err)
}

// mustHaveSchema refuses a store whose schema is not this program's. It is for a caller that must neither make a store nor
// migrate one that servers use.
func (d *DB) mustHaveSchema(ctx context.Context) error {
	var has int
	if err := d.writers.QueryRowContext(ctx, "SELECT COUNT(*) FROM migration").Scan(&has); err != nil {
		if pingErr := d.writers.PingContext(ctx); pingErr != nil {
			return fmt.Errorf("open store: %w", pingErr)
		}
		return fmt.Errorf("%w in this database: `magpie serve` and `magpie app add` make one", ErrNoStore)
	}
	known, err := readMigrations()
	if err == nil && has < len(known) {
		return fmt.Errorf("%w: it is of an older version than this magpie %s; `magpie serve` of this version brings it up to date",
			ErrUnfit, d.program)
	}
	return err
}
