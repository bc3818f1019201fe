package chat_test

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/internal/im"
)

// What one message costs when many chats are written: this process's time on processors, and bytes of write-ahead log.
// A hundred writers send to chats drawn at random, so that a commit holds about a hundred messages of about as many chats.
func BenchmarkAppendSpread(b *testing.B) {
	for _, store := range []struct {
		name string
		open func(b *testing.B) (db.Options, logMeter)
	}{
		{"sqlite", func(b *testing.B) (db.Options, logMeter) {
			o := db.Options{Dir: b.TempDir()}
			return o, &pageLog{file: filepath.Join(o.Dir, "magpie.db")}
		}},
		{"postgres", func(b *testing.B) (db.Options, logMeter) {
			o := db.Options{URL: dbtest.Durable(b)}
			return o, &recordLog{dbtest.Raw(b, o)}
		}},
	} {
		for _, chats := range []int{100, 10_000, 100_000} {
			b.Run(fmt.Sprintf("%s/chats=%d", store.name, chats), func(b *testing.B) {
				o, log := store.open(b)
				benchmarkSpread(b, o, log, chats)
			})
		}
	}
}

// logMeter tells how many bytes of log a store has written.
type logMeter interface {
	committed()
	bytes() int64
}

func benchmarkSpread(b *testing.B, o db.Options, log logMeter, chats int) {
	var commits atomic.Int64
	o.Observe = func(int, time.Duration) { commits.Add(1); log.committed() }
	raw := chat.NewRaw(dbtest.Open(b, o))
	var seq atomic.Int64
	one := func(of int) *chat.Draft {
		from := im.AccountID(1<<50 + of)
		return &chat.Draft{
			App: 1, Chat: chat.Between(from, from+1<<40), From: from, Seq: seq.Add(1), Random: rand.Int64N(1 << 32), Lifetime: 3600,
			Body: []byte(`[{"MsgType":"TIMTextElem","MsgContent":{"Text":"What one message costs when many chats are written."}}]`),
		}
	}
	for done := 0; done < chats; {
		some := make([]*chat.Draft, 0, 500)
		for ; done < chats && len(some) < cap(some); done++ {
			some = append(some, one(done))
		}
		if err := raw.AppendAll(b.Context(), some); err != nil {
			b.Fatal(err)
		}
	}
	const writers = 100
	var next atomic.Int64
	var all sync.WaitGroup
	began, processor, written := commits.Load(), processorTime(b), log.bytes()
	b.ResetTimer()
	for range writers {
		all.Go(func() {
			for next.Add(1) <= int64(b.N) {
				if err := raw.Append(context.Background(), one(rand.IntN(chats))); err != nil {
					b.Error(err)
				}
			}
		})
	}
	all.Wait()
	b.StopTimer()
	b.ReportMetric(float64((processorTime(b)-processor).Microseconds())/float64(b.N), "cpu-µs/op")
	b.ReportMetric(float64(log.bytes()-written)/float64(b.N), "log-B/op")
	b.ReportMetric(float64(b.N)/float64(commits.Load()-began), "op/commit")
}

func processorTime(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// pageLog counts the pages that SQLite's log gets, by the index of that log: its number of valid pages starts anew when all
// of them are in the database.
type pageLog struct {
	file        string
	index       *os.File
	last, total int64
}

func (p *pageLog) committed() {
	const lastFrame = 16 // its offset in the index
	if p.index == nil {
		p.index, _ = os.Open(p.file + "-shm")
	}
	var number [4]byte
	if _, err := p.index.ReadAt(number[:], lastFrame); err != nil {
		return
	}
	now := int64(binary.NativeEndian.Uint32(number[:]))
	if now < p.last {
		p.last = 0
	}
	p.total, p.last = p.total+now-p.last, now
}

func (p *pageLog) bytes() int64 {
	const frameHeader, pageSizeAt = 24, 16
	var size [2]byte
	if file, err := os.Open(p.file); err == nil {
		defer file.Close()
		_, _ = file.ReadAt(size[:], pageSizeAt)
	}
	return p.total * int64(frameHeader+int(binary.BigEndian.Uint16(size[:])))
}

// recordLog asks PostgreSQL where its log ends.
type recordLog struct{ db *sql.DB }

func (*recordLog) committed() {}

func (r *recordLog) bytes() (n int64) {
	_ = r.db.QueryRow(`SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')`).Scan(&n)
	return n
}
