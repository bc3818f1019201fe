package conversation

import (
	"context"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/groupmessage"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/webhook"
	"github.com/magpie-im/magpie/internal/wire"
)

// afterReadAll tells the back end that an account has read everything.
var afterReadAll = webhook.NewAfter[readAllBody](webhook.Spec{
	Command: "C2C.CallbackAfterMsgReadAll", Doc: "an account has read everything", Section: "webhooks.md#c2ccallbackaftermsgreadall",
})

// Webhooks lists the callbacks that the room fires.
func (c *Conversations) Webhooks() []webhook.Declaration {
	return []webhook.Declaration{afterReadAll.Declaration()}
}

type readAllBody struct {
	Reader    string      `json:"Report_Account"`
	Groups    []groupRead `json:"GroupReadInfo"`
	EventTime int64       `json:"EventTime"` // unix milliseconds
}

type groupRead struct {
	Group    string `json:"GroupId"`
	Sequence int64  `json:"MsgSeq"`
}

type readAllRequest struct {
	Peers  wire.Bool   `json:"C2CReadAllMsg"`
	Groups []groupRead `json:"GroupReadInfo"`
}

type groupReadResult struct {
	groupRead
	Code im.Code `json:"RetCode"`
}

type readAllReply struct {
	Peers  wire.Bool         `json:"C2CReadAllMsg"`
	Groups []groupReadResult `json:"GroupReadInfoArray"`
}

// readAll tells an account's other devices what it has read.
var readAll = event.DefineOpen[readAllEvent](14, "C2CReadAllMsg")

type readAllEvent struct {
	Peers  wire.Bool       `json:"C2CReadAllMsg"`
	Groups []lastReadGroup `json:"GroupReadInfoArray"`
}

type lastReadGroup struct {
	Group    string `json:"GroupId"`
	Sequence int64  `json:"LastReadMsgSeq"`
}

func (c *Conversations) readAllCommand() command.Command {
	return command.New(command.Spec{
		Service: messageService, Name: "read_all_unread_msg", By: command.Account, Family: im.FamilyMessage(),
		Doc: "mark everything read", Section: "wire.md#read-state",
	}, c.readAll)
}

// mostGroupsRead bounds the groups of one call, which are as many as a list has conversations at most.
const mostGroupsRead = 500

// readAll marks the chats with others read, all of them or none, and those groups that the request names, each by itself. The
// back end is told before the client is answered, which asks again without an answer.
func (c *Conversations) readAll(ctx context.Context, call *command.Call, r *readAllRequest) (*readAllReply, error) {
	if len(r.Groups) > mostGroupsRead {
		return nil, im.Errorf(im.CodeMessageAccounts, "%d groups in one call: want at most %d", len(r.Groups), mostGroupsRead)
	}
	owner, err := c.owner(ctx, call, call.UserID)
	if err != nil {
		return nil, err
	}
	if r.Peers {
		if err := c.messages.ReadAll(ctx, call, owner); err != nil {
			return nil, err
		}
	}
	reads := make([]groupmessage.Read, len(r.Groups))
	for i, one := range r.Groups {
		reads[i] = groupmessage.Read{GroupID: one.Group, Sequence: one.Sequence}
	}
	if err := c.groupMessages.ReadMany(ctx, call, reads); err != nil {
		return nil, err
	}
	reply, told := &readAllReply{Peers: r.Peers, Groups: []groupReadResult{}}, readAllEvent{Peers: r.Peers, Groups: []lastReadGroup{}}
	body := readAllBody{Reader: owner.UserID, Groups: []groupRead{}, EventTime: c.db.Now().UnixMilli()}
	for _, one := range reads {
		of := groupRead{one.GroupID, one.Sequence}
		reply.Groups = append(reply.Groups, groupReadResult{of, one.Code})
		if one.Moved != 0 {
			told.Groups = append(told.Groups, lastReadGroup{one.GroupID, one.Moved})
			body.Groups = append(body.Groups, groupRead{one.GroupID, one.Moved})
		}
	}
	c.push(call, owner.ID, readAll.Of(told))
	return reply, afterReadAll.TellAlone(ctx, c.hooks, &call.Actor, int64(owner.ID), func() (readAllBody, error) { return body, nil })
}
