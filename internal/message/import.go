package message

import (
	"context"

	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/chat/element"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/send"
	"github.com/magpie-im/magpie/internal/wire"
)

type importRequest struct {
	Mode      *int     `json:"SyncFromOldSystem"`
	From      string   `json:"From_Account"`
	To        string   `json:"To_Account"`
	Seq       *uint32  `json:"MsgSeq"`
	Random    *uint32  `json:"MsgRandom"`
	Time      *int64   `json:"MsgTimeStamp"`
	Body      wire.Raw `json:"MsgBody"`
	CloudData string   `json:"CloudCustomData"`
}

// The values of SyncFromOldSystem.
const (
	importLiveOld = 1 // counted as unread and pushed, as the documentation said until 2023
	importHistory = 2 // neither counted nor pushed
	importLive    = 5 // as importLiveOld
)

func (m *Messages) importCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "importmsg", By: command.Administrator, Family: im.FamilyMessage(),
		Fields: messageFields(), Codes: sendCodes(),
		Doc: "import one historical message", Section: "rest.md#importmsg",
	}, m.importOne)
}

// importOne stores a message under the time it has from elsewhere. A message with the same sequence, random and time is
// in the conversation already, whoever sent it and whatever it says. The back end is neither asked nor told.
func (m *Messages) importOne(ctx context.Context, call *command.Call, r *importRequest) (*command.None, error) {
	if err := r.check(m.db.Now().Unix()); err != nil {
		return nil, err
	}
	sender, receiver, err := m.parties(ctx, call.App, r.From, r.To)
	if err != nil {
		return nil, err
	}
	body, err := element.Parse(r.Body, send.MaxBytes(call.App)-len(r.CloudData))
	if err != nil {
		return nil, err
	}
	d, err := NewDraft(sender, receiver, body.JSON())
	if err != nil {
		return nil, err
	}
	if r.Seq != nil {
		d.Seq = int64(*r.Seq)
	}
	d.Random, d.CloudData = int64(*r.Random), wire.Text(r.CloudData)
	d.Imported, d.EitherSide = true, true
	d.KeyTime, d.ClientTime, d.SentAt = *r.Time, *r.Time, *r.Time
	if *r.Mode == importHistory {
		d.Flags, d.Lifetime = chat.NoUnread, 0
	}
	d.Unpushed = *r.Mode == importHistory
	if err := call.Store(1, d.BytesToStore()); err != nil {
		return nil, err
	}
	return nil, send.Wait(ctx, func(ended func(error)) { m.line.SubmitUnasked(ctx, call, d, ended) })
}

// clocksApart is how many seconds a back end's clock may be ahead of this server's.
const clocksApart = 60

// check refuses a time in the future, as one in milliseconds is: such a message would stand behind all that come.
func (r *importRequest) check(now int64) error {
	switch {
	case r.Mode == nil || (*r.Mode != importLiveOld && *r.Mode != importHistory && *r.Mode != importLive):
		return im.Errorf(im.CodeImportMode, "SyncFromOldSystem: want 2 for history, 1 or 5 for live messages")
	case r.From == "":
		return im.Errorf(im.CodeMessageSender, "From_Account is missing")
	case r.Random == nil:
		return im.Errorf(im.CodeMessageRandom, "MsgRandom is missing")
	case r.Time == nil || *r.Time <= 0:
		return im.Errorf(im.CodeMessageTime, "MsgTimeStamp is missing: want unix seconds")
	case *r.Time > now+clocksApart:
		return im.Errorf(im.CodeMessageTime, "MsgTimeStamp %d lies in the future: want unix seconds, and it is %d now", *r.Time, now)
	}
	return nil
}
