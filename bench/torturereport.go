package bench

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
)

// TortureReport is what `magpie torture` found.
type TortureReport struct {
	Store string `json:"store"`
	Nodes int    `json:"nodes"`
	Kills int    `json:"kills"`
	// Seed repeats what the run drew by chance.
	Seed uint64 `json:"seed"`
	// Cuts and Stalls are how often a node's line to the bus was cut, and held without a byte.
	Cuts        int `json:"bus_cuts"`
	Stalls      int `json:"bus_stalls"`
	Connections int `json:"connections"`
	Groups      int `json:"groups"`
	// ClockSteps is how often a server's clock was set.
	ClockSteps int     `json:"clock_steps"`
	Seconds    float64 `json:"seconds"`
	// Restart is how long it took from a server's start to its readiness, after a kill.
	Restart Latency `json:"restart"`
	// Reconnects and Resent sum up over the clients: logins after the first, and calls repeated after a reconnect.
	Reconnects int64 `json:"reconnects"`
	Resent     int64 `json:"resent"`
	// Errors counts sends, changes and acts that were answered with an error, by what was asked and code or reason. They are no fault by themselves.
	Errors map[string]int `json:"errors"`
	Tally
}

// Write prints the report for people.
func (r *TortureReport) Write(w io.Writer) error {
	_, _ = fmt.Fprintf(w, "torture: %s, %d nodes, %d kills, %d bus cuts, %d bus stalls in %.0f s, %d connections, seed %d\n",
		r.Store, r.Nodes, r.Kills, r.Cuts, r.Stalls, r.Seconds, r.Connections, r.Seed)
	return r.writeTable(w)
}

// WriteJSON prints the report for programs.
func (r *TortureReport) WriteJSON(w io.Writer) error { return writeJSON(w, r) }

func (r *TortureReport) writeTable(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(table, "sent, acked, unsure\t%d, %d, %d\n", r.Sent, r.Acked, r.Unsure)
	_, _ = fmt.Fprintf(table, "reconnects, sent again\t%d, %d\n", r.Reconnects, r.Resent)
	_, _ = fmt.Fprintf(table, "ready after a start\t%.0f ms, at most %.0f ms\n", r.Restart.P50, r.Restart.Max)
	_, _ = fmt.Fprintf(table, "recalled, edited, marked read\t%d, %d, %d\n", r.Recalled, r.Edited, r.Marked)
	_, _ = fmt.Fprintf(table, "acts of accounts, logins, settings changed\t%d, %d, %d\n", r.Acts, r.Logins, r.SettingsChanged)
	if r.Groups > 0 {
		_, _ = fmt.Fprintf(table, "groups, members joined, left\t%d, %d, %d\n", r.Groups, r.Joined, r.Left)
		_, _ = fmt.Fprintf(table, "not pushed to members who were there\t%d\n", r.Unpushed)
	}
	if r.ClockSteps > 0 {
		_, _ = fmt.Fprintf(table, "clocks set\t%d\n", r.ClockSteps)
	}
	_, _ = fmt.Fprintf(table, "back end told again\t%d\n", r.ToldAgain)
	_, _ = fmt.Fprintf(table, "delivered by a sync at the end\t%d\n", r.Late)
	for _, reason := range slices.Sorted(maps.Keys(r.Errors)) {
		_, _ = fmt.Fprintf(table, "not done: %s\t%d\n", reason, r.Errors[reason])
	}
	for _, row := range []struct {
		name  string
		count int
	}{
		{"acknowledged but missing", r.Missing}, {"duplicated", r.Duplicated}, {"reordered", r.Reordered},
		{"sequence broken", r.SequenceBroken}, {"undelivered", r.Undelivered}, {"delivered twice", r.DeliveredTwice},
		{"back end never told", r.Untold}, {"back end told out of order", r.ToldReordered}, {"phantoms", r.Phantom},
		{"doors disagree", r.Disagreements}, {"recalls undone", r.RecallsUndone}, {"edits lost", r.EditsLost},
		{"read marks gone back", r.MarksBack}, {"settings lost", r.SettingsLost}, {"served after their end", r.Served},
		{"returned after their end", r.Returned}, {"refused without an end", r.Refused}, {"not served", r.Unserved},
		{"in another place", r.Misplaced}, {"pushed after leaving", r.AfterLeaving}, {"members' histories differ", r.Differing},
		{"membership undone", r.Unsettled}, {"server crashes", r.Crashes}, {"clients that gave up", r.ClientsEnded},
	} {
		_, _ = fmt.Fprintf(table, "%s\t%d\n", row.name, row.count)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, finding := range r.Findings {
		_, _ = fmt.Fprintln(w, finding)
	}
	verdict := "clean"
	if !r.Clean() {
		verdict = fmt.Sprintf("NOT CLEAN: --seed %d repeats the draws", r.Seed)
	}
	_, err := fmt.Fprintln(w, verdict)
	return err
}
