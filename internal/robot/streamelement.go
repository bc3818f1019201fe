package robot

import (
	"context"
	"errors"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/message"
	"github.com/magpie-im/magpie/internal/wire"
)

// streamService has the commands by which any account's answer grows, of elements of a kind of their own. The clients that are served
// here do not know that kind, so the answer is stored and shown as a robot's is.
const streamService = "stream_msg"

// kindStream is the MsgType of the element that brings a piece.
const kindStream = "TIMStreamElem"

// elementRequest is a piece of an answer in an element.
type elementRequest struct {
	From      string          `json:"From_Account"`
	To        string          `json:"To_Account"`
	Group     string          `json:"GroupId"`
	Seq       *uint32         `json:"MsgSeq"`
	Random    *uint32         `json:"MsgRandom"`
	Sync      int             `json:"SyncOtherMachine"`
	CloudData string          `json:"CloudCustomData"`
	Body      []streamElement `json:"MsgBody"`
}

type streamElement struct {
	Kind string `json:"MsgType"`
	Body struct {
		Chunks     []streamChunk `json:"Chunks"`
		Compatible string        `json:"CompatibleText"`
		Key        string        `json:"StreamMsgID"`
	} `json:"MsgContent"`
}

type streamChunk struct {
	Kind  string    `json:"EventType"`
	Index int64     `json:"Index"`
	Text  *chunk    `json:"Markdown"`
	Last  wire.Bool `json:"IsLast"`
}

// chunkData is the EventType of a piece of text, and the only one there is.
const chunkData = "data"

type elementReply struct {
	Key string `json:"StreamMsgID"`
}

func (r *Robots) accountStreamCommand() command.Command {
	return command.New(command.Spec{
		Service: streamService, Name: "send_c2c_stream_msg", By: command.Administrator, Family: family(), Codes: streamCodes(),
		Doc: "send an account's answer to another one, piece by piece", Section: "rest.md#send_c2c_stream_msg",
	}, r.streamToAccount)
}

func (r *Robots) groupStreamCommand() command.Command {
	return command.New(command.Spec{
		Service: streamService, Name: "send_group_stream_msg", By: command.Administrator, Family: family(), Codes: streamCodes(),
		Doc: "send an account's answer to a group, piece by piece", Section: "rest.md#send_group_stream_msg",
	}, r.streamToGroup)
}

func streamCodes() command.Codes {
	return command.Codes{REST: map[im.Code]im.Code{im.CodeMessageTooLong: im.CodeBodyTooLong}}
}

func (r *Robots) streamToAccount(ctx context.Context, call *command.Call, q *elementRequest) (*elementReply, error) {
	if q.Sync != 0 && q.Sync != message.SyncSender && q.Sync != message.NoSenderCopy {
		return nil, im.Errorf(im.CodeGroupParameter, "SyncOtherMachine is %d: want 1 or 2", q.Sync)
	}
	from, err := r.speaker(ctx, call, q)
	if err != nil {
		return nil, err
	}
	to, err := r.account(ctx, call, "To_Account", q.To)
	if err != nil {
		return nil, err
	}
	return r.streamElement(ctx, call, q, &accountListener{r.messages, from, to})
}

func (r *Robots) streamToGroup(ctx context.Context, call *command.Call, q *elementRequest) (*elementReply, error) {
	from, err := r.speaker(ctx, call, q)
	if err != nil {
		return nil, err
	}
	return r.streamElement(ctx, call, q, &groupListener{r.groups, from, q.Group})
}

// speaker is who answers: the administrator himself, if nobody is named.
func (r *Robots) speaker(ctx context.Context, call *command.Call, q *elementRequest) (account.Account, error) {
	if q.From == "" {
		q.From = call.UserID
	}
	return r.account(ctx, call, "From_Account", q.From)
}

func (r *Robots) account(ctx context.Context, call *command.Call, field, userID string) (account.Account, error) {
	found, err := r.accounts.Find(ctx, call.App.ID, userID)
	if errors.Is(err, account.ErrUnknown) {
		err = im.Errorf(im.CodeGroupParameter, "%s %.40q does not exist", field, userID)
	}
	return found, err
}

func (r *Robots) streamElement(ctx context.Context, call *command.Call, q *elementRequest, to listener) (*elementReply, error) {
	p, err := q.piece()
	if err != nil {
		return nil, err
	}
	p.app, p.to = call.App.ID, to
	key, err := r.say(ctx, call, p)
	if err != nil {
		return nil, err
	}
	return &elementReply{key}, nil
}

// piece checks what the request says, and gives the piece that it brings.
func (q *elementRequest) piece() (*piece, error) {
	if len(q.Body) != 1 || q.Body[0].Kind != kindStream || len(q.Body[0].Body.Chunks) != 1 {
		return nil, im.Errorf(im.CodeGroupParameter, "MsgBody: want one %s with one of Chunks", kindStream)
	}
	of := &q.Body[0].Body
	one := &of.Chunks[0]
	switch {
	case one.Kind != chunkData:
		return nil, im.Errorf(im.CodeGroupParameter, "EventType is %.40q: want %q", one.Kind, chunkData)
	case one.Text == nil:
		return nil, im.Errorf(im.CodeGroupParameter, "Markdown is missing")
	case one.Index < 1 || of.Key == "" && one.Index != 1:
		return nil, im.Errorf(im.CodeGroupParameter, "Index is %d: want 1 of the first piece, and more of each other", one.Index)
	case q.Random == nil && of.Key == "":
		return nil, im.Errorf(im.CodeGroupParameter, "MsgRandom is missing")
	}
	return &piece{
		from: q.From, key: of.Key, text: one.Text, last: one.Last, index: one.Index,
		draft: opening{of.Compatible, wire.Text(q.CloudData), q.Seq, q.Random, q.Sync},
	}, nil
}
