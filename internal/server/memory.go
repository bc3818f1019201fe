package server

import (
	"context"
	"math"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// The collector runs when the heap has grown by a percentage of what is alive, and it counts goroutines' stacks as
// alive: 15,000 idle connections would let a heap of 45 MB grow to 150 MB before it is collected, and a server with
// few connections would be collected a hundred times a second under load. So the percentage follows what is alive,
// and the heap grows by about as many bytes in both cases (docs/adr/0006-memory.md).
const (
	headroom      = 24 << 20
	leastPercent  = 15
	mostPercent   = 400
	balanceAfter  = 5 * time.Second
	heapLive      = "/gc/heap/live:bytes"
	stackScanned  = "/gc/scan/stack:bytes"
	globalsToScan = "/gc/scan/globals:bytes"
)

// BalanceMemory keeps the collector's percentage right until ctx ends. It concerns the whole process, so it is the
// program's to call and not the server's, which may run inside somebody's test.
func BalanceMemory(ctx context.Context) {
	defer debug.SetGCPercent(debug.SetGCPercent(mostPercent))
	samples := []metrics.Sample{{Name: heapLive}, {Name: stackScanned}, {Name: globalsToScan}}
	tick := time.NewTicker(balanceAfter)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		metrics.Read(samples)
		alive := uint64(0)
		for _, sample := range samples {
			alive += sample.Value.Uint64()
		}
		debug.SetGCPercent(percentFor(alive))
	}
}

func percentFor(alive uint64) int {
	percent := math.Round(100 * headroom / float64(max(alive, 1)))
	return int(min(max(percent, leastPercent), mostPercent))
}
