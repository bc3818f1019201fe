package telemetry

import (
	"maps"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/magpie-im/magpie/internal/im"
)

// maxCodes bounds the codes that are told apart for one command and door; what comes after them is counted as "other".
// The table's codes fit. Those that an app's webhook invents (it may answer with thousands of numbers) must not become a
// series each.
const maxCodes = 64

// CommandMetrics measures one command at one door. Its series are made at the first call, so that a command that nobody
// uses costs a scrape nothing.
type CommandMetrics struct {
	metrics *Metrics
	name    commandName
	series  atomic.Pointer[commandSeries]
}

type commandName struct{ command, door string }

// commandSeries is never changed once it can be seen: a new code makes a copy. Codes settle within the first calls, so
// the usual path is one load and one look into a small map, without lock and without garbage.
type commandSeries struct {
	seconds prometheus.Observer
	codes   map[im.Code]prometheus.Counter
	other   prometheus.Counter // nil until maxCodes is reached
}

// Command returns what measures the command at the door, always the same for the same two names. Keep it beside the
// command: the lookup takes a lock.
func (m *Metrics) Command(name, door string) *CommandMetrics {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := commandName{name, door}
	c := m.commands[key]
	if c == nil {
		c = &CommandMetrics{metrics: m, name: key}
		m.commands[key] = c
	}
	return c
}

// Observe counts one answered call.
func (c *CommandMetrics) Observe(code im.Code, took time.Duration) {
	series := c.series.Load()
	counter := series.counter(code)
	if counter == nil {
		series = c.add(code)
		counter = series.counter(code)
	}
	counter.Inc()
	series.seconds.Observe(took.Seconds())
}

// counter returns nil for a code that has to be added.
func (s *commandSeries) counter(code im.Code) prometheus.Counter {
	if s == nil {
		return nil
	}
	if counter := s.codes[code]; counter != nil {
		return counter
	}
	return s.other
}

// add returns series that have a counter for the code.
func (c *CommandMetrics) add(code im.Code) *commandSeries {
	c.metrics.mu.Lock()
	defer c.metrics.mu.Unlock()
	old := c.series.Load()
	if old.counter(code) != nil {
		return old // another call was first
	}
	next := &commandSeries{}
	if old == nil {
		next.seconds = c.metrics.CommandSeconds.WithLabelValues(c.name.command, c.name.door)
		next.codes = map[im.Code]prometheus.Counter{}
	} else {
		next.seconds, next.codes = old.seconds, maps.Clone(old.codes)
	}
	if len(next.codes) < maxCodes {
		next.codes[code] = c.total(strconv.Itoa(int(code)))
	} else {
		next.other = c.total("other")
	}
	c.series.Store(next)
	return next
}

func (c *CommandMetrics) total(code string) prometheus.Counter {
	return c.metrics.CommandTotal.WithLabelValues(c.name.command, code, c.name.door)
}
