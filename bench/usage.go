package bench

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"strings"
	"time"
)

// usage is what the servers of a run have used since they started. What nobody tells is zero.
type usage struct {
	processor time.Duration
	// disk is bytes that the servers' processes gave to the disk, journal that of a PostgreSQL's write-ahead log.
	disk, journal float64
	commits       float64
	// acked is the sends that a server acknowledged, by its own count; zero if nobody but this run sends.
	acked float64
}

// Used is what the servers used for a message that was acknowledged. What nobody tells is zero.
type Used struct {
	// ProcessorMS is processor time, user and system, of the servers' processes; a PostgreSQL's is not in it.
	ProcessorMS float64 `json:"processor_ms,omitzero"`
	// DiskBytes is what the servers' processes gave to the disk, in whole pages as the kernel counts them: SQLite's
	// write-ahead log, and its copying into the store when a checkpoint falls into the phase.
	DiskBytes float64 `json:"disk_bytes,omitzero"`
	// JournalBytes is by how much the write-ahead log of a PostgreSQL grew, whoever wrote it.
	JournalBytes float64 `json:"journal_bytes,omitzero"`
	// PerCommit is messages in one commit.
	PerCommit float64 `json:"messages_per_commit,omitzero"`
}

// usage reads the counters of the run's servers. One that cannot be read is left out.
func (s *stage) usage(ctx context.Context) usage {
	var all usage
	for _, n := range s.nodes {
		if n.process == nil {
			continue
		}
		all.commits += field(scrape(ctx, "http://"+n.address+"/metrics", ""), commitsMetric)
		all.processor += used(n.process.Pid)
		if s.db == "" {
			all.disk += written(n.process.Pid)
		}
	}
	if s.db != "" {
		all.journal = journal(ctx, s.db)
	}
	return all
}

// commitsMetric counts commits.
const commitsMetric = "magpie_commit_writes_count"

// ackedMetric counts the sends of clients that were acknowledged.
const ackedMetric = `magpie_commands_total{code="0",command="openim.sendmsg",door="client"}`

// scrape reads a server's metrics, with a token if it wants one; empty when it does not tell them.
func scrape(ctx context.Context, url, token string) string {
	const patience = 5 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	page, err := fetchAs(ctx, url, token)
	if err != nil {
		return ""
	}
	return page
}

// written reads how many bytes a process gave to the disk. The kernel counts a page when it becomes dirty, so sockets and
// pipes are not in it, and a page that is synced twice counts twice.
func written(pid int) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	if err != nil {
		return 0
	}
	return field(string(text), "write_bytes:")
}

// journal is how far the write-ahead log of a PostgreSQL has come, in bytes.
func journal(ctx context.Context, address string) float64 {
	ctx, cancel := context.WithTimeout(ctx, statementTimeout)
	defer cancel()
	d, err := sql.Open("pgx", address)
	if err != nil {
		return 0
	}
	defer func() { _ = d.Close() }()
	var at float64
	if err := d.QueryRowContext(ctx, "SELECT pg_current_wal_lsn() - '0/0'").Scan(&at); err != nil {
		return 0
	}
	return at
}

// watchUsage looks at the servers' counters at both ends of a phase's window. The channel gives what was used between.
func (t *traffic) watchUsage(ctx context.Context, m *meter) <-chan Used {
	found := make(chan Used, 1)
	if t.usage == nil {
		found <- Used{}
		return found
	}
	go func() {
		_ = wait(ctx, time.Duration(m.from-t.watch.ns()))
		before, acked := t.usage(ctx), m.acked.Load()
		_ = wait(ctx, time.Duration(m.to-t.watch.ns()))
		found <- t.usage(ctx).since(before, m.acked.Load()-acked)
	}()
	return found
}

// since shares what was used since then out among the messages that this run counted, or those of all runs where the
// server counts them.
func (u usage) since(before usage, messages int64) Used {
	n := float64(messages)
	if u.acked > 0 {
		n = u.acked - before.acked
	}
	return Used{
		ProcessorMS: ratio(milliseconds(int64(u.processor-before.processor)), n),
		DiskBytes:   ratio(u.disk-before.disk, n), JournalBytes: ratio(u.journal-before.journal, n),
		PerCommit: ratio(n, u.commits-before.commits),
	}
}

// metricsURL is where a server that runs already tells its metrics, if nobody says otherwise: at the door of its clients.
func metricsURL(url string) string {
	return "http" + strings.TrimPrefix(strings.TrimRight(url, "/"), "ws") + "/metrics"
}
