package bench

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// GroupReport is what `magpie bench group` found. Phases of one list took turns with those of the others.
type GroupReport struct {
	Store       string  `json:"store"`
	Connections int     `json:"connections"`
	InFlight    int     `json:"in_flight"`
	Members     int     `json:"members"`
	Size        int     `json:"size"`
	Online      int     `json:"online"`
	Rate        float64 `json:"rate"`
	Seconds     float64 `json:"seconds"`
	// OneToOne are sends in pairs, Small into groups of five and Large into groups with Members members, by the same connections.
	OneToOne []Phase `json:"one_to_one"`
	Small    []Phase `json:"small"`
	Large    []Phase `json:"large"`
	// Fan are messages to one group with Online members there, Bare the same frames from a server that only broadcasts.
	Fan  []Phase `json:"fan,omitempty"`
	Bare []Phase `json:"bare,omitempty"`
	// OthersCPU is how many processors others kept busy in the whole round.
	OthersCPU float64 `json:"others_cpu,omitzero"`

	flags map[string]any
}

// meanOf is the mean of a figure over phases.
func meanOf(phases []Phase, of func(*Phase) float64) float64 {
	var sum float64
	for i := range phases {
		sum += of(&phases[i])
	}
	return ratio(sum, float64(len(phases)))
}

func processorOf(p *Phase) float64 { return p.Used.ProcessorMS }

// perDelivery is the server's processor time for each message that a member was given, in microseconds.
func perDelivery(p *Phase) float64 {
	return ratio(p.Used.ProcessorMS*1000*p.AckedPerSecond, p.DeliveredPerSecond)
}

// Write prints the report for people.
func (r *GroupReport) Write(w io.Writer) error {
	_, _ = fmt.Fprintf(w, "group: %d connections in groups of %d, closed loop of %d in flight each, bodies of %d bytes, %g s × %d, %s\n",
		r.Connections, smallGroup, r.InFlight, r.Size, r.Seconds, len(r.Small), r.Store)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range r.figures() {
		writeFigure(table, f.Name, f.Unit, f.Rounds)
	}
	_, _ = fmt.Fprintf(table, "acked, not pushed\t%.0f\n", r.unpushed())
	_, _ = fmt.Fprintf(table, "pushed after a later one\t%.0f\n", r.disordered())
	_, _ = fmt.Fprintf(table, "errors\t%.0f\n", r.failed())
	return table.Flush()
}

// WriteJSON prints the report for programs.
func (r *GroupReport) WriteJSON(w io.Writer) error { return writeJSON(w, r) }

// Result is the report as it is kept.
func (r *GroupReport) Result() *Result {
	return newResult("group", r.Store, r.flags, append(r.figures(),
		newFigure("acked_not_pushed", "acked, not pushed", "", Less, r.unpushed()),
		newFigure("pushed_after_later", "pushed after a later one", "", Less, r.disordered()),
		newFigure("errors", "errors", "", Less, r.failed())))
}

func (r *GroupReport) figures() []Figure {
	var all []Figure
	for _, kind := range []struct {
		key, name string
		phases    []Phase
	}{
		{"one", "one-to-one", r.OneToOne},
		{"small", fmt.Sprintf("groups of %d", smallGroup), r.Small},
		{"large", fmt.Sprintf("groups of %d", r.Members), r.Large},
	} {
		all = append(all,
			newFigure(kind.key+"_acked_per_second", kind.name+": acked sends", "/s", More, meanRate(kind.phases)),
			newFigure(kind.key+"_ack_p50_ms", kind.name+": ack p50", "ms", Less, meanOf(kind.phases, func(p *Phase) float64 { return p.Ack.P50 })),
			newFigure(kind.key+"_ack_p99_ms", kind.name+": ack p99", "ms", Less, meanOf(kind.phases, func(p *Phase) float64 { return p.Ack.P99 })),
			newFigure(kind.key+"_cpu_ms", kind.name+": server CPU per acked", "ms", Less, meanOf(kind.phases, processorOf)))
	}
	all = append(all,
		newFigure("large_to_small", "acked sends, large ÷ small", "", More, ratio(meanRate(r.Large), meanRate(r.Small))),
		newFigure("small_to_one", "acked sends, small ÷ one-to-one", "", More, ratio(meanRate(r.Small), meanRate(r.OneToOne))),
		newFigure("large_to_one", "acked sends, large ÷ one-to-one", "", More, ratio(meanRate(r.Large), meanRate(r.OneToOne))))
	if len(r.Fan) > 0 {
		all = append(all, r.fanFigures()...)
	}
	return append(all, newFigure("others_cpu", "processors used by others", "", "", r.OthersCPU))
}

func (r *GroupReport) fanFigures() []Figure {
	var all []Figure
	for _, one := range []struct {
		key, name string
		phases    []Phase
	}{
		{"fan", fmt.Sprintf("%d online, %g/s", r.Online, r.Rate), r.Fan},
		{"bare", "bare broadcast", r.Bare},
	} {
		for _, of := range []struct {
			key, name, unit string
			better          Better
			of              func(*Phase) float64
		}{
			{"_delivered_per_second", "deliveries", "/s", More, func(p *Phase) float64 { return p.DeliveredPerSecond }},
			{"_delivery_p50_ms", "delivery p50", "ms", Less, func(p *Phase) float64 { return p.Delivery.P50 }},
			{"_delivery_p99_ms", "delivery p99", "ms", Less, func(p *Phase) float64 { return p.Delivery.P99 }},
			{"_late_p99_ms", "sent late by p99", "ms", "", func(p *Phase) float64 { return p.Late.P99 }},
			{"_cpu_us", "server CPU per delivery", "µs", Less, perDelivery},
		} {
			all = append(all, newFigure(one.key+of.key, one.name+": "+of.name, of.unit, of.better, meanOf(one.phases, of.of)))
		}
	}
	bare := meanOf(r.Bare, perDelivery)
	return append(all, newFigure("fan_cpu_to_bare", "server CPU per delivery ÷ bare broadcast's", "", Less, ratio(meanOf(r.Fan, perDelivery), bare)))
}

// copiesOf lists the phases with the pushes that each message of theirs makes.
func (r *GroupReport) copiesOf() map[int64][]Phase {
	return map[int64][]Phase{
		1: r.OneToOne, smallGroup - 1: append(r.Small[:len(r.Small):len(r.Small)], r.Large...), int64(r.Online - 1): r.Fan,
	}
}

// unpushed counts pushes of acked messages that had not come two seconds after their phase.
func (r *GroupReport) unpushed() float64 {
	var n int64
	for copies, phases := range r.copiesOf() {
		for i := range phases {
			n += max(phases[i].Acked*copies-phases[i].Delivered, 0)
		}
	}
	return float64(n)
}

func (r *GroupReport) disordered() float64 {
	var n int64
	for _, phases := range r.copiesOf() {
		for i := range phases {
			n += phases[i].Disordered
		}
	}
	return float64(n)
}

// failed counts the failures of all phases, those of the bare server too, whose figures are then worth nothing.
func (r *GroupReport) failed() float64 {
	var n int64
	for _, phases := range [][]Phase{r.OneToOne, r.Small, r.Large, r.Fan, r.Bare} {
		for i := range phases {
			for _, times := range phases[i].Errors {
				n += times
			}
		}
	}
	return float64(n)
}
