package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"text/tabwriter"
)

// C2CReport is what `magpie bench c2c` found.
type C2CReport struct {
	Store       string   `json:"store"`
	Connections int      `json:"connections"`
	Chats       int      `json:"chats"`
	Rate        float64  `json:"rate"`
	InFlight    int      `json:"in_flight"`
	Rates       []int    `json:"rates"`
	Size        int      `json:"size"`
	Seconds     float64  `json:"seconds"`
	Runs        []C2CRun `json:"runs"`

	flags map[string]any
}

// figure is a number that every run has, and of which the report gives the median. Zero is one that was not measured.
type figure struct {
	key, name, unit string
	better          Better
	of              func(*C2CRun) float64
}

func (r *C2CReport) rates() []figure {
	all := []figure{
		{"fsync_ms", "fsync of 4 KiB, median", "ms", "", func(r *C2CRun) float64 { return r.FsyncMS }},
		{"raw_per_second", "raw group commits", "/s", More, func(r *C2CRun) float64 { return r.RawPerSecond }},
		{"raw_alone_ms", "raw commit, alone, median", "ms", Less, func(r *C2CRun) float64 { return r.RawAloneMS }},
		{"acked_per_second", "acked sends", "/s", More, func(r *C2CRun) float64 { return r.Main.AckedPerSecond }},
		{"delivered_per_second", "deliveries", "/s", More, func(r *C2CRun) float64 { return r.Main.DeliveredPerSecond }},
	}
	all = append(all, usageFigures()...)
	all = append(all, []figure{
		{"told_acked_per_second", "with callbacks: acked sends", "/s", More, func(r *C2CRun) float64 { return r.told().AckedPerSecond }},
		{"told_per_second", "with callbacks: callbacks", "/s", More, func(r *C2CRun) float64 { return r.ToldPerSecond }},
		{"told_after_seconds", "with callbacks: the last one late by", "s", Less, func(r *C2CRun) float64 { return r.ToldAfterSeconds }},
		{"told_cpu_ms", "with callbacks: server CPU per acked", "ms", Less, func(r *C2CRun) float64 { return r.told().Used.ProcessorMS }},
		{"fresh_per_second", "without repeats: acked sends", "/s", More, func(r *C2CRun) float64 { return meanRate(r.repeated().Without) }},
		{"beside_repeats_per_second", "with repeats: acked sends", "/s", More, func(r *C2CRun) float64 { return meanRate(r.repeated().With) }},
		{"repeats_per_second", "with repeats: acked repeats", "/s", "", func(r *C2CRun) float64 { return r.repeated().RepeatsPerSecond }},
		{"repeats_failed", "with repeats: failed repeats", "", Less, func(r *C2CRun) float64 { return float64(r.repeated().RepeatsFailed) }},
		{"without_flood_p95_ms", "without a flood: ack p95", "ms", Less, func(r *C2CRun) float64 { return meanP95(r.flooded().Without) }},
		{"beside_flood_p95_ms", "beside a flood: ack p95", "ms", Less, func(r *C2CRun) float64 { return meanP95(r.flooded().With) }},
		{"flood_acked_per_second", "the flood: acked", "/s", "", func(r *C2CRun) float64 { return r.flooded().AckedPerSecond }},
		{"flood_refused_per_second", "the flood: refused", "/s", "", func(r *C2CRun) float64 { return r.flooded().RefusedPerSecond }},
		{"others_cpu", "processors used by others", "", "", func(r *C2CRun) float64 { return r.OthersCPU }},
	}...)
	for _, rate := range r.Rates {
		all = append(all, rateFigures(rate)...)
	}
	return all
}

