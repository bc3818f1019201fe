package annotate

import (
	"context"

	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
)

const service = "openim_msg_ext_http_svc"

// Kind is what a kind of chat brings to the commands of its annotations. The room of the kind fills it in.
type Kind struct {
	// Prefix begins the names of the kind's commands.
	Prefix string
	// Section is the part of docs/protocol/wire.md that describes them.
	Section string
	// Codes are the codes of refusals that differ for the kind.
	Codes command.Codes
	// Open finds the chat that a request names, or refuses.
	Open func(ctx context.Context, by Caller, n *Naming) (Chat, error)
}

// Caller is who asks.
type Caller struct {
	*command.Call
	// As is the account for which it is asked; 0 is a back end that speaks for none and sees everything.
	As im.AccountID
	// Feature is what is asked for, as the table of group rules names it: "reaction".
	Feature string
}

// callerOf is who makes a call.
func callerOf(call *command.Call, feature string) Caller {
	if call.Admin() {
		return Caller{Call: call, Feature: feature}
	}
	return Caller{call, call.Account, feature}
}

// Naming is how requests of all kinds name a message, and several of one chat; each kind reads its own.
type Naming struct {
	From      string   `json:"From_Account"`
	To        string   `json:"To_Account"`
	Key       string   `json:"MsgKey"`
	Keys      []string `json:"MsgKeyList"`
	GroupID   string   `json:"GroupId"`
	TopicID   string   `json:"TopicId"`
	Sequence  int64    `json:"MsgSeq"`
	Sequences []int64  `json:"MsgSeqList"`
}

// one names the message of a request that is about one.
func (n *Naming) one() []Name { return []Name{{n.Key, n.Sequence}} }

// several names the messages of a request that is about several.
func (n *Naming) several() (names []Name) {
	for _, key := range n.Keys {
		names = append(names, Name{Key: key})
	}
	for _, sequence := range n.Sequences {
		names = append(names, Name{Sequence: sequence})
	}
	return names
}

// Name is a message's name in requests and replies: its key or its sequence, as the kind has it.
type Name struct {
	Key      string `json:"MsgKey,omitempty"`
	Sequence int64  `json:"MsgSeq,omitzero"`
}

// Chat is a chat in the eyes of a caller.
type Chat interface {
	// ID is the chat's number; 0 of one without messages.
	ID() int64
	// Find finds messages by their names, nil for each that there is not, that was recalled, or that the caller does not see. It
	// refuses a caller who may not ask, in a transaction as it is there.
	Find(ctx context.Context, from db.Source, names []Name) ([]*chat.Message, error)
	// Unknown refuses a message that Find does not find.
	Unknown(n Name) error
	// Told are whom a change of what is attached to a message is told.
	Told(ctx context.Context, m *chat.Message) ([]event.Audience, error)
	// TellExtensions stores the callback of what was attached to a message, in the transaction that does.
	TellExtensions(tx *db.Tx, m *chat.Message, change *ExtensionChange) error
	// Known is how clients know a message.
	Known(ctx context.Context, m *chat.Message) (Known, error)
}

// Known is a message as events name it; of each kind one of these is there.
type Known struct {
	OneToOne *KnownOneToOne
	Group    *KnownGroup
}

// KnownOneToOne is a one-to-one message. Clients find it by what its id is made of.
type KnownOneToOne struct {
	From string `json:"From_Account"`
	To   string `json:"To_Account"`
	MessageID
}

// KnownGroup is a message of a group.
type KnownGroup struct {
	Group string `json:"GroupId"`
	From  string `json:"From_Account"`
	MessageID
}

// MessageID is what clients make a message's id of, and its number.
type MessageID struct {
	TinyID     string `json:"TinyId"` // the sender's
	ClientTime int64  `json:"MsgClientTime"`
	Random     int64  `json:"MsgRandom"`
	Number     int64  `json:"MsgSeq"` // the sender's, or its sequence in a group
}

// find is Chat.Find of one message.
func find(ctx context.Context, from db.Source, at Chat, n *Naming) (*chat.Message, error) {
	found, err := at.Find(ctx, from, n.one())
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

// change runs a transaction that may refuse, which costs the writes that share its commit nothing.
func (a *Annotations) change(ctx context.Context, run func(tx *db.Tx) error) error {
	var refused error
	err := a.DB.Write(ctx, func(tx *db.Tx) error {
		refused = nil
		err := run(tx)
		if refusal, ok := im.Refusal(err); ok {
			refused = refusal
			return nil
		}
		return err
	})
	if err != nil {
		return err
	}
	return refused
}

// push tells audiences of something, of which one frame is made.
func (a *Annotations) push(of int64, news event.Event, to ...event.Audience) {
	frame, err := a.Router.Frame(news)
	for _, one := range to {
		if err == nil {
			err = a.Router.Send(one, frame)
		}
	}
	a.warn(of, err)
}

func (a *Annotations) warn(of int64, err error) {
	if err != nil {
		a.Log.Warn("push of annotations", telemetry.FieldChat, of, telemetry.FieldError, err)
	}
}
