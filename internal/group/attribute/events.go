package attribute

import (
	"math/rand/v2"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// What this room pushes (docs/protocol/wire.md#group-attributes). Clients tell the two apart by the body.
var (
	attributesChanged = event.Define[[]groupEvent[attributeBody]](eventPushed, "GroupTips")
	countersChanged   = event.Define[[]groupEvent[counterBody]](eventPushed, "GroupTips")
)

// eventPushed is the Event of what is in no history.
const eventPushed = 6

// Events lists what the room pushes.
func (a *Attributes) Events() []event.Declared {
	return []event.Declared{attributesChanged.Declaration(), countersChanged.Declaration()}
}

// system is the account in whose name the server speaks.
const system = "@TIM#SYSTEM"

// groupEvent is an event of a group with what has changed in its body.
type groupEvent[T any] struct {
	From     string    `json:"From_Account"`
	To       string    `json:"ToGroupId"`
	Group    string    `json:"GroupId"`
	Info     groupInfo `json:"GroupInfo"`
	Sequence int64     `json:"MsgSeq"`
	Random   int64     `json:"MsgRandom"`
	Time     int64     `json:"MsgTimeStamp"`
	Body     T         `json:"MsgBody"`
	Event    int       `json:"Event"`
}

type groupInfo struct {
	Group string `json:"GroupId"`
	Name  string `json:"GroupName"`
	Type  string `json:"GroupType"`
	From  string `json:"From_Account"`
}

// profileChange is the OpType of what is told as a change of the group's profile.
const profileChange = 6

type attributeBody struct {
	Kind     int    `json:"OpType"` // profileChange
	Operator string `json:"Operator_Account"`
	New      struct {
		Change attributeChange `json:"GroupAttrOption"`
	} `json:"MsgGroupNewInfo"`
}

type attributeChange struct {
	Option   option `json:"OpType"`
	Sequence int64  `json:"GroupAttrSeq"`
	// WithValues is 1: the event has all that has changed.
	WithValues int            `json:"PushChangedAttrValFlag"`
	All        []changedValue `json:"GroupAttrInfo"`
}

type changedValue struct {
	Key      string `json:"Key"`
	Value    string `json:"Val"`
	Sequence int64  `json:"SubKeySeq"`
}

type counterBody struct {
	Changes []counterChange `json:"GroupCounterInfo"`
}

type counterChange struct {
	Kind     int       `json:"Type"`
	Sequence int64     `json:"GroupCounterSeq"`
	Counters []counter `json:"GroupCounter"`
}

// What became of counters.
const (
	countersSet     = 0
	countersDeleted = 1
	countersMoved   = 2
)

func (c *counting) change() counterChange {
	changed := counterChange{Kind: countersMoved, Counters: c.now}
	if c.mode == modeSet {
		changed.Kind = countersSet
	}
	return changed
}

// eventOf makes an event of the group.
func eventOf[T any](h *group.Held, sequence int64, body T) groupEvent[T] {
	of := h.Group
	return groupEvent[T]{
		From: system, To: of.GroupID, Group: of.GroupID, Info: groupInfo{of.GroupID, of.Name, of.Type.String(), system},
		Sequence: sequence, Random: int64(rand.Uint32()), Time: h.Tx.Now().Unix(), Body: body, Event: eventPushed, //nolint:gosec // only to tell events apart
	}
}

// pushAttributes tells the members once the change is on disk, all but the device that made it, which has its reply.
func (a *Attributes) pushAttributes(call *command.Call, h *group.Held, w *writing) error {
	body := attributeBody{Kind: profileChange, Operator: call.UserID}
	body.New.Change = attributeChange{Option: w.option, Sequence: w.data.attributes, WithValues: 1, All: []changedValue{}}
	for _, one := range w.given {
		body.New.Change.All = append(body.New.Change.All, changedValue{one.Key, one.Value, w.data.attributes})
	}
	return a.push(h, h.Group.Audience().Except(call.Device), attributesChanged.Of([]groupEvent[attributeBody]{eventOf(h, w.data.attributes, body)}))
}

// pushCounters tells all members once the change is on disk: the device that made it waits for the event too.
func (a *Attributes) pushCounters(h *group.Held, changed counterChange) error {
	body := counterBody{[]counterChange{changed}}
	return a.push(h, h.Group.Audience(), countersChanged.Of([]groupEvent[counterBody]{eventOf(h, changed.Sequence, body)}))
}

// push publishes in the order of the commits: a client that finds a sequence left out reads all again.
func (a *Attributes) push(h *group.Held, to event.Audience, news event.Event) error {
	frame, err := a.router.Frame(news)
	if err != nil {
		return err
	}
	of := h.Group.ID
	h.Push(func() {
		if err := a.router.Send(to, frame); err != nil {
			a.log.Warn("push to a group", telemetry.FieldGroup, of, telemetry.FieldError, err)
		}
	})
	return nil
}
