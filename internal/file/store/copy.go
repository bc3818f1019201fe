package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Copy has in another folder all objects of a folder, and gives how many there are. An object that is there already stays: the same name is
// the same bytes, so on one file system both names lead to them. Objects may come and go meanwhile; those that were there before it began
// and stay are copied. A folder that is not there has none.
func Copy(ctx context.Context, from, to string) (objects int, err error) {
	folders, err := os.ReadDir(from)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("copy objects: %w", err)
	}
	for _, folder := range folders {
		if !folder.IsDir() || len(folder.Name()) != shard {
			continue
		}
		n, err := copyFolder(ctx, filepath.Join(from, folder.Name()), filepath.Join(to, folder.Name()))
		objects += n
		if err != nil {
			return objects, fmt.Errorf("copy objects: %w", err)
		}
	}
	return objects, nil
}

func copyFolder(ctx context.Context, from, to string) (objects int, err error) {
	files, err := os.ReadDir(from)
	if err != nil {
		return 0, err
	}
	if err := os.MkdirAll(to, folderMode); err != nil {
		return 0, err
	}
	for _, file := range files {
		if !valid(file.Name()) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return objects, err
		}
		switch err := copyObject(filepath.Join(from, file.Name()), filepath.Join(to, file.Name())); {
		case errors.Is(err, fs.ErrNotExist): // it has gone meanwhile
		case err != nil:
			return objects, err
		default:
			objects++
		}
	}
	return objects, syncFolder(to)
}

// copyObject gives an object a second name, or copies its bytes where that is another file system.
func copyObject(from, to string) error {
	err := os.Link(from, to)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		return err
	}
	source, err := os.Open(from) //nolint:gosec // the name is a valid one
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }()
	part := to + ".part"                                                        // no valid name
	target, err := os.OpenFile(part, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600) //nolint:gosec // as above
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	if err = errors.Join(err, target.Sync(), target.Close()); err != nil {
		return errors.Join(err, os.Remove(part))
	}
	return os.Rename(part, to)
}
