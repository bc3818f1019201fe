package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// The folder and its files are their owner's alone.
const folderMode = 0o700

const incoming = "incoming"

// Disk is a folder of this machine, or one that several machines share.
type Disk struct{ root string }

// OpenDisk makes the folder if there is none.
func OpenDisk(root string) (*Disk, error) {
	if err := os.MkdirAll(filepath.Join(root, incoming), folderMode); err != nil {
		return nil, fmt.Errorf("open the folder of files: %w", err)
	}
	return &Disk{root}, nil
}

// Close has nothing to end.
func (*Disk) Close() {}

// Incoming is a folder inside, so that keeping a file is renaming it.
func (d *Disk) Incoming() string { return filepath.Join(d.root, incoming) }

func (d *Disk) path(name string) (string, error) {
	if !valid(name) {
		return "", fmt.Errorf("%w: %.40q is no name of one", ErrNoObject, name)
	}
	return filepath.Join(d.root, name[:shard], name), nil
}

// Keep renames the file, and has the disk write down that it did.
func (d *Disk) Keep(_ context.Context, name, from string) error {
	to, err := d.path(name)
	if err != nil {
		return err
	}
	folder := filepath.Dir(to)
	if err := os.Mkdir(folder, folderMode); err == nil {
		err = syncFolder(d.root)
		if err != nil {
			return err
		}
	} else if !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make a folder of objects: %w", err)
	}
	if err := os.Rename(from, to); err != nil {
		return fmt.Errorf("keep an object: %w", err)
	}
	return syncFolder(folder)
}

// syncFolder has a folder's names on the disk.
func syncFolder(path string) error {
	folder, err := os.Open(path) //nolint:gosec // a path of our own
	if err != nil {
		return fmt.Errorf("write a folder to the disk: %w", err)
	}
	err = folder.Sync()
	_ = folder.Close()
	if err != nil {
		return fmt.Errorf("write a folder to the disk: %w", err)
	}
	return nil
}

// Open opens the object's file.
func (d *Disk) Open(_ context.Context, name string) (Object, error) {
	path, err := d.path(name)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(path) //nolint:gosec // the name is a valid one
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s", ErrNoObject, name)
	}
	if err != nil {
		return nil, fmt.Errorf("open an object: %w", err)
	}
	return file, nil
}

// Remove removes the object's file.
func (d *Disk) Remove(_ context.Context, name string) error {
	path, err := d.path(name)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove an object: %w", err)
	}
	return nil
}

// List reads the folders in turn, beginning with the one that after is in.
func (d *Disk) List(ctx context.Context, after string, most int) ([]string, error) {
	folders, err := os.ReadDir(d.root)
	if err != nil {
		return nil, fmt.Errorf("list objects: %w", err)
	}
	var found []string
	for _, folder := range folders {
		name := folder.Name()
		if !folder.IsDir() || len(name) != shard || len(after) >= shard && name < after[:shard] {
			continue
		}
		if err := ctx.Err(); err != nil || len(found) >= most {
			return found[:min(len(found), most)], err
		}
		inside, err := d.names(name, after)
		if err != nil {
			return nil, err
		}
		found = append(found, inside...)
	}
	return found[:min(len(found), most)], nil
}

// names lists the objects of one folder behind a name, sorted.
func (d *Disk) names(folder, after string) ([]string, error) {
	files, err := os.ReadDir(filepath.Join(d.root, folder))
	if err != nil {
		return nil, fmt.Errorf("list objects: %w", err)
	}
	var names []string
	for _, file := range files {
		if name := file.Name(); name > after && valid(name) && name[:shard] == folder {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}