// ratios are what promises are made of. They relate figures of one run, so a slow or busy machine matters less to them.
func (r *C2CReport) ratios() []figure {
	all := []figure{
		{"end_to_end_to_raw", "acked sends ÷ raw group commits", "", More, func(r *C2CRun) float64 {
			if r.Main.Rate > 0 {
				return 0 // a timetable says nothing of what could be done
			}
			return ratio(r.Main.AckedPerSecond, r.RawPerSecond)
		}},
		{"told_to_main", "acked sends with callbacks ÷ without", "", More, func(r *C2CRun) float64 {
			return ratio(r.told().AckedPerSecond, r.Main.AckedPerSecond)
		}},
		{"beside_repeats_to_fresh", "acked sends with repeats ÷ without", "", More, func(r *C2CRun) float64 {
			return ratio(meanRate(r.repeated().With), meanRate(r.repeated().Without))
		}},
		{"flood_p95_ratio", "ack p95 beside a flood ÷ without", "", Less, func(r *C2CRun) float64 {
			return ratio(meanP95(r.flooded().With), meanP95(r.flooded().Without))
		}},
		{"alone_p50_to_fsync", "alone: ack p50 ÷ fsync", "", Less, func(r *C2CRun) float64 { return ratio(r.alone().P50, r.FsyncMS) }},
	}
	for _, rate := range r.Rates {
		all = append(all, rateRatios(rate)...)
	}
	return all
}

// latency is a row of percentiles.
type latency struct {
	key, name string
	better    Better
	of        func(*C2CRun) *Latency
}

func (r *C2CReport) latencies() []latency {
	all := []latency{
		{"ack", "ack", Less, func(r *C2CRun) *Latency { return &r.Main.Ack }},
		{"delivery", "delivery", Less, func(r *C2CRun) *Latency { return &r.Main.Delivery }},
		{"late", "sent late by", "", func(r *C2CRun) *Latency { return &r.Main.Late }},
		{"told_ack", "with callbacks: ack", Less, func(r *C2CRun) *Latency { return &r.told().Ack }},
		{"alone_ack", "alone: ack", Less, (*C2CRun).alone},
	}
	for _, rate := range r.Rates {
		all = append(all, rateLatencies(rate)...)
	}
	return all
}

