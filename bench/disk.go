package bench

import (
	"fmt"
	"os"
	"slices"
)

// fsyncTimes appends 4 KiB and fsyncs, again and again, in a file of its own in dir, and returns the times in
// nanoseconds. It is what a database's log does at least, so it is the unit of a commit's latency on this disk.
func fsyncTimes(dir string) ([]int64, error) {
	const block, times = 4 << 10, 100
	file, err := os.CreateTemp(dir, "fsync-")
	if err != nil {
		return nil, fmt.Errorf("measure fsync: %w", err)
	}
	defer func() {
		_ = file.Close()
		_ = os.Remove(file.Name())
	}()
	watch, data, took := stopwatch{now()}, make([]byte, block), make([]int64, 0, times)
	for range times {
		started := watch.ns()
		if _, err := file.Write(data); err != nil {
			return nil, fmt.Errorf("measure fsync: %w", err)
		}
		if err := file.Sync(); err != nil {
			return nil, fmt.Errorf("measure fsync: %w", err)
		}
		took = append(took, watch.ns()-started)
	}
	return took, nil
}

// medianNS is the median of durations, in milliseconds.
func medianNS(took []int64) float64 {
	if len(took) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(took))
	return milliseconds(sorted[len(sorted)/2])
}
