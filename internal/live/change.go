package live

import (
	"context"
	"errors"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/groupmessage"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/live/window"
	"github.com/magpie-im/magpie/internal/wire"
)

// Beside tells of live rooms, and has another teller tell of all other groups.
func (l *Rooms) Beside(other group.Teller) group.Teller { return tellers{l, other} }

type tellers struct {
	live  *Rooms
	other group.Teller
}

// Tell implements [group.Teller].
func (t tellers) Tell(tx *db.Tx, h *group.Happening) (group.News, error) {
	if h.Group.Type.Yes("members.stored") {
		return t.other.Tell(tx, h)
	}
	return t.live.tell(tx, h)
}

// Flush implements [group.Teller].
func (t tellers) Flush() { t.other.Flush() }

// tell has whoever is inside hear of changes of the group, and of its end.
func (l *Rooms) tell(tx *db.Tx, h *group.Happening) (group.News, error) {
	happened := *h
	switch h.Kind {
	case group.HappenedProfile:
		if h.Tip == group.TipNone {
			return group.News{}, nil
		}
		return group.News{Then: func() { l.tellProfile(&happened) }}, nil
	case group.HappenedBanned:
		return group.News{Then: func() { l.tellBanned(&happened) }}, nil
	case group.HappenedDestroyed:
		number, err := lastNumber(tx, h.Group.ID)
		return group.News{Then: func() { l.tellDestroyed(&happened, number) }}, err
	default:
	}
	return group.News{}, nil
}

// profileBody is the body of a tip about the group's profile.
type profileBody struct {
	Kind     int                      `json:"OpType"`
	Operator string                   `json:"Operator_Account"`
	By       person                   `json:"MsgOperatorMemberExtraInfo"`
	New      *groupmessage.TipProfile `json:"MsgGroupNewInfo"`
}

// tellProfile pushes the tip about a change of the group's profile.
func (l *Rooms) tellProfile(h *group.Happening) {
	body := profileBody{Kind: tipProfile, Operator: h.By.UserID, By: personOf(&h.By), New: groupmessage.TipProfileOf(h.Changed)}
	if err := l.announce(h, eventTip, body, newTips, event.LiveRoom(h.Group.ID)); err != nil {
		l.warn(h.Group.ID, "tell of a live room's profile", err)
	}
}

// endedBody is the body of the news that the group was destroyed.
type endedBody struct {
	Kind     int    `json:"ReportType"`
	Operator string `json:"Operator_Account"`
}

// reportEnded is the ReportType of the end of a group.
const reportEnded = 5

// tellDestroyed pushes the news that the group was destroyed, which has the last number, and ends the room on all nodes.
func (l *Rooms) tellDestroyed(h *group.Happening, number int64) {
	id := h.Group.ID
	err := l.pushSaying(&saying{h, number, eventSystem, endedBody{reportEnded, h.By.UserID}}, notes, event.LiveRoom(id))
	if err = errors.Join(err, l.router.EmptyLive(id)); err != nil {
		l.warn(id, "tell of a live room's end", err)
	}
	l.end(id)
	l.publish(&presence{Node: l.node(), Ended: id})
}

// bannedBody is the body of the news for an account that it was banned.
type bannedBody struct {
	Kind     int    `json:"ReportType"`
	Operator string `json:"Operator_Account"`
	Seconds  int64  `json:"BanDuration"`
	Reason   string `json:"BanDescription"`
}

// reportBanned is the ReportType of a ban.
const reportBanned = 21

// tellBanned takes banned accounts out, tells them so, and whoever is inside.
func (l *Rooms) tellBanned(h *group.Happening) {
	id := h.Group.ID
	body := bannedBody{reportBanned, h.By.UserID, h.BanSeconds, h.Reason}
	tip := tipBody{Kind: tipBanned, Operator: h.By.UserID, By: personOf(&h.By)}
	var (
		all  []error
		gone []im.AccountID
	)
	for i := range h.Targets {
		gone = append(gone, h.Targets[i].ID)
		tip.Accounts, tip.Members = append(tip.Accounts, h.Targets[i].UserID), append(tip.Members, personOf(&h.Targets[i]))
		all = append(all, l.announce(h, eventSystem, body, notes, event.Devices(h.Targets[i].ID)))
	}
	l.expel(id, gone)
	l.publish(&presence{Node: l.node(), Expelled: &expelled{id, gone}})
	all = append(all, l.router.LeaveLive(id, gone...)) // a session that comes back just now looks at who is inside when it has joined
	if h.Tip == group.TipPushed {
		tip.Number = l.Online(id)
		tip.Online = onlineInfo{tip.Number, onlineExpires}
		all = append(all, l.announce(h, eventTip, tip, newTips, event.LiveRoom(id)))
	}
	if err := errors.Join(all...); err != nil {
		l.warn(id, "tell of a ban", err)
	}
}

// expel has accounts not be inside any more on this node.
func (l *Rooms) expel(id int64, accounts []im.AccountID) {
	r := l.find(id)
	if r == nil {
		return
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for _, who := range accounts {
		l.clear(r, who, func(seat) bool { return true })
	}
}

// announce pushes what the server says of a group to an audience, at once.
func (l *Rooms) announce(h *group.Happening, kind int, body any, as event.Kind[[]wire.Raw], to event.Audience) error {
	ctx, cancel := context.WithTimeout(context.Background(), fillWithin)
	defer cancel()
	number, err := l.number(ctx, l.open(nil, h.Group))
	if err != nil {
		return err
	}
	return l.pushSaying(&saying{h, number, kind, body}, as, to)
}

// saying is what the server says of what happened in a group.
type saying struct {
	happened *group.Happening
	number   int64
	kind     int
	body     any
}

func (l *Rooms) pushSaying(s *saying, as event.Kind[[]wire.Raw], to event.Audience) error {
	r := l.open(nil, s.happened.Group)
	r.mutex.Lock()
	e := r.system(s.kind, s.body, &s.happened.By)
	r.mutex.Unlock()
	now := l.clock.Now().Unix()
	e.Sequence, e.ClientSeq, e.Random, e.Time, e.ClientTime = s.number, s.number, s.number, now, now
	text, err := wire.Marshal(e)
	if err != nil {
		return err
	}
	return l.router.Push(to, as.Of([]wire.Raw{text}))
}

// end has nobody be inside of a room that is destroyed, and drops what waits.
func (l *Rooms) end(id int64) {
	r := l.find(id)
	if r == nil {
		return
	}
	r.mutex.Lock()
	r.ended = true
	dropped, rate := r.window.Empty(l.clock.Now()), r.rate()
	for who := range r.members {
		l.clear(r, who, func(seat) bool { return true })
	}
	r.states, r.newest, r.parted, r.news, r.waiting = nil, nil, nil, news{}, nil
	l.forget(r)
	r.mutex.Unlock()
	for _, a := range dropped {
		a.Value.drop(window.Ended, rate)
	}
}
