package live

import (
	"context"
	"time"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
	"github.com/magpie-im/magpie/internal/wire"
)

// news is what a room has to tell beside what is said: who came and who left, and what changed of the group. Tips of many who come
// in one stretch are one, and when messages are dropped there are no tips at all.
type news struct {
	joined, left arrivals
	counted      bool // the number of those inside has changed since other nodes were told
	tipped       time.Time
	waits        bool // for numbers
}

// arrivals are accounts that came or left, and who asked first.
type arrivals struct {
	actor im.Actor
	who   []account.Account
}

const (
	// tipEvery is the shortest time between two tips about who came and left.
	tipEvery = time.Second
	// tipNames is how many accounts a tip names.
	tipNames = 20
	// arrivalsMost is how many accounts wait to be told of; those above it are told of in the counts alone.
	arrivalsMost = 2000
	// tipsMost is how many tips about who came and left there are at once.
	tipsMost = 2
)

func (a *arrivals) add(actor *im.Actor, who account.Account) {
	if len(a.who) == 0 {
		a.actor = *actor
	}
	if len(a.who) < arrivalsMost {
		a.who = append(a.who, who)
	}
}

func (n *news) empty() bool { return len(n.joined.who)+len(n.left.who) == 0 }

// due is when there is to be a tip; zero is never.
func (n *news) due(now time.Time) time.Time {
	switch at := n.tipped.Add(tipEvery); {
	case n.empty() || n.waits:
		return time.Time{}
	case at.Before(now):
		return now
	default:
		return at
	}
}

// note changes the news of a room and plans when they are told; of one that was destroyed they never are.
func (l *Rooms) note(r *room, change func(*news)) {
	r.mutex.Lock()
	change(&r.news)
	if r.ended {
		r.news = news{}
	}
	plan := l.plan(r, l.clock.Now())
	r.mutex.Unlock()
	plan()
}

// told is the news that a window's end tells.
type told struct {
	joined, left arrivals
	tips         []wire.Raw
	group        *group.Group
}

// takeNews takes the news out that are due; the caller holds the room's mutex. Under load the tips are left out.
func (l *Rooms) takeNews(r *room, now time.Time, loaded bool) told {
	t := told{group: r.group}
	if due := r.news.due(now); due.IsZero() || due.After(now) {
		return t
	}
	if r.numbers.left() < tipsMost {
		r.news.waits = true
		l.refill(r)
		return t
	}
	t.joined, t.left = r.news.joined, r.news.left
	r.news.joined, r.news.left = arrivals{}, arrivals{}
	var events []systemEvent
	if !loaded {
		r.news.tipped = now
		for _, tip := range []struct {
			kind int
			of   arrivals
		}{{tipJoined, t.joined}, {tipQuit, t.left}} {
			if len(tip.of.who) > 0 && r.group.Type.Rule(tipRules[tip.kind]) == string(group.TipPushed) {
				events = append(events, l.tip(r, tip.kind, tip.of))
			}
		}
	}
	for _, one := range events {
		if text := l.numbered(r, one, now); text != nil {
			t.tips = append(t.tips, text)
		}
	}
	return t
}

// tipRules are the rows of the table that say whether a type has a tip.
var tipRules = map[int]string{tipJoined: "tip.1.join.applied", tipQuit: "tip.2.quit"}

// tip is the tip about who came or left; the caller holds the room's mutex.
func (l *Rooms) tip(r *room, kind int, of arrivals) systemEvent {
	online := l.online(r.id, r.counted())
	body := tipBody{Kind: kind, Operator: of.who[0].UserID, Number: online, Online: onlineInfo{online, onlineExpires}}
	if kind == tipJoined {
		body.JoinType = applied
	}
	for _, one := range of.who[:min(len(of.who), tipNames)] {
		body.Accounts = append(body.Accounts, one.UserID)
		body.Members = append(body.Members, personOf(&one))
	}
	body.By = body.Members[0]
	return r.system(eventTip, body, &of.who[0])
}

// system begins what the server says of what somebody did; the caller holds the room's mutex.
func (r *room) system(kind int, body any, by *account.Account) systemEvent {
	of := r.group
	return systemEvent{
		From: system, To: of.GroupID, Group: of.GroupID,
		Info:   groupInfo{of.GroupID, of.Name, of.Type.String(), by.UserID, by.Nick, by.FaceURL},
		TinyID: systemTinyID, Body: body, Event: kind, System: true,
	}
}

// numbered gives what the server says its number, and encodes it; nil: it cannot be encoded. The room's mutex is held.
func (l *Rooms) numbered(r *room, e systemEvent, now time.Time) wire.Raw {
	number := r.numbers.draw()
	e.Sequence, e.ClientSeq, e.Random = number, number, number
	e.Time, e.ClientTime = now.Unix(), now.Unix()
	text, err := wire.Marshal(e)
	if err != nil {
		l.warn(r.id, "encode a tip", err)
		return nil
	}
	return text
}

// tellNews tells the back end of who came and who left.
func (l *Rooms) tellNews(r *room, t told) {
	for _, one := range []struct {
		of   arrivals
		tell func(context.Context, *im.Actor, *group.Group, []account.Account) error
	}{{t.joined, l.groups.TellEntered}, {t.left, l.groups.TellLeft}} {
		if len(one.of.who) == 0 {
			continue
		}
		l.after <- func(ctx context.Context) {
			if err := one.tell(ctx, &one.of.actor, t.group, one.of.who); err != nil {
				l.log.ErrorContext(ctx, "tell of who is inside", telemetry.FieldGroup, r.id, telemetry.FieldError, err)
			}
		}
	}
}
