package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/file/picture"
	"github.com/magpie-im/magpie/internal/file/store"
)

// A picture's smaller sizes, by its shorter side in pixels.
const (
	largeSide = 720
	thumbSide = 198
)

// itself stands for the name of a smaller picture where the object itself serves.
const itself = "-"

// sideOf is the shorter side of what an address is good for; 0 is the original.
func sideOf(of use) int {
	switch of {
	case useLarge:
		return largeSide
	case useThumb:
		return thumbSide
	default:
		return 0
	}
}

// asked is what a request wants of a file. The client makes smaller sizes' addresses itself if it is not given any: it puts a
// parameter behind the original's.
func asked(r *http.Request, of use) use {
	if of != useOriginal {
		return of
	}
	switch {
	case strings.Contains(r.URL.RawQuery, "imageView2/3/w/198/"):
		return useThumb
	case strings.Contains(r.URL.RawQuery, "imageView2/3/w/720/"):
		return useLarge
	default:
		return of
	}
}

// size puts the object of a smaller picture in place of the file's, and makes it when it is asked for the first time.
func (f *Files) size(ctx context.Context, k *kept, of use) error {
	side := sideOf(of)
	if side == 0 || !strings.HasPrefix(k.found, "image/") || min(k.width, k.height) <= side {
		return nil
	}
	name := k.smaller(of)
	if name == "" {
		err := f.studio.do(ctx, k.digest+string(rune('a'+of)), func() error { return f.shrink(ctx, k, of) })
		if err != nil {
			return err
		}
		again, err := db.One(ctx, f.db, db.Text, selectSmaller(of), k.digest)
		if err != nil {
			return fmt.Errorf("find a smaller picture: %w", err)
		}
		name = again
	}
	if name == itself || name == "" {
		return nil
	}
	k.name, k.found = name, "image/"+name[strings.LastIndexByte(name, '-')+1:]
	k.digest += "-" + fmt.Sprint(side)
	return nil
}

// shrinks reports whether there is, or will be, a smaller picture, as far as that is known before one was asked for.
func (k *kept) shrinks(of use) bool { return k.smaller(of) != itself && k.found != "image/gif" }

func (k *kept) smaller(of use) string {
	if of == useLarge {
		return k.large
	}
	return k.thumb
}

func selectSmaller(of use) string {
	if of == useLarge {
		return `SELECT large FROM file_object WHERE digest = $1`
	}
	return `SELECT thumb FROM file_object WHERE digest = $1`
}

func setSmaller(of use) string {
	if of == useLarge {
		return `UPDATE file_object SET large = $1 WHERE digest = $2 AND large = ''`
	}
	return `UPDATE file_object SET thumb = $1 WHERE digest = $2 AND thumb = ''`
}

// shrink makes a smaller picture of an object and names it in the object's row. Of what no smaller one is made, the object serves.
func (f *Files) shrink(ctx context.Context, k *kept, of use) error {
	name, err := f.shrunk(ctx, k, sideOf(of))
	if err != nil {
		return err
	}
	changed := int64(0)
	err = f.db.Write(ctx, func(tx *db.Tx) error {
		var err error
		changed, err = tx.Exec(setSmaller(of), name, k.digest)
		return err
	})
	if err != nil {
		return fmt.Errorf("name a smaller picture: %w", err)
	}
	if changed == 0 && name != itself { // another node was first, or the object goes
		f.drop(ctx, name)
	}
	return nil
}

// shrunk keeps the smaller picture and gives its name.
func (f *Files) shrunk(ctx context.Context, k *kept, side int) (string, error) {
	from, err := f.store.Open(ctx, k.name)
	if errors.Is(err, store.ErrNoObject) {
		return itself, nil // it goes at this moment
	}
	if err != nil {
		return "", err
	}
	defer from.Close()
	to, err := os.CreateTemp(f.store.Incoming(), "*"+incomingEnd)
	if err != nil {
		return "", fmt.Errorf("begin a smaller picture: %w", err)
	}
	defer func() { _ = os.Remove(to.Name()) }() // it is gone when it was kept
	defer to.Close()
	format, err := picture.Shrink(to, from, side)
	if errors.Is(err, picture.ErrUnfit) {
		return itself, nil
	}
	if err == nil {
		err = to.Sync()
	}
	if err != nil {
		return "", fmt.Errorf("make a smaller picture: %w", err)
	}
	name := f.objectName(k.digest) + "-" + format
	return name, f.store.Keep(ctx, name, to.Name())
}

// measure finds out how large a picture is. Of a format that is not known here that stays 0.
func (a *arrived) measure(from io.ReadSeeker) {
	if _, err := from.Seek(0, io.SeekStart); err == nil {
		a.width, a.height = picture.Size(from)
	}
}

// studio makes one thing at a time out of one key, and few at once: each takes memory and a processor.
type studio struct {
	slots chan struct{}

	mutex sync.Mutex
	busy  map[string]chan struct{} // by key; closed when it is made
}

func newStudio(most int) *studio {
	return &studio{slots: make(chan struct{}, most), busy: map[string]chan struct{}{}}
}

// do has something made, or waits until somebody else has made it.
func (s *studio) do(ctx context.Context, key string, work func() error) error {
	s.mutex.Lock()
	made, others := s.busy[key]
	if !others {
		made = make(chan struct{})
		s.busy[key] = made
	}
	s.mutex.Unlock()
	if others {
		select {
		case <-made:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	defer func() {
		s.mutex.Lock()
		delete(s.busy, key)
		s.mutex.Unlock()
		close(made)
	}()
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.slots }()
	return work()
}
