package robot

import (
	"context"
	"errors"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/chat/element"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/send"
	"github.com/magpie-im/magpie/internal/wire"
)

// streamRequest is a piece of an answer, to an account or, as our own, to a group. Without Key it begins a new message, otherwise it
// goes on with that one.
type streamRequest struct {
	From   string    `json:"From_Account"`
	To     string    `json:"To_Account"`
	Group  string    `json:"GroupId"`
	Chunk  *chunk    `json:"Chunk"`
	Key    string    `json:"MsgKey"`
	Finish wire.Bool `json:"Finish"`
}

type streamReply struct {
	Key string `json:"MsgKey"`
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
	switch {
	case q.Chunk == nil:
		return nil, im.Errorf(im.CodeGroupParameter, "Chunk is missing")
	case q.Group != "" && q.To != "":
		return nil, im.Errorf(im.CodeGroupParameter, "To_Account and GroupId: an answer is for one of them")
	case !account.IsRobot(q.From):
		return nil, im.Errorf(im.CodeGroupParameter, "From_Account %.40q is not a robot's name", q.From)
	}
	from, err := r.accounts.Find(ctx, call.App.ID, q.From)
	if errors.Is(err, account.ErrUnknown) {
		return nil, noRobot(q.From)
	}
	if err != nil {
		return nil, err
	}
	to, err := r.listener(ctx, call, q, from)
	if err != nil {
		return nil, err
	}
	if q.Key == "" {
		return r.begin(ctx, call, q, to)
	}
	return r.goOn(ctx, call, q, to)
}

// listener is whom an answer is for: an account, or a group.
type listener interface {
	// name tells it apart from the others of an application.
	name() string
	// send sends an answer's first piece, and gives the key by which the next ones name it.
	send(ctx context.Context, call *command.Call, body []byte) (key string, err error)
	// edit changes the answer of the key.
	edit(ctx context.Context, call *command.Call, key string, change func(chat.Editable) (chat.Editable, error)) (*grown, error)
}

func (r *Robots) listener(ctx context.Context, call *command.Call, q *streamRequest, from account.Account) (listener, error) {
	if q.Group != "" {
		return &groupListener{r.groups, from, q.Group}, nil
	}
	to, err := r.accounts.Find(ctx, call.App.ID, q.To)
	if errors.Is(err, account.ErrUnknown) {
		err = im.Errorf(im.CodeGroupParameter, "To_Account %.40q does not exist", q.To)
	}
	return &accountListener{r.messages, from, to}, err
}

// begin sends the answer's first piece as a message, in the normal form and within the bounds of every other.
func (r *Robots) begin(ctx context.Context, call *command.Call, q *streamRequest, to listener) (*streamReply, error) {
	raw, err := newAnswer(q.Chunk, q.Finish).body()
	if err != nil {
		return nil, err
	}
	parsed, err := element.Parse(raw, send.MaxBytes(call.App))
	if err != nil {
		return nil, err
	}
	key, err := to.send(ctx, call, parsed.JSON())
	if err != nil {
		return nil, err
	}
	if !q.Finish {
		r.pacer.begun(q.id(call, to, key))
	}
	return &streamReply{key}, nil
}

func (q *streamRequest) id(call *command.Call, to listener, key string) streamID {
	return streamID{q.From, call.App.ID, to.name(), key}
}

// goOn adds a piece to what is stored, whichever node stored it.
func (r *Robots) goOn(ctx context.Context, call *command.Call, q *streamRequest, to listener) (*streamReply, error) {
	id := q.id(call, to, q.Key)
	unseen := r.pacer.waiting(id)
	done, err := to.edit(ctx, call, q.Key, func(old chat.Editable) (chat.Editable, error) {
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
	})
	if err != nil {
		return nil, err
	}
	r.pacer.grown(id, done, bool(q.Finish))
	return &streamReply{q.Key}, nil
}