// percentiles are the columns of a row, each of them a figure. The longest of all is chance, so neither direction of it is
// the good one.
func (l latency) percentiles() []figure {
	one := func(key, name string, better Better, of func(*Latency) float64) figure {
		return figure{l.key + key, name, "ms", better, func(r *C2CRun) float64 {
			if found := l.of(r); found != nil {
				return of(found)
			}
			return math.NaN()
		}}
	}
	return []figure{
		one("_p50_ms", "p50", l.better, func(l *Latency) float64 { return l.P50 }),
		one("_p90_ms", "p90", l.better, func(l *Latency) float64 { return l.P90 }),
		one("_p99_ms", "p99", l.better, func(l *Latency) float64 { return l.P99 }),
		one("_p99_9_ms", "p99.9", l.better, func(l *Latency) float64 { return l.P999 }),
		one("_max_ms", "max", "", func(l *Latency) float64 { return l.Max }),
	}
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

// phases are those of the run that were measured.
func (r *C2CRun) phases() []*Phase {
	all := []*Phase{&r.Main, r.told()}
	for i := range r.Fixed {
		if p := r.Fixed[i].Phase; p != nil {
			all = append(all, p)
		}
	}
	for _, phases := range [][]Phase{r.repeated().Without, r.repeated().With, r.flooded().Without, r.flooded().With} {
		for i := range phases {
			all = append(all, &phases[i])
		}
	}
	return all
}

// failed counts the failures of all phases.
func (r *C2CRun) failed() float64 {
	var n int64
	for _, p := range r.phases() {
		for _, times := range p.Errors {
			n += times
		}
	}
	return float64(n)
}

// undelivered counts acked messages whose push had not come two seconds after the phase.
func (r *C2CRun) undelivered() float64 {
	var n int64
	for _, p := range r.phases() {
		n += max(p.Acked-p.Delivered, 0)
	}
	return float64(n)
}

// errors sums the failures of all phases of all runs up.
func (r *C2CReport) errors() map[string]int64 {
	all := map[string]int64{}
	for i := range r.Runs {
		for _, p := range r.Runs[i].phases() {
			for reason, n := range p.Errors {
				all[reason] += n
			}
		}
	}
	return all
}

// undelivered is that of all runs.
func (r *C2CReport) undelivered() int64 {
	var n float64
	for i := range r.Runs {
		n += r.Runs[i].undelivered()
	}
	return int64(n)
}

// disordered counts, in all phases, what was delivered after a later message of the same sender.
func (r *C2CRun) disordered() float64 {
	var n int64
	for _, p := range r.phases() {
		n += p.Disordered
	}
	return float64(n)
}

// Write prints the report for people: medians and, of several runs, the range of rates and ratios.
func (r *C2CReport) Write(w io.Writer) error {
	loop := fmt.Sprintf("closed loop of %d in flight each", r.InFlight)
	if r.Rate > 0 {
		loop = fmt.Sprintf("open loop at %.0f/s", r.Rate)
	}
	_, _ = fmt.Fprintf(w, "c2c: %d connections, %d chats, %s, bodies of %d bytes, %g s × %d, %s\n\n",
		r.Connections, r.Chats, loop, r.Size, r.Seconds, len(r.Runs), r.Store)
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
	for _, f := range r.rates() {
		writeFigure(w, f.name, f.unit, each(r.Runs, f.of))
	}
	r.writeUnreached(w)
	_, _ = fmt.Fprintf(w, "acked, not pushed\t%d\n", r.undelivered())
	_, _ = fmt.Fprintf(w, "pushed after a later one\t%.0f\n", sum(each(r.Runs, (*C2CRun).disordered)))
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
	for _, l := range r.latencies() {
		percentiles := l.percentiles()
		if longest := percentiles[len(percentiles)-1]; median(each(r.Runs, longest.of)) == 0 {
			continue
		}
		_, _ = fmt.Fprint(w, l.name)
		for _, f := range percentiles {
			_, _ = fmt.Fprint(w, "\t"+short(median(each(r.Runs, f.of))))
		}
		_, _ = fmt.Fprintln(w)
	}
}

func (r *C2CReport) writeRatios(w io.Writer) {
	for _, f := range r.ratios() {
		writeFigure(w, f.name, f.unit, each(r.Runs, f.of))
	}
}

// WriteJSON prints all runs, and the medians by name.
func (r *C2CReport) WriteJSON(w io.Writer) error {
	figures := append(r.rates(), r.ratios()...)
	for _, l := range r.latencies() {
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
		Disordered  float64            `json:"pushed_after_later"`
		Errors      map[string]int64   `json:"errors"`
	}{r, medians, r.undelivered(), sum(each(r.Runs, (*C2CRun).disordered)), r.errors()})
}

// Result is the report as it is kept. What was not measured is left out of it; faults are counted also when there are none.
func (r *C2CReport) Result() *Result {
	figures := append(r.rates(), r.ratios()...)
	for _, l := range r.latencies() {
		for _, f := range l.percentiles() {
			f.name = l.name + " " + f.name
			figures = append(figures, f)
		}
	}
	kept := make([]Figure, 0, len(figures)+3)
	for _, f := range figures {
		if rounds := each(r.Runs, f.of); median(rounds) != 0 {
			kept = append(kept, newFigure(f.key, f.name, f.unit, f.better, rounds...))
		}
	}
	kept = append(kept,
		newFigure("pushed_after_later", "pushed after a later one", "", Less, each(r.Runs, (*C2CRun).disordered)...),
		newFigure("acked_not_pushed", "acked, not pushed", "", Less, each(r.Runs, (*C2CRun).undelivered)...),
		newFigure("errors", "errors", "", Less, each(r.Runs, (*C2CRun).failed)...))
	return newResult("c2c", r.Store, r.flags, kept)
}

func writeJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}
