package robot

import (
	"context"
	"errors"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/chat/element"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/message"
	"github.com/magpie-im/magpie/internal/send"
	"github.com/magpie-im/magpie/internal/wire"
)

// streamRequest is a piece of an answer. Without Key it begins a new message, otherwise it goes on with that one.
type streamRequest struct {
	From   string    `json:"From_Account"`
	To     string    `json:"To_Account"`
	Chunk  *chunk    `json:"Chunk"`
	Key    string    `json:"MsgKey"`
	Finish wire.Bool `json:"Finish"`
}

type streamReply struct {
	Key message.Key `json:"MsgKey"`
}

func (r *Robots) streamCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "send_stream_msg", By: command.Administrator, Family: family(),
		Codes: command.Codes{REST: map[im.Code]im.Code{im.CodeMessageTooLong: im.CodeBodyTooLong}},
		Doc:   "send a robot's answer piece by piece", Section: "rest.md#send_stream_msg",
	}, r.stream)
}

// stream answers when the piece is on disk, so the next one may go to any node, and a restart loses nothing of an
// answer. Readers are told of it at the pacer's pace.
func (r *Robots) stream(ctx context.Context, call *command.Call, q *streamRequest) (*streamReply, error) {
	if q.Chunk == nil {
		return nil, im.Errorf(im.CodeGroupParameter, "Chunk is missing")
	}
	from, to, err := r.parties(ctx, call, q)
	if err != nil {
		return nil, err
	}
	if q.Key == "" {
		return r.begin(ctx, call, q, from, to)
	}
	key, err := message.ParseKey(q.Key)
	if err != nil {
		return nil, im.Errorf(im.CodeGroupParameter, "%v", err)
	}
	return r.goOn(ctx, call, q, message.Edit{Sender: from, Receiver: to, Key: key})
}

func (r *Robots) parties(ctx context.Context, call *command.Call, q *streamRequest) (from, to account.Account, err error) {
	if !account.IsRobot(q.From) {
		return from, to, im.Errorf(im.CodeGroupParameter, "From_Account %.40q is not a robot's name", q.From)
	}
	if from, err = r.accounts.Find(ctx, call.App.ID, q.From); errors.Is(err, account.ErrUnknown) {
		return from, to, noRobot(q.From)
	} else if err != nil {
		return from, to, err
	}
	if to, err = r.accounts.Find(ctx, call.App.ID, q.To); errors.Is(err, account.ErrUnknown) {
		err = im.Errorf(im.CodeGroupParameter, "To_Account %.40q does not exist", q.To)
	}
	return from, to, err
}

// begin sends the answer's first piece as a message, in the normal form and within the bounds of every other.
func (r *Robots) begin(
	ctx context.Context, call *command.Call, q *streamRequest, from, to account.Account,
) (*streamReply, error) {
	raw, err := newAnswer(q.Chunk, q.Finish).body()
	if err != nil {
		return nil, err
	}
	parsed, err := element.Parse(raw, send.MaxBytes(call.App))
	if err != nil {
		return nil, err
	}
	d, err := message.NewDraft(from, to, parsed.JSON())
	if err != nil {
		return nil, err
	}
	d.ToSender = false // a robot has no devices
	if err := r.messages.Send(ctx, call, d); err != nil {
		return nil, err
	}
	id := streamID{from.ID, to.ID, message.Key(d.Message.Key())}
	if !q.Finish {
		r.pacer.begun(id)
	}
	return &streamReply{id.key}, nil
}

// goOn adds a piece to what is stored, whichever node stored it.
func (r *Robots) goOn(ctx context.Context, call *command.Call, q *streamRequest, e message.Edit) (*streamReply, error) {
	id := streamID{e.Sender.ID, e.Receiver.ID, e.Key}
	unseen := r.pacer.waiting(id)
	e.Change = func(old chat.Editable) (chat.Editable, error) {
		a, err := readAnswer(old.Body)
		if err != nil {
			return old, err
		}
		a.add(q.Chunk, q.Finish, unseen)
		if old.Body, err = a.body(); err != nil {
			return old, err
		}
		if size, most := len(old.Body)+len(old.CloudData), send.MaxBytes(call.App); size > most {
			return old, im.Errorf(im.CodeBodyTooLong, "the message would have %d bytes, at most %d: finish it and begin another",
				size, most)
		}
		return old, nil
	}
	done, err := r.messages.Edit(ctx, e)
	if err != nil {
		return nil, err
	}
	r.pacer.grown(id, done, bool(q.Finish))
	return &streamReply{e.Key}, nil
}
