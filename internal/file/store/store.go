// Package store keeps the bytes of files: on a disk, or in an object store that speaks the S3 protocol.
//
// It knows names and bytes. Which files there are, and whose they are, says the database; what is here and has no row there
// counts for nothing and is removed in time.
package store

import (
	"context"
	"errors"
	"io"
)

// ErrNoObject is returned for a name under which nothing is kept.
var ErrNoObject = errors.New("store: no such object")

// Object is an object that is being read.
type Object interface {
	io.ReadSeeker
	io.Closer
}

// Store keeps objects by name. An object never changes. It is safe for concurrent use.
type Store interface {
	// Incoming is a folder of this machine in which a file is written before it is kept.
	Incoming() string
	// Keep takes a finished file of the folder of Incoming, which is on the disk, and keeps it under a name. When it returns
	// without an error the object is there whatever happens to the machine; after an error it may be there, and whole. The file
	// may be gone then, or not.
	Keep(ctx context.Context, name, path string) error
	// Open opens an object, or gives ErrNoObject.
	Open(ctx context.Context, name string) (Object, error)
	// Remove removes an object; there may be none.
	Remove(ctx context.Context, name string) error
	// List names at most so many objects that stand behind a name in the alphabet; "" begins. What has no name that Keep
	// takes is left out.
	List(ctx context.Context, after string, most int) ([]string, error)
	// Close ends connections that wait for the next call.
	Close()
}

// Names are made of these, and begin with two digits, after which a disk sorts them into folders.
const (
	shard     = 2
	nameBytes = 128 // at most
)

// valid reports whether an object may have the name. What it allows is never a path to somewhere else.
func valid(name string) bool {
	if len(name) <= shard || len(name) > nameBytes {
		return false
	}
	for i := range len(name) {
		if c := name[i]; (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c != '-' || i < shard) {
			return false
		}
	}
	return true
}
