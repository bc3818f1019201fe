package bench

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/magpie-im/magpie/client"
)

// GroupTally counts what became of groups. All but the first three must be zero.
type GroupTally struct {
	// Joined and Left are acknowledged acts of members, or of the back end.
	Joined int `json:"members_joined"`
	Left   int `json:"members_left"`
	// Unpushed were not pushed to a member who was there all the time; where there is a bus that is cut, that is no fault: pushes
	// are hints.
	Unpushed int `json:"unpushed"`

	// Misplaced were acknowledged, or pushed, with another sequence than the history has, or were pushed after a later message of
	// their sender.
	Misplaced int `json:"misplaced"`
	// AfterLeaving were said after a member had left, and pushed to him.
	AfterLeaving int `json:"after_leaving"`
	// Differing are histories of members that are not the owner's, from the place on from which each may read.
	Differing int `json:"histories_differ"`
	// Unsettled are members that have left, or strangers that have joined, against what was acknowledged.
	Unsettled int `json:"membership_undone"`
}

func (g *GroupTally) faults() int { return g.Misplaced + g.AfterLeaving + g.Differing + g.Unsettled }

// groupLine is a message of a group's history.
type groupLine struct {
	sequence int64
	line
	tip bool
}

// leavingGrace is for how long a bus that is cut may keep from a node that somebody left.
const leavingGrace = 5 * time.Second

// checkGroups reads the history of every group by every member, one in five also at the REST door, and holds it against what was
// said, pushed and acknowledged.
func (t *torture) checkGroups(ctx context.Context) error {
	const sample = 5
	t.report.Joined, t.report.Left = int(t.joined.Load()), int(t.left.Load())
	for i, g := range t.groups {
		if t.ended(g.members[0].user) {
			continue
		}
		lines, err := readGroup(ctx, t.crowd.clients[g.members[0].user], g.id)
		if err != nil {
			return fmt.Errorf("read the history of %s: %w", g.id, err)
		}
		t.checkSaid(g, lines)
		for _, m := range g.members {
			t.checkPushes(m, lines)
			if t.ended(m.user) {
				continue
			}
			if err := t.checkMember(ctx, m, lines); err != nil {
				return err
			}
		}
		if i%sample == 0 {
			if err := t.checkGroupDoor(ctx, g, lines); err != nil {
				return err
			}
		}
	}
	return nil
}

// readGroup reads a group's whole history as a member, oldest first.
func readGroup(ctx context.Context, c *client.Client, group string) ([]groupLine, error) {
	const page = 100
	var lines []groupLine
	for m, err := range c.GroupMessages(ctx, group, client.GroupQuery{Limit: page}) {
		if err != nil {
			return nil, err
		}
		lines = append(lines, groupLine{m.Sequence, line{m.From, m.Text(), m.Recalled}, m.Tip != nil})
	}
	slices.Reverse(lines)
	return lines, nil
}

// checkSaid holds what members have said against the history.
func (t *torture) checkSaid(g *groupBook, lines []groupLine) {
	var sequences []int64
	plain := make([]line, 0, len(lines))
	for _, l := range lines {
		sequences = append(sequences, l.sequence)
		if !l.tip {
			plain = append(plain, l.line)
		}
	}
	t.report.groupSequences(g.id, sequences)
	for _, m := range g.members {
		t.checkAcked(m, lines)
		var numbers []int
		for _, l := range plain {
			if l.from == m.from {
				numbers = append(numbers, m.number(l.text))
			}
		}
		t.report.count(m.book)
		t.report.history(m.book, numbers)
		t.report.callbacks(m.book)
		t.report.checkChanges(m.book, plain)
	}
}

// checkAcked checks that each message stands where its sender was told.
func (t *torture) checkAcked(m *memberBook, lines []groupLine) {
	for number, sent := range m.sent {
		if sent.Sequence == 0 {
			continue
		}
		if from, found := m.group.at(lines, sent.Sequence); from != m || found != number {
			t.report.find(&t.report.Misplaced, "%s: message %d of %s was acknowledged as sequence %d, where the history has another",
				m.to, number, m.from, sent.Sequence)
		}
	}
}

// groupSequences checks that a history goes on by one from the first message.
func (t *Tally) groupSequences(group string, found []int64) {
	for i, sequence := range found {
		if want := int64(i + 1); sequence != want {
			t.find(&t.SequenceBroken, "%s: the history has sequence %d where %d should be", group, sequence, want)
			return
		}
	}
}

// at finds who said what stands at a sequence.
func (g *groupBook) at(lines []groupLine, sequence int64) (from *memberBook, number int) {
	if sequence < 1 || sequence > int64(len(lines)) {
		return nil, 0
	}
	l := lines[sequence-1]
	for _, m := range g.members {
		if m.from == l.from && !l.tip {
			return m, m.number(l.text)
		}
	}
	return nil, 0
}

