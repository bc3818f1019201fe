package bench

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/magpie-im/magpie/client"
)

// Tally counts what a torture run found. All but the first group must be zero.
type Tally struct {
	// Sent messages were given to a client, Acked ones acknowledged by the server. Of the Unsure, the client was told
	// an error, or nothing: they may be stored or not, but not twice.
	Sent   int `json:"sent"`
	Acked  int `json:"acked"`
	Unsure int `json:"unsure"`
	// Late messages reached their receiver only when it asked for a sync. That is no fault: pushes are hints.
	Late int `json:"late"`

	// Missing were acknowledged and are not in the history.
	Missing int `json:"missing"`
	// Duplicated stand in the history more than once, counted once for each time too many.
	Duplicated int `json:"duplicated"`
	// Reordered stand in the history after a later message of the same sender.
	Reordered int `json:"reordered"`
	// SequenceBroken counts places in a chat's order where the sequence does not go on by one.
	SequenceBroken int `json:"sequence_broken"`
	// Undelivered were acknowledged and never reached their receiver, a sync at the end included.
	Undelivered int `json:"undelivered"`
	// DeliveredTwice were given to the receiver more than once, counted as Duplicated is.
	DeliveredTwice int `json:"delivered_twice"`
	// Phantom messages were never sent, or were delivered and are not in the history.
	Phantom int `json:"phantom"`
	// Untold were acknowledged, and the back end was never told; ToldReordered, it was told of a later message of the
	// same sender before. ToldAgain counts repeated callbacks, which are no fault.
	Untold        int `json:"untold"`
	ToldReordered int `json:"told_reordered"`
	ToldAgain     int `json:"told_again"`
	// Disagreements count histories that were another one when read at the other door.
	Disagreements int `json:"disagreements"`
	// Crashes are servers that ended without being killed, ClientsEnded clients that gave up.
	Crashes      int `json:"crashes"`
	ClientsEnded int `json:"clients_ended"`
	// SettingsLost are changes of settings that were acknowledged and are not in force, or were overwritten by another writer's.
	SettingsChanged int `json:"settings_changed"`
	SettingsLost    int `json:"settings_lost"`
	ChangeTally
	LoginTally
	GroupTally

	// Findings are the first faults, as sentences.
	Findings []string `json:"findings"`

	clocksDiffer bool // between nodes, whose clocks give callbacks of one chat their order
}

// Clean reports whether nothing went wrong.
func (t *Tally) Clean() bool {
	return t.Missing+t.Duplicated+t.Reordered+t.SequenceBroken+t.Undelivered+t.DeliveredTwice+t.Phantom+
		t.Untold+t.ToldReordered+t.Disagreements+t.Crashes+t.ClientsEnded+
		t.SettingsLost+t.ChangeTally.faults()+t.LoginTally.faults()+t.GroupTally.faults() == 0
}

// find notes one fault, counted in where.
func (t *Tally) find(where *int, format string, args ...any) {
	t.findMany(where, 1, format, args...)
}

// findMany notes n faults of one sort in one sentence.
func (t *Tally) findMany(where *int, n int, format string, args ...any) {
	const most = 20
	*where += n
	if n > 0 && len(t.Findings) < most {
		t.Findings = append(t.Findings, fmt.Sprintf(format, args...))
	}
}

// spans writes rising numbers as "3, 5 to 9".
func spans(numbers []int) string {
	var b strings.Builder
	for i := 0; i < len(numbers); {
		last := i
		for last+1 < len(numbers) && numbers[last+1] == numbers[last]+1 {
			last++
		}
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprint(&b, numbers[i])
		if last > i {
			fmt.Fprintf(&b, " to %d", numbers[last])
		}
		i = last + 1
	}
	return b.String()
}

// book is what is known of one sender's messages, which are numbered from 1.
type book struct {
	from, to string

	mutex    sync.Mutex
	outcomes []outcome // by number; the first is no message
	got      []int     // how often the receiver was given each
	strange  []string  // what the receiver was given beside
	told     []int     // how often the back end was told of each
	toldLast int       // the highest of which it was told
	toldLate []int     // of which it was told after a higher one
	away     absences  // the receiver's
	changes
}

// absences are the times in which a client had no login.
type absences struct {
	since   time.Time // of the one that lasts
	times   int
	longest time.Duration
}

// state follows the receiver's connection.
func (b *book) state(s client.State, at time.Time) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	switch a := &b.away; {
	case s == client.Disconnected && a.since.IsZero():
		a.since = at
		a.times++
	case s == client.Connected && !a.since.IsZero():
		a.longest = max(a.longest, at.Sub(a.since))
		a.since = time.Time{}
	}
}

func (a absences) text() string {
	if a.times == 0 {
		return "never away"
	}
	return fmt.Sprintf("away %d times, at most %d ms", a.times, a.longest.Milliseconds())
}

type outcome byte

const (
	unsure outcome = iota
	acked
	unsent
)

func newBook(from, to string) *book {
	return &book{from: from, to: to, outcomes: make([]outcome, 1), got: make([]int, 1), told: make([]int, 1)}
}

