package groupmessage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/send"
	"github.com/magpie-im/magpie/internal/wire"
)

type recallRequest struct {
	GroupID string     `json:"GroupId"`
	TopicID string     `json:"TopicId"`
	List    []sequence `json:"MsgSeqList"`
	Reason  string     `json:"Reason"`
}

type sequence struct {
	Number int64 `json:"MsgSeq"`
}

type recallResult struct {
	Sequence int64   `json:"MsgSeq"`
	Code     im.Code `json:"RetCode"`
}

type recallReply struct {
	List []recallResult `json:"RecallRetList"`
}

func (g *GroupMessages) recallCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "group_msg_recall", Also: []string{community}, By: command.Administrator | command.Account,
		Family: im.FamilyGroup(),
		Doc:    "recall messages of a group", Section: "rest.md#group_msg_recall",
	}, g.recall)
}

// recall takes back each message for itself: what cannot be taken back has its code in the reply.
func (g *GroupMessages) recall(ctx context.Context, call *command.Call, r *recallRequest) (*recallReply, error) {
	of, err := g.find(ctx, call, r.GroupID, r.TopicID)
	if err == nil {
		err = r.check(call, of.Type)
	}
	if err != nil {
		return nil, err
	}
	if !of.Type.Yes("history.stored") {
		return g.recallLive(ctx, call, of, r)
	}
	by, err := g.reads(ctx, call, r.GroupID, r.TopicID)
	if err != nil {
		return nil, err
	}
	reply := &recallReply{}
	var done, unpinned []*chat.Message
	for _, one := range r.List {
		of := &recallOf{sequence: one.Number, reason: wire.Text(r.Reason)}
		target, refused, err := g.recallOne(ctx, call, by, of)
		if err != nil {
			return nil, err
		}
		result := recallResult{Sequence: one.Number}
		if refused != nil {
			result.Code = refused.Code
		} else {
			done = append(done, target)
		}
		if of.unpinned {
			unpinned = append(unpinned, target)
		}
		reply.List = append(reply.List, result)
	}
	g.pushRecalledPins(ctx, by.group, call.Account, unpinned)
	g.pushRecalls(ctx, call, by.group, done)
	return reply, nil
}

// check refuses what no group of the type has recalled.
func (r *recallRequest) check(call *command.Call, t group.Type) error {
	switch most := int(t.Number("recall.max_per_call")); {
	case !t.Yes("recall.supported"):
		return im.Errorf(im.CodeGroupRecallType, "groups of type %s have no recall", t)
	case !recallTypes.Of(call.App, t, true):
		return im.Errorf(im.CodeGroupRecallOff, "the application has no recall in groups of type %s", t)
	case len(r.List) == 0 || len(r.List) > most:
		return im.Errorf(im.CodeGroupParameter, "MsgSeqList: want 1 to %d sequences", most)
	case len(r.Reason) > maxReasonBytes:
		return im.Errorf(im.CodeGroupParameter, "Reason has %d bytes: want at most %d", len(r.Reason), maxReasonBytes)
	}
	return nil
}

// maxReasonBytes bounds the reason of a recall.
const maxReasonBytes = 100

type recallOf struct {
	sequence int64
	reason   string
	// unpinned says that it was pinned.
	unpinned bool
}

func (g *GroupMessages) recallOne(
	ctx context.Context, call *command.Call, by *reader, r *recallOf,
) (target *chat.Message, refused *im.Error, err error) {
	err = g.db.Write(ctx, func(tx *db.Tx) error {
		if r.sequence <= 0 {
			return chat.ErrUnknown
		}
		var err error
		target, err = g.chats.Recall(ctx, tx, by.chat, chat.Recall{
			Chat: by.group.Chat(), Sequence: r.sequence, By: call.UserID, Reason: r.reason,
			Check: func(found *chat.Message) error {
				still, err := g.still(ctx, tx, call, by)
				if err != nil {
					return err
				}
				return still.mayRecall(call, found, tx.Now())
			},
		})
		if err != nil {
			return err
		}
		unpinned, err := g.attached.Recalled(ctx, tx, by.chat, []int64{target.ID})
		if err != nil {
			return err
		}
		r.unpinned = len(unpinned) > 0
		return g.tellRecall(tx, call, by.group, target)
	})
	switch {
	case errors.Is(err, chat.ErrUnknown), errors.Is(err, chat.ErrRecalled):
		return nil, &im.Error{Code: im.CodeGroupNoMessage, Info: err.Error()}, nil
	case err == nil:
		return target, nil, nil
	}
	if refusal, ok := im.Refusal(err); ok {
		return nil, refusal, nil
	}
	return nil, nil, fmt.Errorf("recall: %w", err)
}

// mayRecall refuses what the caller may not take back, or not any more.
func (r *reader) mayRecall(call *command.Call, found *chat.Message, now time.Time) error {
	t := r.group.Type
	if found.Tip() {
		return im.Errorf(im.CodeGroupRecallNever, "message %d is a tip, which nobody recalls", found.Sequence)
	}
	if call.Admin() {
		return nil
	}
	if found.Sequence <= r.after || !r.sees(found) {
		return im.Errorf(im.CodeGroupNoMessage, "there is no message %d", found.Sequence)
	}
	who, window := r.who(call), "recall.others.who"
	if found.From == call.Account {
		who, window = append(who, "sender"), "recall.own.who"
	}
	if !t.Allows(window, who...) {
		return im.Errorf(im.CodeGroupRecallNever, "you may not recall what another member said")
	}
	within := time.Duration(send.RecallSeconds(call.App)) * time.Second
	if now.Sub(time.Unix(found.Time, 0)) > within {
		return im.Errorf(im.CodeGroupRecallLate, "message %d is older than %v", found.Sequence, within)
	}
	return nil
}

// who is the reading member in the words of the table of rules.
func (r *reader) who(call *command.Call) []group.Who {
	who := []group.Who{r.member.Role.Who()}
	if call.App.IsAdmin(call.UserID) {
		who = append(who, group.WhoAppAdmin)
	}
	return who
}
