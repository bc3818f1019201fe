package bench_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/magpie-im/magpie/bench"
	"github.com/magpie-im/magpie/magpietest"
)

// A closed loop of 200 connections with server and clients in one process, for profiles:
//
//	go test ./bench -run '^$' -bench C2C -benchtime 1x -cpuprofile cpu.out
//
// Figures to publish come from `magpie bench c2c`, where the server is a process of its own.
func BenchmarkC2C(b *testing.B) {
	s := magpietest.Start(b)
	for b.Loop() {
		report, err := bench.C2C(context.Background(), bench.C2COptions{
			There: bench.There{URL: s.WebSocketURL, App: "1400000001:" + magpietest.Key}, Connections: 200, Size: 300,
			Warmup: time.Second, Duration: 5 * time.Second, Repeat: 1,
		})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(report.Runs[0].Main.AckedPerSecond, "acked/s")
		b.ReportMetric(report.Runs[0].Main.Ack.P99, "ack-p99-ms")
		var text strings.Builder
		if err := report.Write(&text); err != nil {
			b.Fatal(err)
		}
		b.Log("\n" + text.String())
	}
}
