package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/magpie-im/magpie/client"
)

// IdleOptions say what `magpie bench idle` measures.
type IdleOptions struct {
	Setup
	Connections int
	// Settle is how long the connections are left alone before the memory is read. The garbage of the logins is
	// collected by what the heartbeats, one per connection in ten seconds, allocate meanwhile.
	Settle time.Duration
}

// IdleReport is what `magpie bench idle` found.
type IdleReport struct {
	Store       string  `json:"store"`
	Connections int     `json:"connections"`
	LoginSecs   float64 `json:"login_seconds"`
	// Before is the server with no connection, After the same process with all of them logged in and idle.
	Before Memory `json:"before"`
	After  Memory `json:"after"`
	// KBPerConnection is the growth of resident memory, and KBInUse that of the part which the runtime counts as in
	// use, both in KiB. The second is what remains when the collector has just run.
	KBPerConnection float64 `json:"kb_per_connection"`
	KBInUse         float64 `json:"kb_in_use_per_connection"`
	// Lost counts connections that did not stay.
	Lost int `json:"lost"`

	flags map[string]any
}

// Memory is a server process at one moment, in KiB.
type Memory struct {
	// Resident is VmRSS: what the process occupies, free pages that the runtime has not given back included.
	Resident float64 `json:"resident_kb"`
	// Heap and Stacks are what the Go runtime has in use.
	Heap   float64 `json:"heap_in_use_kb"`
	Stacks float64 `json:"stacks_in_use_kb"`
}

// Idle measures what a connection costs that is logged in and silent.
func Idle(ctx context.Context, o IdleOptions) (*IdleReport, error) {
	if o.Connections < 1 {
		return nil, errors.New("--connections: want at least 1")
	}
	return onStage(ctx, o.Setup, o.Connections, o.measure)
}

func (o *IdleOptions) measure(ctx context.Context, s *stage) (*IdleReport, error) {
	const rest = 2 * time.Second
	report := &IdleReport{Store: o.store(), Connections: o.Connections}
	report.flags = map[string]any{"connections": o.Connections, "settle": o.Settle}
	if err := wait(ctx, rest); err != nil {
		return nil, err
	}
	var err error
	if report.Before, err = s.nodes[0].memory(ctx); err != nil {
		return nil, err
	}
	started := now()
	there := s.target()
	clients, err := there.dial(ctx, 0, o.Connections, func(_ int, o *client.Options) { o.NoSync = true })
	if err != nil {
		return nil, err
	}
	defer hangUp(clients)
	report.LoginSecs = now().Sub(started).Seconds()
	s.progress("%d connections logged in within %.1f s; settling for %s", len(clients), report.LoginSecs, o.Settle)
	if err := wait(ctx, o.Settle); err != nil {
		return nil, err
	}
	if report.After, err = s.nodes[0].memory(ctx); err != nil {
		return nil, err
	}
	for _, c := range clients {
		if c.State() != client.Connected || c.Stats().Connects != 1 {
			report.Lost++
		}
	}
	n := float64(o.Connections)
	report.KBPerConnection = (report.After.Resident - report.Before.Resident) / n
	report.KBInUse = (report.After.Heap + report.After.Stacks - report.Before.Heap - report.Before.Stacks) / n
	return report, nil
}

// memory reads what the process occupies, from the kernel and from the server's own metrics.
func (n *node) memory(ctx context.Context) (Memory, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", n.process.Pid))
	if err != nil {
		return Memory{}, fmt.Errorf("read the server's memory, which works on Linux only: %w", err)
	}
	page, err := fetch(ctx, "http://"+n.address+"/metrics")
	if err != nil {
		return Memory{}, fmt.Errorf("read the server's metrics: %w", err)
	}
	const kilo = 1024
	return Memory{
		Resident: field(string(status), "VmRSS:"),
		Heap:     field(page, "go_memstats_heap_inuse_bytes") / kilo,
		Stacks:   field(page, "go_memstats_stack_inuse_bytes") / kilo,
	}, nil
}

// field finds the line that begins with name and returns the number after it; 0 if there is none.
func field(text, name string) float64 {
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		if words := strings.Fields(lines.Text()); len(words) > 1 && words[0] == name {
			value, _ := strconv.ParseFloat(words[1], 64)
			return value
		}
	}
	return 0
}

// Write prints the report for people.
func (r *IdleReport) Write(w io.Writer) error {
	_, _ = fmt.Fprintf(w, "idle: %d logged-in connections, %s\n", r.Connections, r.Store)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(table, "all logged in after\t%.1f s\n", r.LoginSecs)
	_, _ = fmt.Fprint(table, "KB\tbefore\tafter\tper connection\n")
	_, _ = fmt.Fprintf(table, "resident\t%.0f\t%.0f\t%.2f\n", r.Before.Resident, r.After.Resident, r.KBPerConnection)
	_, _ = fmt.Fprintf(table, "heap and stacks in use\t%.0f\t%.0f\t%.2f\n",
		r.Before.Heap+r.Before.Stacks, r.After.Heap+r.After.Stacks, r.KBInUse)
	_, _ = fmt.Fprintf(table, "connections lost\t%d\n", r.Lost)
	return table.Flush()
}

// WriteJSON prints the report for programs.
func (r *IdleReport) WriteJSON(w io.Writer) error { return writeJSON(w, r) }

// Result is the report as it is kept.
func (r *IdleReport) Result() *Result {
	return newResult("idle", r.Store, r.flags, []Figure{
		newFigure("login_seconds", "all logged in after", "s", Less, r.LoginSecs),
		newFigure("before_resident_kb", "resident before", "KB", Less, r.Before.Resident),
		newFigure("after_resident_kb", "resident after", "KB", Less, r.After.Resident),
		newFigure("kb_per_connection", "resident per connection", "KB", Less, r.KBPerConnection),
		newFigure("kb_in_use_per_connection", "heap and stacks in use per connection", "KB", Less, r.KBInUse),
		newFigure("lost", "connections lost", "", Less, float64(r.Lost)),
	})
}
