package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
)

var (
	// ErrNotEmbedded is returned where only SQLite's single file can be handled: PostgreSQL comes with tools of its own.
	ErrNotEmbedded = errors.New("the store is a PostgreSQL: use pg_dump and pg_restore")
	// ErrStoreThere is returned where a store would be written over.
	ErrStoreThere = errors.New("there is a store already")
)

// CopyTo writes a whole copy of the store, as it is at one moment, into a directory, which it makes. A server may go on writing
// meanwhile, in this process or in another one: its log is not begun again until the copy has ended, so it grows by what is written
// in that time. When the moment has passed, beside copies what the store names and does not hold; the store appears behind it, or
// not at all if one of the two fails. It returns ErrStoreThere and ErrNotEmbedded.
func (d *DB) CopyTo(ctx context.Context, dir string, beside func() error) error {
	if d.kind.name != "sqlite" {
		return ErrNotEmbedded
	}
	return intoStore(dir, func(path string) error {
		if _, err := d.writers.ExecContext(ctx, "VACUUM INTO ?", path); err != nil {
			return fmt.Errorf("copy the store: %w", err)
		}
		return beside()
	})
}

// Restore makes the store of a directory, which has none, from the copy in another one, after a look at the copy's pages and after
// beside, as for CopyTo. It returns ErrNoStore, ErrStoreThere, and what is wrong with the copy.
func Restore(ctx context.Context, from, dir string, beside func() error) error {
	source := filepath.Join(from, storeFile)
	if _, err := os.Stat(source); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w in %s", ErrNoStore, from)
	}
	if info, err := os.Stat(source + "-wal"); err == nil && info.Size() > 0 {
		return fmt.Errorf("%s is a store that a server has used since, no copy: make one with `magpie backup`", from)
	}
	if err := checkPages(ctx, source); err != nil {
		return err
	}
	return intoStore(dir, func(path string) error {
		if err := beside(); err != nil {
			return err
		}
		return copyFile(source, path)
	})
}

// intoStore has a store's file written under another name, and gives it its own when it is whole and on disk.
func intoStore(dir string, write func(path string) error) (err error) {
	path := filepath.Join(dir, storeFile)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the directory: %w", err)
	}
	if err := mustHaveNoStore(dir); err != nil {
		return err
	}
	part := path + ".part"
	file, err := os.OpenFile(part, os.O_CREATE|os.O_RDWR|os.O_TRUNC, privateMode)
	if err != nil {
		return fmt.Errorf("make the store's file: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(part)
		}
	}()
	if err := errors.Join(write(part), file.Sync(), file.Close()); err != nil {
		return err
	}
	// Link, because Rename would put the file in the place of a store that was made meanwhile.
	if err := os.Link(part, path); err != nil {
		return fmt.Errorf("name the store's file: %w", err)
	}
	return errors.Join(os.Remove(part), syncDir(dir))
}

// mustHaveNoStore refuses a directory with a store, or with the log of one whose file is gone: SQLite would put that over the new file.
func mustHaveNoStore(dir string) error {
	path := filepath.Join(dir, storeFile)
	if _, err := os.Stat(path); err == nil {
		return fmt.Errorf("%w in %s", ErrStoreThere, dir)
	}
	for _, suffix := range []string{"-wal", "-journal"} {
		if _, err := os.Stat(path + suffix); err == nil {
			return fmt.Errorf("%w, or what is left of one: %s is its log. Take another directory, or move that file away", ErrStoreThere, path+suffix)
		}
	}
	return nil
}

func syncDir(dir string) error {
	file, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

// checkPages looks at the structure of a SQLite file that nobody writes.
func checkPages(ctx context.Context, path string) error {
	conn, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?mode=ro&immutable=1")
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	var said string
	if err := conn.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&said); err != nil {
		return fmt.Errorf("look at the copy: %w", err)
	}
	if said != "ok" {
		return fmt.Errorf("the copy is damaged: %s", said)
	}
	var has int
	if err := conn.QueryRowContext(ctx, "SELECT COUNT(*) FROM migration").Scan(&has); err != nil {
		return fmt.Errorf("the copy is damaged, or no copy of a store: %w", err)
	}
	return nil
}

func copyFile(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }()
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_TRUNC, privateMode)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	if err = errors.Join(err, target.Sync(), target.Close()); err != nil {
		return fmt.Errorf("copy %s: %w", from, err)
	}
	return nil
}
