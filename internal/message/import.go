package message

import (
	"context"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/message/element"
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
		Service: service, Name: "importmsg", By: command.Administrator, Family: im.FamilyMessage(), Fields: messageFields(),
		Doc: "import one historical message", Section: "rest.md#importmsg",
	}, m.importOne)
}

// importOne stores a message under the time it has from elsewhere. A message with the same sequence, random and time is
// in the conversation already, whoever sent it and whatever it says.
func (m *Messages) importOne(ctx context.Context, call *command.Call, r *importRequest) (*command.None, error) {
	if r.Mode == nil || (*r.Mode != importLiveOld && *r.Mode != importHistory && *r.Mode != importLive) {
		return nil, im.Errorf(im.CodeImportMode, "SyncFromOldSystem: want 2 for history, 1 or 5 for live messages")
	}
	switch {
	case r.From == "":
		return nil, im.Errorf(im.CodeMessageSender, "From_Account is missing")
	case r.Random == nil:
		return nil, im.Errorf(im.CodeMessageRandom, "MsgRandom is missing")
	case r.Time == nil || *r.Time <= 0:
		return nil, im.Errorf(im.CodeMessageTime, "MsgTimeStamp is missing: want unix seconds")
	}
	sender, receiver, err := m.parties(ctx, call, r.From, r.To)
	if err != nil {
		return nil, err
	}
	body, err := element.Parse(r.Body, call.App.Settings.MessageBytes-len(r.CloudData))
	if err != nil {
		return nil, (&content{}).tooLong(call, err)
	}
	if r.Seq == nil {
		seq, err := drawSeq()
		if err != nil {
			return nil, err
		}
		r.Seq = &seq
	}
	e := &entry{
		app: call.App.ID, from: sender.ID, to: receiver.ID, seq: int64(*r.Seq), random: int64(*r.Random),
		keyTime: *r.Time, eitherSide: true, clientTime: *r.Time, sentAt: *r.Time, lifetime: im.MaxLifetimeSeconds,
		body: body.JSON(), cloudData: wire.Text(r.CloudData), nick: sender.Nick, faceURL: sender.FaceURL,
	}
	if *r.Mode == importHistory {
		e.flags, e.lifetime = NoUnread, 0
	}
	if err := m.store(ctx, e); err != nil {
		return nil, err
	}
	if *r.Mode != importHistory && m.mustPush(e) {
		m.pushNew(call, sender, receiver, e, reach{sender: true})
		m.flush(ctx)
	}
	return nil, nil
}
