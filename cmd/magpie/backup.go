package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/server"
)

type backupCommand struct {
	store
	To string `arg:"" optional:"" placeholder:"DIR" help:"Directory to make the copy in; it must have none. magpie-backup-TIME if left out."`
}

// Run copies the store while servers go on.
func (c *backupCommand) Run() error {
	to := c.To
	if to == "" {
		to = time.Now().UTC().Format("magpie-backup-20060102T150405Z")
	}
	started := time.Now()
	err := c.open(func(ctx context.Context, d *db.DB) error { return d.CopyTo(ctx, to) })
	if err != nil {
		return err
	}
	return tell("copied", to, started)
}

type restoreCommand struct {
	From string `arg:"" placeholder:"DIR" help:"Directory that magpie backup has made."`
	Data string `default:"./magpie-data" help:"Directory of the server, which has no store yet." env:"MAGPIE_DATA"`
}

// Run makes a server's store from a copy.
func (c *restoreCommand) Run() error {
	started := time.Now()
	if err := db.Restore(context.Background(), c.From, c.Data); err != nil {
		return err
	}
	return tell("restored", c.Data, started)
}

type moveCommand struct {
	Data string `default:"./magpie-data" help:"Directory of the embedded store; its server is stopped." env:"MAGPIE_DATA"`
	To   string `required:"" placeholder:"URL" help:"PostgreSQL without an application, as postgres://user:password@host:port/name."`
}

// Run copies an embedded store into a PostgreSQL, and says what each table has.
func (c *moveCommand) Run() error {
	var tables, rows int64
	started := time.Now()
	err := server.Move(context.Background(), c.Data, c.To, func(m db.Moved) {
		tables, rows = tables+1, rows+m.Rows
		if m.Rows > 0 {
			fmt.Fprintf(os.Stderr, "%s: %d rows, the same in both\n", m.Table, m.Rows)
		}
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(os.Stdout, "moved %d rows of %d tables in %.1f s; start with --db now. %s is as it was.\n",
		rows, tables, time.Since(started).Seconds(), c.Data)
	return err
}

// tell prints what was done with a directory, how much it holds and how long it took.
func tell(what, dir string, started time.Time) error {
	var bytes int64
	err := filepath.WalkDir(dir, func(_ string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			bytes += info.Size()
		}
		return err
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(os.Stdout, "%s %s: %.1f MB in %.1f s\n", what, dir, float64(bytes)/1e6, time.Since(started).Seconds())
	return err
}
