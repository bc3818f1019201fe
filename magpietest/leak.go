package magpietest

import (
	"bytes"
	"context"
	"fmt"
	"runtime/pprof"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Every goroutine that a server starts carries the server's label, because goroutines inherit labels, and so do those that
// they start. What still carries it after Stop is a leak.
const leakLabel = "magpietest-server"

var servers atomic.Int64

// labelled runs start with a label of its own and returns the label.
func labelled(start func(ctx context.Context)) (label string) {
	label = fmt.Sprint(servers.Add(1))
	pprof.Do(context.Background(), pprof.Labels(leakLabel, label), start)
	return label
}

// checkLeaks fails the test if goroutines of the stopped server do not end.
func checkLeaks(t testing.TB, label string) {
	t.Helper()
	if left := leaksOf(label); len(left) > 0 {
		t.Errorf("the server has stopped, and %d of its goroutines have not:\n%s", len(left), strings.Join(left, "\n"))
	}
}

// leaksOf lists the stacks of the goroutines with the label that do not end within a while.
func leaksOf(label string) (left []string) {
	const most, pause = 10 * time.Second, 10 * time.Millisecond
	for deadline := time.Now().Add(most); time.Now().Before(deadline); <-time.After(pause) {
		if left = goroutinesOf(label); len(left) == 0 {
			return nil
		}
	}
	return left
}

// goroutinesOf lists the stacks of the goroutines that carry the label; equal ones are listed once.
func goroutinesOf(label string) (stacks []string) {
	var all bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&all, 1); err != nil {
		return []string{err.Error()}
	}
	mark := fmt.Sprintf("%q:%q", leakLabel, label)
	for stack := range strings.SplitSeq(all.String(), "\n\n") {
		if strings.Contains(stack, mark) {
			stacks = append(stacks, stack)
		}
	}
	return stacks
}
