package db_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
)

// What one commit costs when nobody shares it: about the disk's own time, the figure that design §4 is built on.
func BenchmarkCommitAlone(b *testing.B) {
	both(b, func(b *testing.B, o db.Options) {
		d := open(b, o)
		n := 0
		for b.Loop() {
			n++
			if err := d.Write(context.Background(), func(tx *db.Tx) error { return state(tx, n) }); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// What a write costs when 200 share the commits.
func BenchmarkCommitTogether(b *testing.B) {
	both(b, func(b *testing.B, o db.Options) {
		var commits atomic.Int64
		o.Observe = func(int, time.Duration) { commits.Add(1) }
		d := open(b, o)
		const writers = 200
		var next atomic.Int64
		commits.Store(0)
		b.ResetTimer()
		all := start(writers, func(int) error {
			for {
				n := next.Add(1)
				if n > int64(b.N) {
					return nil
				}
				if err := d.Write(context.Background(), func(tx *db.Tx) error { return state(tx, int(n)) }); err != nil {
					return err
				}
			}
		})
		for _, err := range all() {
			if err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.N)/float64(max(commits.Load(), 1)), "writes/commit")
	})
}

func both(b *testing.B, run func(b *testing.B, o db.Options)) {
	b.Run("sqlite", func(b *testing.B) { run(b, db.Options{Dir: b.TempDir()}) })
	b.Run("postgres", func(b *testing.B) { run(b, db.Options{URL: dbtest.Durable(b)}) })
}
