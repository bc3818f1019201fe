package live

import (
	"context"
	"time"

	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
	"github.com/magpie-im/magpie/internal/webhook"
)

// A member whose last connection broke is offline while he may come back, and online when he does. The room's back end is told, for
// marks and the like are its matter; those inside are not.

var stateChanged = webhook.NewAfter[stateBody](webhook.Spec{
	Command: "Group.CallbackOnMemberStateChange", Doc: "connections of members of a live room broke, or they came back",
	Section: "webhooks.md#groupcallbackonmemberstatechange",
})

// Webhooks lists the callbacks that the room fires.
func (l *Rooms) Webhooks() []webhook.Declaration {
	return []webhook.Declaration{stateChanged.Declaration()}
}

type stateBody struct {
	Group     string        `json:"GroupId"`
	Type      string        `json:"Type"`
	Event     string        `json:"EventType"`
	Members   []stateMember `json:"MemberList"`
	EventTime int64         `json:"EventTime"` // unix milliseconds
}

type stateMember struct {
	Member string `json:"Member_Account"`
}

// state is that an account came or went.
type state struct {
	who    im.AccountID
	online bool
}

// event is the EventType of a state.
func (s state) event() string {
	if s.online {
		return "Online"
	}
	return "Offline"
}

// moved notes that an account's state changed; those above a bound are not told of. The room's mutex is held.
func (r *room) moved(one state) {
	if len(r.states) < arrivalsMost && stateChanged.Wanted(r.app) {
		r.states = append(r.states, one)
	}
}

// there reports whether a seat of the member has its connection.
func (m *member) there() bool {
	for _, one := range m.seats {
		if one.until.IsZero() {
			return true
		}
	}
	return false
}

// tellStates tells the back end who came and went since it was told last, in their order.
func (l *Rooms) tellStates() {
	for _, r := range l.all() {
		r.mutex.Lock()
		states := r.states
		r.states = nil
		r.mutex.Unlock()
		if len(states) > 0 {
			l.after <- func(ctx context.Context) {
				ctx, cancel := context.WithTimeout(ctx, fillWithin)
				defer cancel()
				if err := l.tellStatesOf(ctx, r, states, l.clock.Now()); err != nil {
					l.log.ErrorContext(ctx, "tell of members' states", telemetry.FieldGroup, r.id, telemetry.FieldError, err)
				}
			}
		}
	}
}

func (l *Rooms) tellStatesOf(ctx context.Context, r *room, states []state, now time.Time) error {
	ids := make([]im.AccountID, len(states))
	for i, one := range states {
		ids[i] = one.who
	}
	names, err := l.accounts.ByID(ctx, l.db, ids)
	if err != nil {
		return err
	}
	r.mutex.Lock()
	app, of := r.app, r.group
	r.mutex.Unlock()
	var callbacks []webhook.Callback
	for len(states) > 0 {
		body, n := stateBody{Group: of.GroupID, Type: of.Type.String(), Event: states[0].event(), EventTime: now.UnixMilli()}, 0
		for n < len(states) && states[n].online == states[0].online {
			body.Members = append(body.Members, stateMember{names[states[n].who].UserID})
			n++
		}
		states = states[n:]
		more, err := stateChanged.Prepare(&im.Actor{App: app, Door: im.DoorClient}, of.ID, func() (stateBody, error) { return body, nil })
		if err != nil {
			return err
		}
		callbacks = append(callbacks, more...)
	}
	return l.hooks.AddAlone(ctx, callbacks...)
}
