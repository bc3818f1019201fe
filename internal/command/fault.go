package command

import "sync"

// faults keeps the log readable while the store takes no writes: then every call fails for the same reason, and one line a
// second says so. It is safe for concurrent use; the zero value is ready.
type faults struct {
	mutex   sync.Mutex
	second  map[string]int64 // by the store's fault, of its last line; db.KnownFault has a few
	skipped map[string]int
}

// due reports whether a line is to be written, and how many lines were skipped since the last. A line without a fault of
// the store, "", is always due.
func (f *faults) due(fault string, now int64) (skipped int, due bool) {
	if fault == "" {
		return 0, true
	}
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.second == nil {
		f.second, f.skipped = map[string]int64{}, map[string]int{}
	}
	if last, known := f.second[fault]; known && last == now {
		f.skipped[fault]++
		return 0, false
	}
	skipped = f.skipped[fault]
	f.second[fault], f.skipped[fault] = now, 0
	return skipped, true
}
