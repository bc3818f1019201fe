package bench

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// histogram counts durations in buckets that are at most 1/64 wide of their value. Recording is one atomic addition: it
// does not allocate and may be done from any goroutine.
type histogram struct {
	counts [buckets]atomic.Int64
	most   atomic.Int64 // nanoseconds, exact
}

const (
	fineBits = 6
	fine     = 1 << fineBits
	// maxBits bounds what is told apart: about 18 minutes.
	maxBits = 40
	buckets = (maxBits - fineBits + 1) * fine
)

// bucketOf is exact up to 64 ns and logarithmic above.
func bucketOf(ns int64) int {
	if ns < fine {
		return int(max(ns, 0))
	}
	ns = min(ns, 1<<maxBits-1)
	shift := bits.Len64(uint64(ns)) - fineBits - 1
	return (shift+1)*fine + int(ns>>shift) - fine
}

// ceiling is the largest duration of a bucket.
func ceiling(bucket int) int64 {
	if bucket < fine {
		return int64(bucket)
	}
	shift := bucket/fine - 1
	return int64(bucket%fine+fine+1)<<shift - 1
}

func (h *histogram) record(ns int64) {
	h.counts[bucketOf(ns)].Add(1)
	for {
		most := h.most.Load()
		if ns <= most || h.most.CompareAndSwap(most, ns) {
			return
		}
	}
}

func (h *histogram) total() int64 {
	var n int64
	for i := range h.counts {
		n += h.counts[i].Load()
	}
	return n
}

// Latency sums durations up, in milliseconds. All are zero when nothing was measured.
type Latency struct {
	Count int64   `json:"count"`
	P50   float64 `json:"p50_ms"`
	P90   float64 `json:"p90_ms"`
	P95   float64 `json:"p95_ms"`
	P99   float64 `json:"p99_ms"`
	P999  float64 `json:"p99_9_ms"`
	Max   float64 `json:"max_ms"`
}

// summary reads the percentiles; recording meanwhile makes them a little stale, no worse.
func (h *histogram) summary() Latency {
	n := h.total()
	return Latency{
		Count: n, P50: h.quantile(n, 0.5), P90: h.quantile(n, 0.9), P95: h.quantile(n, 0.95), P99: h.quantile(n, 0.99), P999: h.quantile(n, 0.999),
		Max: milliseconds(h.most.Load()),
	}
}

// quantile is the upper edge of the bucket that holds the q-th of n samples, and never more than the largest sample.
func (h *histogram) quantile(n int64, q float64) float64 {
	rank, seen := int64(q*float64(n)), int64(0)
	for i := range h.counts {
		if seen += h.counts[i].Load(); seen > rank {
			return milliseconds(min(ceiling(i), h.most.Load()))
		}
	}
	return milliseconds(h.most.Load())
}

func milliseconds(ns int64) float64 { return float64(ns) / float64(time.Millisecond) }

// sparse gives the buckets that have counted anything, and the largest sample, for another process.
func (h *histogram) sparse() (counts map[int]int64, most int64) {
	counts = map[int]int64{}
	for i := range h.counts {
		if n := h.counts[i].Load(); n > 0 {
			counts[i] = n
		}
	}
	return counts, h.most.Load()
}

// join counts what another process has measured. Buckets that there are none of are passed over.
func (h *histogram) join(counts map[int]int64, most int64) {
	for i, n := range counts {
		if i >= 0 && i < len(h.counts) {
			h.counts[i].Add(n)
		}
	}
	h.most.Store(max(h.most.Load(), most))
}

// clear forgets all samples.
func (h *histogram) clear() {
	for i := range h.counts {
		h.counts[i].Store(0)
	}
	h.most.Store(0)
}
