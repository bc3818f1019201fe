package window

import "time"

// Reason says why a message was dropped.
type Reason uint8

// The reasons.
const (
	// OverRate is of a message for which the rate had no room.
	OverRate Reason = iota
	// Crowded is of one that came when as many waited as could be pushed in a second.
	Crowded
	// Ended is of one that waited when its room was destroyed.
	Ended
	reasons = 3
)

// Reasons lists all of them.
func Reasons() []Reason { return []Reason{OverRate, Crowded, Ended} }

// String is the reason's name in metrics.
func (r Reason) String() string { return [...]string{"rate", "crowded", "ended"}[min(r, Ended)] }

// Sums counts the messages of one priority. What was received and is neither pushed nor dropped waits.
type Sums struct {
	Received, Pushed uint64
	Dropped          [reasons]uint64
	// Given counts messages for each session that they were given to, and Skipped for each that has skipped them, as it had fallen
	// behind. What was given and is skipped after all is taken back, so Given of one second may be below zero.
	Given, Skipped int64
}

// Drops is how many were dropped for any reason.
func (s Sums) Drops() uint64 {
	all := uint64(0)
	for _, n := range s.Dropped {
		all += n
	}
	return all
}

// Add counts others' too.
func (s *Sums) Add(o Sums) {
	s.Received, s.Pushed = s.Received+o.Received, s.Pushed+o.Pushed
	s.Given, s.Skipped = s.Given+o.Given, s.Skipped+o.Skipped
	for i, n := range o.Dropped {
		s.Dropped[i] += n
	}
}

// Account is the sums of each priority.
type Account [priorities]Sums

// Of is the sums of a priority.
func (a *Account) Of(p Priority) *Sums { return &a[p] }

// Add counts others' too.
func (a *Account) Add(o Account) {
	for i := range o {
		a[i].Add(o[i])
	}
}

// All is the sums of all priorities together.
func (a Account) All() Sums {
	var all Sums
	for i := range a {
		all.Add(a[i])
	}
	return all
}

// LedgerSeconds is how many of the last seconds a ledger knows one by one.
const LedgerSeconds = 180

// Second is what happened in one second; At is its unix second.
type Second struct {
	At int64
	Account
}

// Ledger counts what became of a room's messages, in total and for each of the last seconds in which there were any. The zero
// Ledger is empty.
type Ledger struct {
	total   Account
	seconds []Second // the oldest first
}

// Total is what happened since the ledger was begun.
func (l *Ledger) Total() Account { return l.total }

// Since is what happened from a unix second on, by seconds, the oldest first; of the last three minutes at most.
func (l *Ledger) Since(from int64) []Second {
	for i := range l.seconds {
		if l.seconds[i].At >= from {
			return append([]Second(nil), l.seconds[i:]...)
		}
	}
	return nil
}

func (l *Ledger) receive(p Priority, at time.Time) {
	l.total[p].Received++
	l.second(at)[p].Received++
}

func (l *Ledger) push(p Priority, at time.Time) {
	l.total[p].Pushed++
	l.second(at)[p].Pushed++
}

func (l *Ledger) drop(p Priority, why Reason, at time.Time) {
	l.total[p].Dropped[why]++
	l.second(at)[p].Dropped[why]++
}

// Walk counts that messages of a priority were given to sessions, and skipped by others: each message as often as that.
func (l *Ledger) Walk(p Priority, given, skipped int64, at time.Time) {
	for _, to := range []*Sums{&l.total[p], &l.second(at)[p]} {
		to.Given += given
		to.Skipped += skipped
	}
}

// Resume has an empty ledger go on where another one of the same room has ended.
func (l *Ledger) Resume(total Account) { l.total.Add(total) }

// second is the account of a second. One that the clock was set back to counts as the newest.
func (l *Ledger) second(at time.Time) *Account {
	unix, n := at.Unix(), len(l.seconds)
	if n > 0 && unix <= l.seconds[n-1].At {
		return &l.seconds[n-1].Account
	}
	old := 0
	for old < n && (l.seconds[old].At <= unix-LedgerSeconds || n-old >= LedgerSeconds) {
		old++
	}
	l.seconds = append(append(l.seconds[:0], l.seconds[old:]...), Second{At: unix})
	return &l.seconds[len(l.seconds)-1].Account
}
