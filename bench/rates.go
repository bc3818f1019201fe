package bench

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// FixedRate is an open loop at a rate that does not depend on what this server can do, so that figures of different
// servers and days are of the same load.
type FixedRate struct {
	// Rate is sends per second of all connections together.
	Rate int `json:"rate"`
	// Phase is nil when the closed loop did not reach the rate.
	Phase *Phase `json:"phase,omitempty"`
}

// Bounds of the fixed rates.
const (
	maxRates = 10
	maxRate  = 1_000_000
)

func validRates(rates []int) error {
	if len(rates) > maxRates {
		return fmt.Errorf("--rates: want at most %d", maxRates)
	}
	for i, rate := range rates {
		if rate < 1 || rate > maxRate || slices.Contains(rates[:i], rate) {
			return fmt.Errorf("--rates: want different numbers of 1 to %d", maxRate)
		}
	}
	return nil
}

func rateList(rates []int) string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(rates), "[]"), " ", ",")
}

// fixedRates are measured after a closed loop only, whose rate is what the server can do.
func (o *C2COptions) fixedRates() []int {
	if o.Rate > 0 {
		return nil
	}
	return o.Rates
}

func (o *C2COptions) fixed(ctx context.Context, run *C2CRun, measure measure) error {
	for _, rate := range o.fixedRates() {
		one := FixedRate{Rate: rate}
		if run.Main.AckedPerSecond >= float64(rate) {
			found, err := measure(ctx, plan{fmt.Sprint(rate, "/s"), float64(rate), o.Warmup, o.Duration})
			if err != nil {
				return err
			}
			one.Phase = &found
		}
		run.Fixed = append(run.Fixed, one)
	}
	return nil
}

// at is the phase at a rate; nil when it was not measured.
func (r *C2CRun) at(rate int) *Phase {
	for i := range r.Fixed {
		if r.Fixed[i].Rate == rate {
			return r.Fixed[i].Phase
		}
	}
	return nil
}

// ofRate makes a figure of the phase at a rate. Rounds that did not reach the rate have none.
func ofRate(rate int, f figure, of func(*C2CRun, *Phase) float64) figure {
	f.key, f.name = fmt.Sprintf("rate_%d_%s", rate, f.key), fmt.Sprintf("at %d/s: %s", rate, f.name)
	f.of = func(r *C2CRun) float64 {
		if p := r.at(rate); p != nil {
			return of(r, p)
		}
		return math.NaN()
	}
	return f
}

func rateFigures(rate int) []figure {
	return []figure{
		ofRate(rate, figure{"per_second", "acked sends", "/s", "", nil}, func(_ *C2CRun, p *Phase) float64 { return p.AckedPerSecond }),
		ofRate(rate, figure{"cpu_ms", "server CPU per acked", "ms", Less, nil},
			func(_ *C2CRun, p *Phase) float64 { return p.Used.ProcessorMS }),
		ofRate(rate, figure{"disk_bytes", "written to disk per acked", "bytes", Less, nil},
			func(_ *C2CRun, p *Phase) float64 { return p.Used.DiskBytes }),
		ofRate(rate, figure{"journal_bytes", "write-ahead log per acked", "bytes", Less, nil},
			func(_ *C2CRun, p *Phase) float64 { return p.Used.JournalBytes }),
		ofRate(rate, figure{"per_commit", "messages per commit", "", More, nil},
			func(_ *C2CRun, p *Phase) float64 { return p.Used.PerCommit }),
		ofRate(rate, figure{"others_cpu", "used by others", "", "", nil}, func(_ *C2CRun, p *Phase) float64 { return p.OthersCPU }),
	}
}

// rateRatios are latencies in units of the disk.
func rateRatios(rate int) []figure {
	return []figure{
		ofRate(rate, figure{"p50_to_fsync", "ack p50 ÷ fsync", "", Less, nil},
			func(r *C2CRun, p *Phase) float64 { return ratio(p.Ack.P50, r.FsyncMS) }),
		ofRate(rate, figure{"p99_to_fsync", "ack p99 ÷ fsync", "", Less, nil},
			func(r *C2CRun, p *Phase) float64 { return ratio(p.Ack.P99, r.FsyncMS) }),
	}
}

func rateLatencies(rate int) []latency {
	one := func(key, name string, better Better, of func(*Phase) *Latency) latency {
		return latency{fmt.Sprintf("rate_%d_%s", rate, key), fmt.Sprintf("at %d/s: %s", rate, name), better, func(r *C2CRun) *Latency {
			if p := r.at(rate); p != nil {
				return of(p)
			}
			return nil
		}}
	}
	return []latency{
		one("ack", "ack", Less, func(p *Phase) *Latency { return &p.Ack }),
		one("delivery", "delivery", Less, func(p *Phase) *Latency { return &p.Delivery }),
		one("late", "sent late by", "", func(p *Phase) *Latency { return &p.Late }),
	}
}

// usageFigures are what the servers used at full load.
func usageFigures() []figure {
	return []figure{
		{"cpu_ms", "server CPU per acked", "ms", Less, func(r *C2CRun) float64 { return r.Main.Used.ProcessorMS }},
		{"disk_bytes", "written to disk per acked", "bytes", Less, func(r *C2CRun) float64 { return r.Main.Used.DiskBytes }},
		{"journal_bytes", "write-ahead log per acked", "bytes", Less, func(r *C2CRun) float64 { return r.Main.Used.JournalBytes }},
		{"per_commit", "messages per commit", "", More, func(r *C2CRun) float64 { return r.Main.Used.PerCommit }},
	}
}

// writeUnreached says which rates were not measured, and why.
func (r *C2CReport) writeUnreached(w io.Writer) {
	for _, rate := range r.Rates {
		most, missed := 0.0, 0
		for i := range r.Runs {
			if run := &r.Runs[i]; run.at(rate) == nil {
				most, missed = max(most, run.Main.AckedPerSecond), missed+1
			}
		}
		if missed > 0 {
			_, _ = fmt.Fprintf(w, "at %d/s: not measured\tin %d of %d rounds: the closed loop reached %s/s at most\n",
				rate, missed, len(r.Runs), short(most))
		}
	}
}
