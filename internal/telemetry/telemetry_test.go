package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
)

func TestLoggerAddsTheTrace(t *testing.T) {
	var out bytes.Buffer
	log, err := telemetry.NewLogger(&out, "info", "json")
	if err != nil {
		t.Fatal(err)
	}
	ctx := telemetry.WithTrace(context.Background(), "00c0ffee00c0ffee")
	log.With(telemetry.FieldNode, "a").InfoContext(ctx, "sent", telemetry.Duration(1500*time.Microsecond))
	log.Debug("not shown")
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("%v in %q", err, out.String())
	}
	for field, want := range map[string]any{"trace": "00c0ffee00c0ffee", "node": "a", "msg": "sent", "duration": 0.0015} {
		if line[field] != want {
			t.Errorf("%s = %v, want %v", field, line[field], want)
		}
	}
}

func TestLoggerAsText(t *testing.T) {
	var out bytes.Buffer
	log, err := telemetry.NewLogger(&out, "warn", "text")
	if err != nil {
		t.Fatal(err)
	}
	log.Info("not shown")
	log.Warn("slow", telemetry.Duration(2*time.Second), telemetry.Error(errors.New("no disk")), slog.Int(telemetry.FieldCode, 0))
	if got := out.String(); !strings.HasSuffix(got, "level=WARN msg=slow duration=2s error=\"no disk\" code=0\n") {
		t.Errorf("line %q", got)
	}
}

func TestLoggerRefusals(t *testing.T) {
	for _, row := range [][2]string{{"loud", "text"}, {"info", "xml"}, {"", "json"}} {
		if _, err := telemetry.NewLogger(&bytes.Buffer{}, row[0], row[1]); err == nil || !strings.Contains(err.Error(), "want") {
			t.Errorf("%q: error = %v", row, err)
		}
	}
}

func TestTrace(t *testing.T) {
	seen := map[string]bool{}
	form := regexp.MustCompile(`^[0-9a-f]{16}$`)
	for range 1000 {
		id := telemetry.NewTrace()
		if !form.MatchString(id) || seen[id] {
			t.Fatalf("trace id %q", id)
		}
		seen[id] = true
	}
	if got := telemetry.Trace(context.Background()); got != "" {
		t.Errorf("Trace without a call = %q", got)
	}
}

// scrape returns the page that Prometheus would get.
func scrape(t *testing.T, m *telemetry.Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func wantLines(t *testing.T, page string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains("\n"+page, "\n"+line+"\n") {
			t.Errorf("the page has no line %q", line)
		}
	}
}

func TestCommandMetrics(t *testing.T) {
	m := telemetry.NewMetrics()
	send := m.Command("openim.sendmsg", im.DoorClient.String())
	m.Command("openim.getmsg", "rest") // never called
	send.Observe(im.CodeOK, time.Millisecond)
	send.Observe(im.CodeMessageBody, 2*time.Second)
	m.Command("openim.sendmsg", "client").Observe(im.CodeOK, time.Millisecond)
	page := scrape(t, m)
	wantLines(t, page,
		`magpie_commands_total{code="0",command="openim.sendmsg",door="client"} 2`,
		`magpie_commands_total{code="90002",command="openim.sendmsg",door="client"} 1`,
		`magpie_command_seconds_count{command="openim.sendmsg",door="client"} 3`,
		`magpie_command_seconds_bucket{command="openim.sendmsg",door="client",le="0.001"} 2`,
	)
	if strings.Contains(page, "getmsg") {
		t.Error("a command that was never called has series")
	}
}

func TestCommandCodesAreBounded(t *testing.T) {
	m := telemetry.NewMetrics()
	c := m.Command("openim.sendmsg", "rest")
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for code := range im.Code(1000) {
				c.Observe(120001+code, time.Millisecond)
			}
		})
	}
	callers.Wait()
	page := scrape(t, m)
	if n := strings.Count(page, "\nmagpie_commands_total{"); n != 65 {
		t.Errorf("%d series, want 64 codes and the rest", n)
	}
	wantLines(t, page,
		`magpie_command_seconds_count{command="openim.sendmsg",door="rest"} 4000`,
		`magpie_commands_total{code="other",command="openim.sendmsg",door="rest"} 3744`,
	)
}

func TestOtherMetrics(t *testing.T) {
	m := telemetry.NewMetrics()
	m.Connections.Add(3)
	m.Sessions.Inc()
	m.PushFrames.Inc()
	m.PushBytes.Add(300)
	m.WriterQueueBytes.Set(4096)
	m.Dropped.WithLabelValues("live_rate").Inc()
	m.Disconnects.WithLabelValues("slow").Inc()
	m.CommitSeconds.Observe(0.002)
	m.CommitBatch.Observe(200)
	m.WatchCommitQueue(func() int { return 7 })
	m.WatchBus(func() telemetry.BusCounts {
		return telemetry.BusCounts{Published: 1, Received: 2, Dropped: 3, Reconnects: 4}
	})
	page := scrape(t, m)
	wantLines(t, page,
		"magpie_connections 3", "magpie_sessions 1", "magpie_push_frames_total 1", "magpie_push_bytes_total 300",
		"magpie_writer_queue_bytes 4096", `magpie_dropped_total{reason="live_rate"} 1`,
		`magpie_disconnects_total{reason="slow"} 1`, "magpie_commit_seconds_count 1",
		`magpie_commit_writes_bucket{le="128"} 0`, `magpie_commit_writes_bucket{le="256"} 1`, "magpie_commit_queue 7",
		"magpie_bus_published_total 1", "magpie_bus_received_total 2", "magpie_bus_dropped_total 3",
		"magpie_bus_reconnects_total 4",
	)
	for _, name := range []string{"magpie_build_info{", "go_goroutines ", "process_open_fds "} {
		if !strings.Contains(page, "\n"+name) {
			t.Errorf("the page has no %q", name)
		}
	}
}

func TestNodesDoNotShareMetrics(t *testing.T) {
	a, b := telemetry.NewMetrics(), telemetry.NewMetrics()
	a.Sessions.Inc()
	wantLines(t, scrape(t, b), "magpie_sessions 0")
}

func TestObserveMakesNoGarbage(t *testing.T) {
	c := telemetry.NewMetrics().Command("openim.sendmsg", "client")
	for _, code := range []im.Code{im.CodeOK, im.CodeMessageBody} {
		c.Observe(code, time.Millisecond)
		if n := testing.AllocsPerRun(100, func() { c.Observe(code, time.Millisecond) }); n != 0 {
			t.Errorf("code %d: %v allocations a call", code, n)
		}
	}
}

func BenchmarkObserve(b *testing.B) {
	c := telemetry.NewMetrics().Command("openim.sendmsg", "client")
	b.Run("success", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			c.Observe(im.CodeOK, 3*time.Millisecond)
		}
	})
	b.Run("refusal", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			c.Observe(im.CodeMessageBody, 3*time.Millisecond)
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				c.Observe(im.CodeOK, 3*time.Millisecond)
			}
		})
	})
}

func BenchmarkNewTrace(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		telemetry.NewTrace()
	}
}
