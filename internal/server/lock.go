package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// dirLock keeps a second server out of a data directory. The kernel lets it go with the process, however that ends.
type dirLock struct{ file *os.File }

// lockEvery is how often a lock is tried that another process holds.
const lockEvery = 10 * time.Millisecond

// patience is how long a start waits for the node before it: not at all but when it has taken over from that one.
func (s *Server) patience() time.Duration {
	if !s.config.Takeover {
		return 0
	}
	return 2 * s.config.DrainTimeout
}

// lockDir waits so long for a process that has the lock.
func lockDir(ctx context.Context, dir string, patience time.Duration) (*dirLock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make data directory: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(dir, "magpie.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock data directory: %w", err)
	}
	err = flock(file)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(lockEvery)
	defer tick.Stop()
	for errors.Is(err, syscall.EWOULDBLOCK) && ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-tick.C:
			err = flock(file)
		}
	}
	if err != nil {
		_ = file.Close()
		return nil, lockRefusal(dir, err)
	}
	return &dirLock{file}, nil
}

// lockRefusal tells a lock that another process holds from one that cannot be taken at all.
func lockRefusal(dir string, err error) error {
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return fmt.Errorf("a server is running on %s already: stop it, or give this one a --data of its own", dir)
	}
	return fmt.Errorf("%s cannot be locked (%w): is it on a file system without locks, such as some network shares? "+
		"Give a --data on a local disk, or use --db", dir, err)
}

// flock tries again when a signal came between.
func flock(file *os.File) error {
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

func (l *dirLock) release() error { return l.file.Close() }
