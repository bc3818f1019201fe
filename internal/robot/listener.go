package robot

import (
	"context"
	"strconv"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/groupmessage"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/message"
)

// accountListener is an account that a robot answers.
type accountListener struct {
	messages *message.Messages
	from, to account.Account
}

func (l *accountListener) name() string { return "c2c:" + l.to.UserID }

func (l *accountListener) send(ctx context.Context, call *command.Call, body []byte, as *opening) (string, error) {
	d, err := message.NewDraft(l.from, l.to, body)
	if err != nil {
		return "", err
	}
	d.ToSender = as.sync == message.SyncSender
	if as.sync == message.NoSenderCopy {
		d.Hidden = chat.FromSender
	}
	d.CloudData, d.Seq, d.Random = as.cloudData, orNumber(as.seq, d.Seq), orNumber(as.random, d.Random)
	if err := l.messages.Send(ctx, call, d); err != nil {
		return "", err
	}
	return message.Key(d.Message.Key()).String(), nil
}

// orNumber is the number that a back end gave, or the one that was drawn.
func orNumber(given *uint32, drawn int64) int64 {
	if given == nil {
		return drawn
	}
	return int64(*given)
}

func (l *accountListener) edit(ctx context.Context, _ *command.Call, g growth) (*grown, error) {
	key, err := message.ParseKey(g.key)
	if err != nil {
		return nil, im.Errorf(im.CodeGroupParameter, "%v", err)
	}
	done, err := l.messages.Edit(ctx, message.Edit{Sender: l.from, Receiver: l.to, Key: key, Change: g.change})
	if err != nil {
		return nil, err
	}
	return &grown{done.Version, func() { l.messages.Announce(done, 0) }}, nil
}

// groupListener is a group that a robot answers in.
type groupListener struct {
	groups  *groupmessage.GroupMessages
	from    account.Account
	groupID string
}

func (l *groupListener) name() string { return "group:" + l.groupID }

// send gives the message's sequence as its key.
func (l *groupListener) send(ctx context.Context, call *command.Call, body []byte, as *opening) (string, error) {
	said, err := l.groups.Say(ctx, call, groupmessage.Speech{
		GroupID: l.groupID, From: l.from, Body: body, CloudData: as.cloudData, Random: as.random,
	})
	if err != nil {
		return "", err
	}
	return strconv.FormatInt(said.Sequence, 10), nil
}

func (l *groupListener) edit(ctx context.Context, call *command.Call, g growth) (*grown, error) {
	sequence, err := strconv.ParseInt(g.key, 10, 64)
	if err != nil || sequence < 0 {
		return nil, im.Errorf(im.CodeGroupParameter, "MsgKey is %.40q: want the one that the first piece was answered with", g.key)
	}
	done, err := l.groups.Grow(ctx, call, groupmessage.Growth{
		GroupID: l.groupID, From: l.from, Sequence: sequence, Ends: g.ends, Change: g.change,
	})
	if err != nil {
		return nil, err
	}
	later := context.WithoutCancel(ctx) // the pacer may announce it when the call is over
	return &grown{done.Version, func() { l.groups.Announce(later, done) }}, nil
}
