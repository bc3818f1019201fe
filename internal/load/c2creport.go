package load

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
)

// C2CReport is what `magpie bench c2c` found.
type C2CReport struct {
	Store       string   `json:"store"`
	Connections int      `json:"connections"`
	Rate        float64  `json:"rate"`
	Size        int      `json:"size"`
	Seconds     float64  `json:"seconds"`
	Runs        []C2CRun `json:"runs"`
}

// figure is a number that every run has, and that the report gives the median of.
type figure struct {
	key, name, unit string
	of              func(*C2CRun) float64 // zero: not measured
}

func c2cFigures() []figure {
	all := []figure{
		{"fsync_ms", "fsync of 4 KiB, median", "ms", func(r *C2CRun) float64 { return r.FsyncMS }},
		{"raw_per_second", "raw group commits", "/s", func(r *C2CRun) float64 { return r.RawPerSecond }},
		{"acked_per_second", "acked sends", "/s", func(r *C2CRun) float64 { return r.Main.AckedPerSecond }},
		{"delivered_per_second", "deliveries", "/s", func(r *C2CRun) float64 { return r.Main.DeliveredPerSecond }},
	}
	all = append(all, latencyFigures("ack", "ack", func(r *C2CRun) *Latency { return &r.Main.Ack })...)
	all = append(all, latencyFigures("delivery", "delivery", func(r *C2CRun) *Latency { return &r.Main.Delivery })...)
	all = append(all, figure{"half_rate", "half load: sends", "/s", func(r *C2CRun) float64 { return r.half().Rate }})
	all = append(all, latencyFigures("half_ack", "half load: ack", func(r *C2CRun) *Latency { return &r.half().Ack })...)
	all = append(all, latencyFigures("half_delivery", "half load: delivery", func(r *C2CRun) *Latency { return &r.half().Delivery })...)
	return append(all, ratioFigures()...)
}

// ratioFigures are those that promises are made of. They relate figures of one run, so a slow or busy machine matters
// less to them.
func ratioFigures() []figure {
	return []figure{
		{"alone_ack_p50", "alone: ack p50", "ms", func(r *C2CRun) float64 { return r.alone().P50 }},
		{"alone_ack_p99", "alone: ack p99", "ms", func(r *C2CRun) float64 { return r.alone().P99 }},
		{"end_to_end_to_raw", "acked sends ÷ raw group commits", "", func(r *C2CRun) float64 {
			if r.Main.Rate > 0 {
				return 0
			}
			return ratio(r.Main.AckedPerSecond, r.RawPerSecond)
		}},
		{"alone_p50_to_fsync", "alone: ack p50 ÷ fsync", "", func(r *C2CRun) float64 { return ratio(r.alone().P50, r.FsyncMS) }},
		{"half_p99_to_fsync", "half load: ack p99 ÷ fsync", "", func(r *C2CRun) float64 { return ratio(r.half().Ack.P99, r.FsyncMS) }},
	}
}

func latencyFigures(key, name string, of func(*C2CRun) *Latency) []figure {
	return []figure{
		{key + "_p50", name + " p50", "ms", func(r *C2CRun) float64 { return of(r).P50 }},
		{key + "_p90", name + " p90", "ms", func(r *C2CRun) float64 { return of(r).P90 }},
		{key + "_p99", name + " p99", "ms", func(r *C2CRun) float64 { return of(r).P99 }},
		{key + "_p99_9", name + " p99.9", "ms", func(r *C2CRun) float64 { return of(r).P999 }},
		{key + "_max", name + " max", "ms", func(r *C2CRun) float64 { return of(r).Max }},
	}
}

func (r *C2CRun) half() *Phase {
	if r.Half == nil {
		return &Phase{}
	}
	return r.Half
}

func (r *C2CRun) alone() *Latency {
	if r.Alone == nil {
		return &Latency{}
	}
	return r.Alone
}

// errors sums the failures of all phases of all runs up.
func (r *C2CReport) errors() map[string]int64 {
	all := map[string]int64{}
	for i := range r.Runs {
		for _, p := range []*Phase{&r.Runs[i].Main, r.Runs[i].half()} {
			for reason, n := range p.Errors {
				all[reason] += n
			}
		}
	}
	return all
}

// undelivered counts acked messages whose push had not come two seconds after the phase.
func (r *C2CReport) undelivered() int64 {
	var n int64
	for i := range r.Runs {
		for _, p := range []*Phase{&r.Runs[i].Main, r.Runs[i].half()} {
			n += max(p.Acked-p.Delivered, 0)
		}
	}
	return n
}

// Write prints the report for people: medians and, of several runs, the range.
func (r *C2CReport) Write(w io.Writer) error {
	loop := "closed loop"
	if r.Rate > 0 {
		loop = fmt.Sprintf("open loop at %.0f/s", r.Rate)
	}
	_, _ = fmt.Fprintf(w, "c2c: %d connections, %s, bodies of %d bytes, %.0f s × %d, %s\n",
		r.Connections, loop, r.Size, r.Seconds, len(r.Runs), r.Store)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range c2cFigures() {
		writeFigure(table, f.name, f.unit, each(r.Runs, f.of))
	}
	_, _ = fmt.Fprintf(table, "acked, not pushed\t%d\n", r.undelivered())
	failures := r.errors()
	for _, reason := range slices.Sorted(maps.Keys(failures)) {
		_, _ = fmt.Fprintf(table, "errors: %s\t%d\n", reason, failures[reason])
	}
	if len(failures) == 0 {
		_, _ = fmt.Fprint(table, "errors\t0\n")
	}
	return table.Flush()
}

// WriteJSON prints all runs, and the medians by name.
func (r *C2CReport) WriteJSON(w io.Writer) error {
	medians := map[string]float64{}
	for _, f := range c2cFigures() {
		if m := median(each(r.Runs, f.of)); m != 0 {
			medians[f.key] = m
		}
	}
	return writeJSON(w, struct {
		*C2CReport
		Median      map[string]float64 `json:"median"`
		Undelivered int64              `json:"acked_not_pushed"`
		Errors      map[string]int64   `json:"errors"`
	}{r, medians, r.undelivered(), r.errors()})
}

func writeJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}
