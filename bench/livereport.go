package bench

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// LiveReport is what `magpie bench live` found. Phases of one list took turns with those of the others.
type LiveReport struct {
	Store   string  `json:"store"`
	Members int     `json:"members"`
	Rooms   int     `json:"rooms"`
	Servers int     `json:"servers"`
	Rate    float64 `json:"rate"` // of all priorities, to each room
	Seconds float64 `json:"seconds"`
	// Before is the servers with nobody inside, Joined with all members there, After at the end.
	Before Memory `json:"before"`
	Joined Memory `json:"joined"`
	After  Memory `json:"after"`
	// Live are phases in which all read, Slow those in which some did not, Bare the same frames from servers that only write.
	Live []LivePhase `json:"live"`
	Slow []LivePhase `json:"slow,omitempty"`
	Bare []LivePhase `json:"bare"`

	slow  int
	flags map[string]any
}

func (o *LiveOptions) report(s *stage) *LiveReport {
	r := &LiveReport{
		Store: o.store(), Members: o.Members, Rooms: o.Rooms, Servers: len(s.nodes), Seconds: o.Duration.Seconds(), slow: o.Slow,
	}
	for _, one := range o.Rates {
		r.Rate += one
	}
	r.flags = map[string]any{
		"members": o.Members, "rooms": o.Rooms, "high": o.Rates[0], "normal": o.Rates[1], "low": o.Rates[2], "lowest": o.Rates[3],
		"limit": o.Limit, "slow": o.Slow, "turns": o.Turns, "size": o.Size, "warmup": o.Warmup, "duration": o.Duration,
	}
	return r
}

func meanOfLive(phases []LivePhase, of func(*LivePhase) float64) float64 {
	var sum float64
	for i := range phases {
		sum += of(&phases[i])
	}
	return ratio(sum, float64(len(phases)))
}

// Write prints the report for people.
func (r *LiveReport) Write(w io.Writer) error {
	_, _ = fmt.Fprintf(w, "live: %d members in %d rooms, %g messages/s to each, %d servers, %g s × %d, %s\n",
		r.Members, r.Rooms, r.Rate, r.Servers, r.Seconds, len(r.Live), r.Store)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range r.figures() {
		writeFigure(table, f.Name, f.Unit, f.Rounds)
	}
	for _, f := range r.faults() {
		_, _ = fmt.Fprintf(table, "%s\t%.0f\n", f.Name, f.Median)
	}
	return table.Flush()
}

// WriteJSON prints the report for programs.
func (r *LiveReport) WriteJSON(w io.Writer) error { return writeJSON(w, r) }

// Result is the report as it is kept.
func (r *LiveReport) Result() *Result {
	return newResult("live", r.Store, r.flags, append(r.figures(), r.faults()...))
}

// liveFigure is one number of each phase.
type liveFigure struct {
	key, name, unit string
	better          Better
	of              func(*LivePhase) float64
}

func (r *LiveReport) figures() []Figure {
	all := figuresOf("live", "", r.Live, liveFigures())
	if len(r.Slow) > 0 {
		all = append(all, figuresOf("slow", fmt.Sprintf("%d do not read: ", r.slow), r.Slow, slowFigures())...)
		all = append(all, newFigure("slow_p99_to_live", "delivery p99 while some do not read ÷ without", "", Less,
			ratio(meanOfLive(r.Slow, deliveryP99), meanOfLive(r.Live, deliveryP99))))
	}
	all = append(all, figuresOf("bare", "bare walk: ", r.Bare, bareFigures())...)
	n := float64(r.Members)
	return append(all,
		newFigure("cpu_to_bare", "server CPU per delivery ÷ bare walk's", "", Less, ratio(meanOfLive(r.Live, serverUS), meanOfLive(r.Bare, serverUS))),
		newFigure("joined_kb", "resident per member inside", "KB", Less, (r.Joined.Resident-r.Before.Resident)/n),
		newFigure("after_kb", "the same at the end", "KB", Less, (r.After.Resident-r.Before.Resident)/n))
}

func figuresOf(key, name string, phases []LivePhase, list []liveFigure) []Figure {
	all := make([]Figure, 0, len(list))
	for _, f := range list {
		all = append(all, newFigure(key+"_"+f.key, name+f.name, f.unit, f.better, meanOfLive(phases, f.of)))
	}
	return all
}

func serverUS(p *LivePhase) float64 { return p.ServerUS }

// deliveryP99 is the p99 of the priority that has the longest one.
func deliveryP99(p *LivePhase) (most float64) {
	for _, one := range p.Delivery {
		most = max(most, one.P99)
	}
	return most
}

