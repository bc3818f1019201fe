package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/magpie-im/magpie/internal/db"
	files "github.com/magpie-im/magpie/internal/file/store"
	"github.com/magpie-im/magpie/internal/server"
)

// filesFolder is where the files are, in a data directory and in a copy.
const filesFolder = "files"

type backupCommand struct {
	store
	Files string `placeholder:"DIR" help:"Directory of the files that clients have uploaded; 'files' in --data if left out. A bucket is not copied." env:"MAGPIE_FILES"`
	To    string `arg:"" optional:"" placeholder:"DIR" help:"Directory to make the copy in; it must have none. magpie-backup-TIME if left out."`
}

// Run copies the store while servers go on.
func (c *backupCommand) Run() error {
	to := c.To
	if to == "" {
		to = time.Now().UTC().Format("magpie-backup-20060102T150405Z")
	}
	started := time.Now()
	err := c.open(func(ctx context.Context, d *db.DB) error {
		return d.CopyTo(ctx, to, func() error {
			return copyFiles(ctx, cmp.Or(c.Files, filepath.Join(c.Data, filesFolder)), filepath.Join(to, filesFolder))
		})
	})
	if err != nil {
		return err
	}
	return tell("copied", to, started)
}

// copyFiles copies a folder of files into another one; a bucket has copies of its own.
func copyFiles(ctx context.Context, from, to string) error {
	if strings.Contains(from+to, "://") {
		_, err := fmt.Fprintln(os.Stderr, "note: the files are in a bucket, which is not copied")
		return err
	}
	_, err := files.Copy(ctx, from, to)
	return err
}

type restoreCommand struct {
	From  string `arg:"" placeholder:"DIR" help:"Directory that magpie backup has made."`
	Data  string `default:"./magpie-data" help:"Directory of the server, which has no store yet." env:"MAGPIE_DATA"`
	Files string `placeholder:"DIR" help:"Directory for the files; 'files' in --data if left out." env:"MAGPIE_FILES"`
}

// Run makes a server's store from a copy.
func (c *restoreCommand) Run() error {
	started, ctx := time.Now(), context.Background()
	to := cmp.Or(c.Files, filepath.Join(c.Data, filesFolder))
	err := db.Restore(ctx, c.From, c.Data, func() error { return copyFiles(ctx, filepath.Join(c.From, filesFolder), to) })
	if err != nil {
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
