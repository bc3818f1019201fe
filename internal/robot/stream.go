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
		Codes: streamCodes(),
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
	key, err := r.say(ctx, call, &piece{
		from: q.From, app: call.App.ID, to: to, key: q.Key, text: q.Chunk, last: q.Finish,
	})
	if err != nil {
		return nil, err
	}
	return &streamReply{key}, nil
}

// piece is one piece of an answer, as either command brings it. Without key it begins a new message, otherwise it goes on with that
// one.
type piece struct {
	from  string
	app   im.AppID
	to    listener
	key   string
	text  *chunk
	last  wire.Bool
	index int64 // counted by the back end from 1; 0 is not at all
	draft opening
}

// opening is what the first piece says of the message beside its text.
type opening struct {
	compatible  string // what is shown of it where the answer cannot be
	cloudData   string
	seq, random *uint32
	sync        int // as SyncOtherMachine of sendmsg; 0 tells the sender's devices nothing
}

// say has a piece stored and shown, and gives the key of its answer.
func (r *Robots) say(ctx context.Context, call *command.Call, p *piece) (key string, err error) {
	if key = p.key; key == "" {
		key, err = r.begin(ctx, call, p)
	} else {
		err = r.goOn(ctx, call, p)
	}
	if err == nil {
		r.listen(context.WithoutCancel(ctx), call, p, key)
	}
	return key, err
}

// listener is whom an answer is for: an account, or a group.
type listener interface {
	// name tells it apart from the others of an application.
	name() string
	// send sends an answer's first piece, and gives the key by which the next ones name it.
	send(ctx context.Context, call *command.Call, body []byte, as *opening) (key string, err error)
	// edit changes an answer.
	edit(ctx context.Context, call *command.Call, g growth) (*grown, error)
}

// growth is a change of the answer of the key. ends says that it says nothing: the answer ends by itself.
type growth struct {
	key    string
	ends   bool
	change func(chat.Editable) (chat.Editable, error)
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
func (r *Robots) begin(ctx context.Context, call *command.Call, p *piece) (key string, err error) {
	a := newAnswer(p.text, p.last)
	a.number(p.index, r.now())
	raw, err := a.body(p.draft.compatible)
	if err != nil {
		return "", err
	}
	parsed, err := element.Parse(raw, send.MaxBytes(call.App)-len(p.draft.cloudData))
	if err != nil {
		return "", err
	}
	key, err = p.to.send(ctx, call, parsed.JSON(), &p.draft)
	if err != nil {
		return "", err
	}
	if !p.last {
		r.pacer.begun(p.id(key))
	}
	return key, nil
}

func (p *piece) id(key string) streamID { return streamID{p.from, p.app, p.to.name(), key} }

// goOn adds a piece to what is stored, whichever node stored it.
func (r *Robots) goOn(ctx context.Context, call *command.Call, p *piece) error {
	id := p.id(p.key)
	unseen := r.pacer.waiting(id)
	done, err := p.to.edit(ctx, call, growth{key: p.key, change: func(old chat.Editable) (chat.Editable, error) {
		a, compatible, err := readAnswer(old.Body)
		if err != nil {
			return old, err
		}
		if err := a.follows(p.index, r.now()); err != nil {
			return old, err
		}
		a.number(p.index, r.now())
		a.add(p.text, p.last, unseen)
		if old.Body, err = a.body(compatible); err != nil {
			return old, err
		}
		if size, most := len(old.Body)+len(old.CloudData), send.MaxBytes(call.App); size > most {
			return old, im.Errorf(im.CodeBodyTooLong, "the message would have %d bytes, at most %d: finish it and begin another",
				size, most)
		}
		return old, nil
	}})
	if err != nil {
		return err
	}
	r.pacer.grown(id, done, bool(p.last))
	return nil
}
