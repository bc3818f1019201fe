package magpietest

import (
	"context"
	"sync"

	"github.com/magpie-im/magpie/internal/config"
	"github.com/magpie-im/magpie/internal/db"
)

// beside is a second opening of a running server's store, by which a test changes what `magpie app` changes. It stays open
// until the server stops, because an opening compares all tables with the migrations, which takes longer than most stories.
type beside struct {
	mutex sync.Mutex
	store *db.DB
}

// open opens the store, or returns it when it is open.
func (b *beside) open(c *config.Config) (*db.DB, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if b.store != nil {
		return b.store, nil
	}
	var err error
	b.store, err = db.Open(context.Background(), db.Options{Dir: c.Data, URL: c.DB})
	return b.store, err
}

func (b *beside) close() error {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if b.store == nil {
		return nil
	}
	defer func() { b.store = nil }()
	return b.store.Close()
}
