package bench

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

// figure is a number that every run has, and of which the report gives the median. Zero is one that was not measured.
type figure struct {
	key, name, unit string
	of              func(*C2CRun) float64
}

func rates() []figure {
	return []figure{
		{"fsync_ms", "fsync of 4 KiB, median", "ms", func(r *C2CRun) float64 { return r.FsyncMS }},
		{"raw_per_second", "raw group commits", "/s", func(r *C2CRun) float64 { return r.RawPerSecond }},
		{"raw_alone_ms", "raw commit, alone, median", "ms", func(r *C2CRun) float64 { return r.RawAloneMS }},
		{"acked_per_second", "acked sends", "/s", func(r *C2CRun) float64 { return r.Main.AckedPerSecond }},
		{"delivered_per_second", "deliveries", "/s", func(r *C2CRun) float64 { return r.Main.DeliveredPerSecond }},
		{"told_acked_per_second", "with callbacks: acked sends", "/s", func(r *C2CRun) float64 { return r.told().AckedPerSecond }},
		{"told_per_second", "with callbacks: callbacks", "/s", func(r *C2CRun) float64 { return r.ToldPerSecond }},
		{"told_after_seconds", "with callbacks: the last one late by", "s", func(r *C2CRun) float64 { return r.ToldAfterSeconds }},
		{"half_per_second", "half load: acked sends", "/s", func(r *C2CRun) float64 { return r.half().AckedPerSecond }},
		{"others_cpu", "processors used by others", "", func(r *C2CRun) float64 { return r.OthersCPU }},
		{"half_others_cpu", "half load: used by others", "", func(r *C2CRun) float64 { return r.half().OthersCPU }},
	}
}

// ratios are what promises are made of. They relate figures of one run, so a slow or busy machine matters less to them.
func ratios() []figure {
	return []figure{
		{"end_to_end_to_raw", "acked sends ÷ raw group commits", "", func(r *C2CRun) float64 {
			if r.Main.Rate > 0 {
				return 0 // a timetable says nothing of what could be done
			}
			return ratio(r.Main.AckedPerSecond, r.RawPerSecond)
		}},
		{"told_to_main", "acked sends with callbacks ÷ without", "", func(r *C2CRun) float64 {
			return ratio(r.told().AckedPerSecond, r.Main.AckedPerSecond)
		}},
		{"half_p99_to_fsync", "half load: ack p99 ÷ fsync", "", func(r *C2CRun) float64 { return ratio(r.half().Ack.P99, r.FsyncMS) }},
		{"alone_p50_to_fsync", "alone: ack p50 ÷ fsync", "", func(r *C2CRun) float64 { return ratio(r.alone().P50, r.FsyncMS) }},
	}
}

// latency is a row of percentiles.
type latency struct {
	key, name string
	of        func(*C2CRun) *Latency
}

func latencies() []latency {
	return []latency{
		{"ack", "ack", func(r *C2CRun) *Latency { return &r.Main.Ack }},
		{"delivery", "delivery", func(r *C2CRun) *Latency { return &r.Main.Delivery }},
		{"late", "sent late by", func(r *C2CRun) *Latency { return &r.Main.Late }},
		{"told_ack", "with callbacks: ack", func(r *C2CRun) *Latency { return &r.told().Ack }},
		{"half_ack", "half load: ack", func(r *C2CRun) *Latency { return &r.half().Ack }},
		{"half_delivery", "half load: delivery", func(r *C2CRun) *Latency { return &r.half().Delivery }},
		{"half_late", "half load: sent late by", func(r *C2CRun) *Latency { return &r.half().Late }},
		{"alone_ack", "alone: ack", (*C2CRun).alone},
	}
}

// percentiles are the columns of a row, each of them a figure.
func (l latency) percentiles() []figure {
	return []figure{
		{l.key + "_p50_ms", "p50", "ms", func(r *C2CRun) float64 { return l.of(r).P50 }},
		{l.key + "_p90_ms", "p90", "ms", func(r *C2CRun) float64 { return l.of(r).P90 }},
		{l.key + "_p99_ms", "p99", "ms", func(r *C2CRun) float64 { return l.of(r).P99 }},
		{l.key + "_p99_9_ms", "p99.9", "ms", func(r *C2CRun) float64 { return l.of(r).P999 }},
		{l.key + "_max_ms", "max", "ms", func(r *C2CRun) float64 { return l.of(r).Max }},
	}
}

func (r *C2CRun) half() *Phase {
	if r.Half == nil {
		return &Phase{}
	}
	return r.Half
}

func (r *C2CRun) told() *Phase {
	if r.Told == nil {
		return &Phase{}
	}
	return r.Told
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
		for _, p := range []*Phase{&r.Runs[i].Main, r.Runs[i].told(), r.Runs[i].half()} {
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
		for _, p := range []*Phase{&r.Runs[i].Main, r.Runs[i].told(), r.Runs[i].half()} {
			n += max(p.Acked-p.Delivered, 0)
		}
	}
	return n
}

// Write prints the report for people: medians and, of several runs, the range of rates and ratios.
func (r *C2CReport) Write(w io.Writer) error {
	loop := "closed loop"
	if r.Rate > 0 {
		loop = fmt.Sprintf("open loop at %.0f/s", r.Rate)
	}
	_, _ = fmt.Fprintf(w, "c2c: %d connections, %s, bodies of %d bytes, %.0f s × %d, %s\n\n",
		r.Connections, loop, r.Size, r.Seconds, len(r.Runs), r.Store)
	for _, part := range []func(io.Writer){r.writeRates, r.writeLatencies, r.writeRatios} {
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		part(table)
		_, _ = fmt.Fprintln(table)
		if err := table.Flush(); err != nil {
			return err
		}
	}
	return nil
}

func (r *C2CReport) writeRates(w io.Writer) {
	for _, f := range rates() {
		writeFigure(w, f.name, f.unit, each(r.Runs, f.of))
	}
	_, _ = fmt.Fprintf(w, "acked, not pushed\t%d\n", r.undelivered())
	failures := r.errors()
	for _, reason := range slices.Sorted(maps.Keys(failures)) {
		_, _ = fmt.Fprintf(w, "errors: %s\t%d\n", reason, failures[reason])
	}
	if len(failures) == 0 {
		_, _ = fmt.Fprint(w, "errors\t0\n")
	}
}

func (r *C2CReport) writeLatencies(w io.Writer) {
	_, _ = fmt.Fprint(w, "ms\tp50\tp90\tp99\tp99.9\tmax\n")
	for _, l := range latencies() {
		if median(each(r.Runs, func(r *C2CRun) float64 { return l.of(r).Max })) == 0 {
			continue
		}
		_, _ = fmt.Fprint(w, l.name)
		for _, f := range l.percentiles() {
			_, _ = fmt.Fprint(w, "\t"+short(median(each(r.Runs, f.of))))
		}
		_, _ = fmt.Fprintln(w)
	}
}

func (r *C2CReport) writeRatios(w io.Writer) {
	for _, f := range ratios() {
		writeFigure(w, f.name, f.unit, each(r.Runs, f.of))
	}
}

// WriteJSON prints all runs, and the medians by name.
func (r *C2CReport) WriteJSON(w io.Writer) error {
	figures := append(rates(), ratios()...)
	for _, l := range latencies() {
		figures = append(figures, l.percentiles()...)
	}
	medians := map[string]float64{}
	for _, f := range figures {
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