func liveFigures() []liveFigure {
	all := []liveFigure{
		{"delivered_per_second", "deliveries", "/s", More, func(p *LivePhase) float64 { return p.DeliveredPerSecond }},
		{"cpu_us", "server CPU per delivery", "µs", Less, serverUS},
		{"push_cpu_us", "server CPU per push to a member", "µs", Less, func(p *LivePhase) float64 { return p.PushUS }},
		{"per_push", "messages in a push", "", "", func(p *LivePhase) float64 { return p.PerPush }},
		{"push_bytes", "bytes of a push", "B", Less, func(p *LivePhase) float64 { return p.PushBytes }},
		{"members_cpu_us", "members' CPU per delivery", "µs", "", func(p *LivePhase) float64 { return p.MembersUS }},
	}
	all = append(all, latencyFigures()...)
	return append(all,
		liveFigure{"probe_p50_ms", "probe's round trip p50", "ms", Less, func(p *LivePhase) float64 { return p.Probe.P50 }},
		liveFigure{"probe_p99_ms", "probe's round trip p99", "ms", Less, func(p *LivePhase) float64 { return p.Probe.P99 }},
		liveFigure{"late_p99_ms", "sent late by p99", "ms", "", func(p *LivePhase) float64 { return p.Late.P99 }},
		liveFigure{"sockets_kb", "kernel memory of all sockets", "KB", Less, func(p *LivePhase) float64 { return p.SocketsKB }},
		liveFigure{"others_cpu", "processors used by others", "", "", func(p *LivePhase) float64 { return p.OthersCPU }})
}

func latencyFigures() (all []liveFigure) {
	for i, name := range priorityNames() {
		key := string(rune('0' + i))
		all = append(all,
			liveFigure{"p50_ms_" + key, name + ": delivery p50", "ms", Less, func(p *LivePhase) float64 { return p.Delivery[name].P50 }},
			liveFigure{"p99_ms_" + key, name + ": delivery p99", "ms", Less, func(p *LivePhase) float64 { return p.Delivery[name].P99 }})
	}
	return all
}

func slowFigures() []liveFigure {
	all := append(latencyFigures(),
		liveFigure{"cpu_us", "server CPU per delivery", "µs", Less, serverUS},
		liveFigure{"skipped", "pushes skipped", "", "", func(p *LivePhase) float64 { return float64(p.Skipped) }},
		liveFigure{"sockets_kb", "kernel memory of all sockets", "KB", Less, func(p *LivePhase) float64 { return p.SocketsKB }})
	return all
}

func bareFigures() []liveFigure {
	return []liveFigure{
		{"delivered_per_second", "deliveries", "/s", More, func(p *LivePhase) float64 { return p.DeliveredPerSecond }},
		{"cpu_us", "server CPU per delivery", "µs", Less, serverUS},
		{"push_cpu_us", "server CPU per push to a member", "µs", Less, func(p *LivePhase) float64 { return p.PushUS }},
	}
}

// faults are counts of what the run has in all, most of which are to be zero.
func (r *LiveReport) faults() []Figure {
	count := func(of func(*LivePhase) int64, lists ...[]LivePhase) (n float64) {
		for _, phases := range lists {
			for i := range phases {
				n += float64(of(&phases[i]))
			}
		}
		return n
	}
	all := []Figure{
		newFigure("received", "messages received", "", "", count(func(p *LivePhase) int64 { return p.Received }, r.Live, r.Slow)),
		newFigure("pushed", "pushed", "", More, count(func(p *LivePhase) int64 { return p.Pushed }, r.Live, r.Slow)),
	}
	for _, why := range []string{"rate", "crowded", "ended"} {
		all = append(all, newFigure("dropped_"+why, "dropped: "+why, "", Less, count(func(p *LivePhase) int64 { return p.Dropped[why] }, r.Live, r.Slow)))
	}
	return append(all,
		newFigure("skipped", "pushes skipped while all read", "", Less, count(func(p *LivePhase) int64 { return p.Skipped }, r.Live)),
		newFigure("missing", "pushed, not delivered", "", Less, count(func(p *LivePhase) int64 { return p.Missing }, r.Live, r.Slow)),
		newFigure("disordered", "delivered twice or after a later one", "", Less, count(func(p *LivePhase) int64 { return p.Disordered }, r.Live, r.Slow, r.Bare)),
		newFigure("lost", "connections lost", "", Less, count(func(p *LivePhase) int64 { return p.Lost }, r.Live, r.Slow, r.Bare)),
		newFigure("errors", "errors", "", Less, count(func(p *LivePhase) int64 {
			var n int64
			for _, times := range p.Errors {
				n += times
			}
			return n
		}, r.Live, r.Slow, r.Bare)))
}