// checkPushes checks what one member was pushed: what he said, in which order, what came after he had left, and what did not come.
func (t *torture) checkPushes(m *memberBook, lines []groupLine) {
	r, got, last := t.report, map[int64]int{}, map[*memberBook]int{}
	var late []int64
	for _, p := range m.pushes {
		got[p.sequence]++
		if got[p.sequence] > 1 {
			r.find(&r.DeliveredTwice, "%s: %s was pushed message %d %d times", m.to, m.from, p.sequence, got[p.sequence])
		}
		if from, number := m.group.at(lines, p.sequence); from != p.from || number != p.number {
			r.find(&r.Misplaced, "%s: %s was pushed message %d of %s as sequence %d, where the history has another", m.to, m.from, p.number, p.from.from, p.sequence)
		}
		if p.number < last[p.from] && t.Bus == "" {
			r.find(&r.Misplaced, "%s: %s was pushed message %d of %s after %d", m.to, m.from, p.number, p.from.from, last[p.from])
		}
		last[p.from] = max(last[p.from], p.number)
		if m.hadLeft(p.from.said[p.number].begun, p.at, t.leavingGrace()) {
			late = append(late, p.sequence)
		}
	}
	for _, text := range m.strays {
		r.find(&r.Phantom, "%s: %s was pushed a message that nobody has said: %.80q", m.to, m.from, text)
	}
	r.findMany(&r.AfterLeaving, len(late), "%s: %s was pushed %d messages that were said after he had left, %v among them", m.to, m.from, len(late), firstOf(late))
	t.checkUnpushed(m, lines, got)
}

func firstOf(sequences []int64) int64 {
	if len(sequences) == 0 {
		return 0
	}
	return sequences[0]
}

func (t *torture) leavingGrace() time.Duration {
	if t.Bus == "" {
		return 0
	}
	return leavingGrace
}

// hadLeft reports whether the member was out of the group, for longer than the grace, when a message was begun, and until it was
// pushed to him.
func (m *memberBook) hadLeft(begun, pushed time.Time, grace time.Duration) bool {
	out := time.Unix(0, 0) // before he has ever joined
	for _, s := range m.stays {
		if covers(out, s.asked, begun, pushed) {
			return true
		}
		if out = s.out; !out.IsZero() {
			out = out.Add(grace)
		}
	}
	return covers(out, time.Time{}, begun, pushed)
}

// checkUnpushed looks for messages that were not pushed to a member who was in the group, on one connection, from before they were
// begun until well after they were acknowledged.
func (t *torture) checkUnpushed(m *memberBook, lines []groupLine, got map[int64]int) {
	const before, after = time.Second, 2 * time.Second
	var missed []string
	for _, l := range lines {
		from, number := m.group.at(lines, l.sequence)
		if from == nil || from == m || number == 0 || got[l.sequence] > 0 {
			continue
		}
		said := from.said[number]
		if said.acked.IsZero() || !m.stayed(said.begun.Add(-before), said.acked.Add(after)) ||
			!t.crowd.links[m.user].span(said.begun.Add(-before), said.acked.Add(after)) {
			continue
		}
		missed = append(missed, fmt.Sprint(l.sequence))
	}
	t.report.Unpushed += len(missed)
	if t.Bus == "" {
		t.report.findMany(&t.report.Undelivered, len(missed), "%s: %s was there and was not pushed %s", m.to, m.from, strings.Join(missed, ", "))
	}
}

// stayed reports whether the member was in the group all the time.
func (m *memberBook) stayed(from, to time.Time) bool {
	return slices.ContainsFunc(m.stays, func(s stay) bool { return covers(s.in, s.leaving, from, to) })
}

// checkMember reads the history as one member, who must find the owner's from some place on, or nothing if he has left.
func (t *torture) checkMember(ctx context.Context, m *memberBook, lines []groupLine) error {
	is, err := mover{torture: t}.isMember(ctx, m)
	if err != nil {
		return fmt.Errorf("look for %s in %s: %w", m.from, m.to, err)
	}
	r := t.report
	if should := m.is(); is != should && !m.unknown() {
		r.find(&r.Unsettled, "%s: %s is a member: %v; acknowledged was %v", m.to, m.from, is, should)
	}
	own, err := readGroup(ctx, t.crowd.clients[m.user], m.to)
	if !is {
		if err == nil {
			r.find(&r.Differing, "%s: %s reads %d messages though he has left", m.to, m.from, len(own))
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the history of %s as %s: %w", m.to, m.from, err)
	}
	if fault := m.readsWrongly(own, lines); fault != "" {
		r.find(&r.Differing, "%s: %s reads %d of %d messages: %s", m.to, m.from, len(own), len(lines), fault)
	}
	return nil
}

// unknown reports whether nobody knows how the member's last act ended.
func (m *memberBook) unknown() bool {
	last := len(m.stays) - 1
	return last >= 0 && (m.stays[last].in.IsZero() || !m.stays[last].leaving.IsZero() && m.stays[last].out.IsZero())
}

// readsWrongly says what is wrong with what a member reads of the group, if anything is.
func (m *memberBook) readsWrongly(own, lines []groupLine) string {
	first := len(lines) - len(own)
	switch {
	case first < 0 || !slices.Equal(own, lines[first:]):
		return "they are not the last ones that the owner reads"
	case m.group.whole && first > 0:
		return "he may read all of them"
	case m.group.whole || len(m.stays) == 0:
		return ""
	}
	s := m.stays[len(m.stays)-1]
	for i, l := range lines {
		from, number := m.group.at(lines, l.sequence)
		if from == nil || number == 0 {
			continue
		}
		said := from.said[number]
		if i < first && !s.in.IsZero() && said.begun.After(s.in) {
			return fmt.Sprintf("message %d was said after he had joined", l.sequence)
		}
		if i >= first && !said.acked.IsZero() && said.acked.Before(s.asked) {
			return fmt.Sprintf("message %d was said before he joined", l.sequence)
		}
	}
	return ""
}
