package official

import (
	"context"
	"slices"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

type historyRequest struct {
	Official string      `json:"Official_Account"`
	Count    wire.Number `json:"ReqMsgNumber"`
	LastKey  string      `json:"LastMsgKey"`
	Recalled wire.Bool   `json:"WithRecalledMsg"`
}

type historyReply struct {
	Official string    `json:"Official_Account"`
	Finished wire.Bool `json:"IsFinished"`
	LastKey  string    `json:"LastMsgKey"`
	List     []said    `json:"RspMsgList"`
}

// said is what an official account said, as a back end reads it.
type said struct {
	From   string   `json:"From_Account"`
	Body   wire.Raw `json:"MsgBody"`
	Random int64    `json:"MsgRandom"`
	Seq    int64    `json:"MsgSeq"`
	Time   int64    `json:"MsgTimeStamp"`
	Key    string   `json:"MsgKey"`
	// Placeholder is 2 of a recalled message, whose body is left out, and 0 of any other.
	Placeholder int    `json:"IsPlaceMsg"`
	CloudData   string `json:"CloudCustomData"`
}

const recalledPlaceholder = 2

// mostHistory bounds a page.
const mostHistory = 20

func (o *Officials) historyCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "official_account_msg_get_simple", By: command.Administrator, Family: family(),
		Doc: "read what an official account said", Section: "rest.md#official_account_msg_get_simple",
	}, o.history)
}

// history gives the newest messages first, behind the one that LastMsgKey names.
func (o *Officials) history(ctx context.Context, call *command.Call, r *historyRequest) (*historyReply, error) {
	if r.Count <= 0 {
		return nil, im.Errorf(im.CodeGroupParameter, "ReqMsgNumber is %d: want 1 to %d", r.Count, mostHistory)
	}
	of, err := o.find(ctx, call, r.Official)
	if err != nil {
		return nil, err
	}
	p, err := o.page(ctx, of, r)
	if err != nil {
		return nil, err
	}
	found, more, err := o.Chats.Read(ctx, o.DB, p)
	if err != nil {
		return nil, err
	}
	slices.Reverse(found)
	reply := &historyReply{Official: of.UserID, Finished: wire.Bool(!more), LastKey: r.LastKey, List: []said{}}
	for i := range found {
		reply.LastKey = key(&found[i])
		if !found[i].Flags.Has(chat.Recalled) || bool(r.Recalled) {
			reply.List = append(reply.List, saidOf(of, &found[i]))
		}
	}
	return reply, nil
}

// page begins where a request says. What an earlier official account of the same name said is not read.
func (o *Officials) page(ctx context.Context, of account.Account, r *historyRequest) (p chat.Page, err error) {
	const second = 1000
	there, err := records(ctx, o.DB, []im.AccountID{of.ID})
	if err != nil {
		return p, err
	}
	p = chat.Page{Owner: of.ID, From: chat.Newest(), Since: there[of.ID].created / second, Limit: min(int(r.Count), mostHistory)}
	if r.LastKey != "" {
		last, err := o.said(ctx, of, r.LastKey)
		if err != nil {
			return p, err
		}
		p.From = last.Position
	}
	p.Chat, err = o.chatOf(ctx, of)
	return p, err
}

func saidOf(of account.Account, m *chat.Message) said {
	it := said{
		From: of.UserID, Body: wire.Raw(m.Body), Random: m.Random, Seq: m.Sequence, Time: m.Time, Key: key(m), CloudData: m.CloudData,
	}
	if m.Flags.Has(chat.Recalled) {
		it.Body, it.CloudData, it.Placeholder = wire.Raw("[]"), "", recalledPlaceholder
	}
	return it
}
