package chat_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/internal/im"
)

// What one writer who repeats the same message all the time costs those who write new ones: compare the fresh messages
// a second with it and without it. The repeater's own messages are not counted.
func BenchmarkAppendRepeated(b *testing.B) {
	for _, store := range []struct {
		name string
		open func(b *testing.B) db.Options
	}{
		{"sqlite", func(b *testing.B) db.Options { return db.Options{Dir: b.TempDir()} }},
		{"postgres", func(b *testing.B) db.Options { return db.Options{URL: dbtest.Durable(b)} }},
	} {
		for _, fresh := range []int{19, 199} {
			for _, repeaters := range []int{0, 1} {
				b.Run(fmt.Sprintf("%s/fresh=%d/repeaters=%d", store.name, fresh, repeaters), func(b *testing.B) {
					benchmarkAppend(b, store.open(b), fresh, repeaters)
				})
			}
		}
	}
}

func benchmarkAppend(b *testing.B, o db.Options, fresh, repeaters int) {
	raw := chat.NewRaw(dbtest.Open(b, o))
	write := func(account, seq int64) {
		one := im.AccountID(account)
		err := raw.Append(context.Background(), &chat.Draft{
			App: 1, Chat: chat.Between(one, one+1_000_000), From: one, Seq: seq, Random: account + 1,
			KeyTime: 1_700_000_000, Lifetime: 3600, Body: []byte(`[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hello"}}]`),
		})
		if err != nil {
			b.Error(err)
		}
	}
	var next, stop atomic.Int64
	var writers, others sync.WaitGroup
	for i := range repeaters {
		write(int64(5000+i), 1)
		others.Go(func() {
			for stop.Load() == 0 {
				write(int64(5000+i), 1)
			}
		})
	}
	b.ResetTimer()
	for i := range fresh {
		writers.Go(func() {
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				write(int64(i+1), n)
			}
		})
	}
	writers.Wait()
	b.StopTimer()
	stop.Store(1)
	others.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "fresh/s")
}
