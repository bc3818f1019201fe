package live

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// backlog is what was pushed into a room not long ago, the oldest first. Of the newest messages it has the text, for who comes
// late; of those before it knows only what names them. It is in memory alone, on the nodes that heard of the messages.
type backlog struct {
	messages []heard
	bytes    int  // of the texts
	gathered bool // other nodes were asked for what this one has not heard
}

// heard is a message that was pushed.
type heard struct {
	Number     int64        `json:"n"`
	From       im.AccountID `json:"f"`
	Random     int64        `json:"r"`
	Time       int64        `json:"t"` // unix seconds
	ClientTime int64        `json:"c"`
	Text       wire.Raw     `json:"x,omitempty"` // as clients read it; nil of one that is too old for the backlog
}

const (
	// backlogFor is how long a message is known after it was pushed.
	backlogFor = 24 * time.Hour
	// backlogMost is how many messages a room's backlog has at most.
	backlogMost = 50
	// namedMost is how many messages a room knows by name, so that they can be recalled: those of two minutes at the usual rate.
	namedMost = 4800
	// backlogBytes bounds the texts of all rooms of a node. A room that would go beyond it lets go of its own oldest.
	backlogBytes = 64 << 20
)

// retain takes messages that were pushed, of which it may have some; most is how many of the texts are kept. The room's mutex is held.
func (l *Rooms) retain(r *room, most int, pushed ...heard) {
	b := &r.backlog
	before := b.bytes
	for _, one := range pushed {
		if !b.has(one.Number) {
			b.bytes += len(one.Text)
			b.messages = append(b.messages, one)
		}
	}
	b.shorten(l.clock.Now(), most)
	for all := l.kept.Add(int64(b.bytes - before)); all > backlogBytes && b.bytes > 0; {
		freed := b.dropText()
		all = l.kept.Add(int64(-freed))
	}
}

// has reports whether a message is there. It looks from the newest on, where a message that comes twice stands.
func (b *backlog) has(number int64) bool { return b.find(number) != nil }

func (b *backlog) find(number int64) *heard {
	for i := len(b.messages) - 1; i >= 0; i-- {
		if b.messages[i].Number == number {
			return &b.messages[i]
		}
	}
	return nil
}

// shorten lets go of what is too old or too much.
func (b *backlog) shorten(now time.Time, most int) {
	old := 0
	for old < len(b.messages) && (len(b.messages)-old > namedMost || b.messages[old].tooOld(now)) {
		b.bytes -= len(b.messages[old].Text)
		old++
	}
	if old > 0 {
		b.messages = append(b.messages[:0], b.messages[old:]...)
	}
	for i := len(b.messages) - most - 1; i >= 0 && b.messages[i].Text != nil; i-- {
		b.dropTextOf(i)
	}
}

func (b *backlog) dropTextOf(i int) (bytes int) {
	bytes = len(b.messages[i].Text)
	b.messages[i].Text = nil
	b.bytes -= bytes
	return bytes
}

func (h *heard) tooOld(now time.Time) bool { return now.Sub(time.Unix(h.Time, 0)) > backlogFor }

// dropText lets go of the oldest text, and gives its bytes.
func (b *backlog) dropText() int {
	for i := range b.messages {
		if b.messages[i].Text != nil {
			return b.dropTextOf(i)
		}
	}
	return 0
}

// newest are the texts for who comes now, the oldest first.
func (b *backlog) newest(now time.Time, most int) []wire.Raw {
	texts := []wire.Raw{}
	for i := max(0, len(b.messages)-most); i < len(b.messages); i++ {
		if one := &b.messages[i]; one.Text != nil && !one.tooOld(now) {
			texts = append(texts, one.Text)
		}
	}
	return texts
}

// merge takes what other nodes heard in between; the room's mutex is held.
func (l *Rooms) merge(r *room, most int, others []heard) {
	l.retain(r, namedMost, others...)
	slices.SortStableFunc(r.backlog.messages, func(x, y heard) int {
		return cmp.Or(cmp.Compare(x.Time, y.Time), cmp.Compare(x.Number, y.Number))
	})
	freed := 0
	for i := range max(0, len(r.backlog.messages)-most) { // texts of both nodes stand between each other
		freed += r.backlog.dropTextOf(i)
	}
	l.kept.Add(int64(-freed))
}

