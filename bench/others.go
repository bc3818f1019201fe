package bench

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// processors measures who uses the machine's processors, as far as the system tells (Linux does).
type processors struct {
	started time.Time
	total   time.Duration // busy time of all processors, of everybody
	own     time.Duration // of this process and of the servers that it started
	known   bool
}

// tick is the unit of /proc/stat.
const tick = 10 * time.Millisecond

func (s *stage) processors() processors {
	p := processors{started: now()}
	p.total, p.known = busy()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		p.known = false
	}
	p.own = time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	for _, n := range s.nodes {
		if n.process != nil {
			p.own += used(n.process.Pid)
		}
	}
	return p
}

// others is the share of one processor, as 1 for the whole of one, that others have used since: a database server, or
// whoever else is on the machine. It is 0 where nobody tells.
func (s *stage) others(since processors) float64 {
	at := s.processors()
	if !at.known || !since.known {
		return 0
	}
	share := float64(at.total-since.total-(at.own-since.own)) / float64(at.started.Sub(since.started))
	return max(share, 0)
}

// busy reads the time that all processors were not idle.
func busy() (time.Duration, bool) {
	const idle, waiting = 4, 5
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, false
	}
	first, _, _ := strings.Cut(string(text), "\n")
	var sum int64
	for i, word := range strings.Fields(first) {
		if n, err := strconv.ParseInt(word, 10, 64); err == nil && i != idle && i != waiting && i < 9 { // guests are users too
			sum += n
		}
	}
	return time.Duration(sum) * tick, sum > 0
}

// used reads the processor time of a process; 0 when it is gone.
func used(pid int) time.Duration {
	const user, system = 11, 12 // counted from the state, after the name in brackets
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	words := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(words) <= system {
		return 0
	}
	u, _ := strconv.ParseInt(words[user], 10, 64)
	s, _ := strconv.ParseInt(words[system], 10, 64)
	return time.Duration(u+s) * tick
}