// next gives a message its number. Until it is settled its outcome is unsure.
func (b *book) next() int {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.outcomes, b.got, b.told = append(b.outcomes, unsure), append(b.got, 0), append(b.told, 0)
	return len(b.outcomes) - 1
}

func (b *book) settle(number int, o outcome) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.outcomes[number] = o
}

// deliver notes that the receiver was given a message; number is 0 for what is not a message of this book.
func (b *book) deliver(number int, text string) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if number < 1 || number >= len(b.got) {
		b.strange = append(b.strange, text)
		return
	}
	b.got[number]++
}

// tell notes that the back end was told of a message.
func (b *book) tell(number int, text string) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if number < 1 || number >= len(b.told) {
		b.strange = append(b.strange, text)
		return
	}
	b.told[number]++
	if b.told[number] == 1 && number < b.toldLast {
		b.toldLate = append(b.toldLate, number)
	}
	b.toldLast = max(b.toldLast, number)
}

// untold counts the acknowledged messages of which the back end has not been told.
func (b *book) untold() int {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	n := 0
	for number, o := range b.outcomes {
		if o == acked && b.told[number] == 0 {
			n++
		}
	}
	return n
}

// ackedCount counts the acknowledged messages, and those among them that the receiver has not been given.
func (b *book) ackedCount() (all, owed int) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	for number, o := range b.outcomes {
		if o != acked {
			continue
		}
		all++
		if b.got[number] == 0 && !b.mayBeRecalled(number) {
			owed++
		}
	}
	return all, owed
}

// count adds the book's totals.
func (t *Tally) count(b *book) {
	for _, o := range b.outcomes[1:] {
		switch o {
		case acked:
			t.Acked++
		case unsure:
			t.Unsure++
		case unsent:
			continue
		}
		t.Sent++
	}
}

// history checks the numbers of a sender's messages in the order of the history; a number of 0 is none of his.
func (t *Tally) history(b *book, numbers []int) {
	stored := make([]int, len(b.outcomes))
	highest := 0
	for _, number := range numbers {
		if number < 1 || number >= len(stored) {
			t.find(&t.Phantom, "%s to %s: the history has a message that was never sent", b.from, b.to)
			continue
		}
		stored[number]++
		switch {
		case stored[number] > 1:
			t.find(&t.Duplicated, "%s to %s: message %d is in the history %d times", b.from, b.to, number, stored[number])
		case number < highest:
			t.find(&t.Reordered, "%s to %s: message %d is in the history after %d", b.from, b.to, number, highest)
		}
		highest = max(highest, number)
	}
	var missing, phantom []int
	for number, o := range b.outcomes {
		if o == acked && stored[number] == 0 {
			missing = append(missing, number)
		}
		if b.got[number] > 0 && stored[number] == 0 {
			phantom = append(phantom, number)
		}
	}
	t.findMany(&t.Missing, len(missing), "%s to %s: message %s: acknowledged and not in the history", b.from, b.to, spans(missing))
	t.findMany(&t.Phantom, len(phantom), "%s to %s: message %s: delivered and not in the history", b.from, b.to, spans(phantom))
}

// deliveries checks what the receiver was given.
func (t *Tally) deliveries(b *book) {
	var undelivered []int
	for number, times := range b.got {
		if b.outcomes[number] == acked && times == 0 && !b.mayBeRecalled(number) {
			undelivered = append(undelivered, number)
		}
		for range times - 1 {
			t.find(&t.DeliveredTwice, "%s to %s: message %d was delivered %d times", b.from, b.to, number, times)
		}
	}
	t.findMany(&t.Undelivered, len(undelivered), "%s to %s: message %s of %d: acknowledged and never delivered; the receiver was %s",
		b.from, b.to, spans(undelivered), len(b.got)-1, b.away.text())
	for _, text := range b.strange {
		t.find(&t.Phantom, "%s was given a message that %s never sent: %.80q", b.to, b.from, text)
	}
}

// callbacks checks what the back end was told.
func (t *Tally) callbacks(b *book) {
	var untold []int
	for number, times := range b.told {
		if b.outcomes[number] == acked && times == 0 {
			untold = append(untold, number)
		}
		t.ToldAgain += max(times-1, 0)
	}
	t.findMany(&t.Untold, len(untold), "%s to %s: message %s: acknowledged, and the back end was never told", b.from, b.to, spans(untold))
	if t.clocksDiffer {
		return
	}
	t.findMany(&t.ToldReordered, len(b.toldLate), "%s to %s: message %s: the back end was told of a later one first", b.from, b.to, spans(b.toldLate))
}

// sequences checks a chat's sequences in the order of its history, and the counter that allocates them.
func (t *Tally) sequences(chat, last int64, found []int64) {
	before := int64(0)
	for _, sequence := range found {
		if sequence != before+1 {
			t.find(&t.SequenceBroken, "chat %d: sequence %d follows %d", chat, sequence, before)
		}
		before = sequence
	}
	if last != before {
		t.find(&t.SequenceBroken, "chat %d: the counter stands at %d and the last message is %d", chat, last, before)
	}
}