// forget takes all out that a room keeps; the room's mutex is held.
func (l *Rooms) forget(r *room) {
	l.kept.Add(int64(-r.backlog.bytes))
	r.backlog = backlog{}
}

// heardOf is a message as it is kept.
func heardOf(s *spoken) heard {
	m := &s.draft.Message
	return heard{
		Number: m.Sequence, From: m.From, Random: m.Random, Time: m.Time, ClientTime: m.ClientTime, Text: s.wire,
	}
}

// pushedFrame is what a node reads of a push.
type pushedFrame struct {
	Body struct {
		Events []pushedEvent `json:"EventArray"`
	} `json:"body"`
}

type pushedEvent struct {
	Number   int        `json:"Event"`
	Messages []wire.Raw `json:"GroupMsgArray"`
	Tips     []wire.Raw `json:"GroupTips"`
}

// pushedMessage is what it reads of a message.
type pushedMessage struct {
	TinyID     string `json:"TinyId"`
	Sequence   int64  `json:"MsgSeq"`
	Random     int64  `json:"MsgRandom"`
	Time       int64  `json:"MsgTimeStamp"`
	ClientTime int64  `json:"MsgClientTime"`
}

// Heard is told of what is pushed into a live room that sessions of this node have joined. What this node said itself it knows.
func (l *Rooms) Heard(subject bus.Subject, push []byte) {
	r := l.find(subject.ID)
	if r == nil || l.alone && !r.hasGuests() {
		return
	}
	var frame pushedFrame
	if wire.Unmarshal(push, &frame) != nil {
		return
	}
	var p pushedNews
	for i := range frame.Body.Events {
		p.add(&frame.Body.Events[i])
	}
	l.take(r, &p)
}

// pushedNews is what a push says.
type pushedNews struct {
	messages []heard    // for who comes late
	recalled []int64    // the numbers of messages
	texts    []wire.Raw // of all, for guests
}

func (p *pushedNews) add(e *pushedEvent) {
	for _, text := range e.Messages {
		text = slices.Clone(text)
		p.texts = append(p.texts, text)
		if e.Number == eventMessage {
			p.messages = append(p.messages, readHeard(text)...)
		}
	}
	for _, text := range e.Tips {
		var tip pushedTip
		if wire.Unmarshal(text, &tip) != nil {
			continue
		}
		recalled, polled := tip.recall()
		p.recalled = append(p.recalled, recalled...)
		switch {
		case polled != nil:
			text = polled
		case tip.Event == 0: // who asks reads the number there
			text = wire.Join(fmt.Appendf(nil, `{"Event":%d}`, e.Number), text)
		}
		p.texts = append(p.texts, slices.Clone(text))
	}
}

func (r *room) hasGuests() bool {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.guests != nil
}

// take notes what was pushed.
func (l *Rooms) take(r *room, p *pushedNews) {
	r.mutex.Lock()
	if !r.ended && len(p.messages) > 0 {
		l.retain(r, r.late(), p.messages...)
	}
	l.unsay(r, p.recalled)
	tell := r.guests != nil && len(p.texts) > 0
	if tell {
		r.recent.add(p.texts...)
	}
	r.mutex.Unlock()
	if tell {
		l.polls.due(r)
	}
}

// readHeard reads a message that another node pushed; nothing, if it is none.
func readHeard(text wire.Raw) []heard {
	var m pushedMessage
	if wire.Unmarshal(text, &m) != nil || m.Sequence == 0 {
		return nil
	}
	from, err := strconv.ParseInt(m.TinyID, 10, 64)
	if err != nil {
		return nil
	}
	return []heard{{
		Number: m.Sequence, From: im.AccountID(from), Random: m.Random, Time: m.Time, ClientTime: m.ClientTime,
		Text: text,
	}}
}
