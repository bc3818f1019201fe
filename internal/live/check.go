package live

import (
	"context"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
)

type checkRequest struct {
	GroupID string   `json:"GroupId"`
	Members []string `json:"Member_Account"`
}

type checkReply struct {
	Members []string `json:"Member_Account"`
}

// checkMost is how many accounts one call asks about.
const checkMost = 500

func (l *Rooms) checkCommand() command.Command {
	return command.New(command.Spec{
		Service: liveService, Name: "check_members", By: command.Administrator, Family: im.FamilyGroup(),
		Doc: "tell which accounts are inside a live room", Section: "rest.md#check_members",
	}, l.check)
}

func (l *Rooms) check(ctx context.Context, call *command.Call, r *checkRequest) (*checkReply, error) {
	of, err := l.liveRoom(ctx, call, r.GroupID)
	if err != nil {
		return nil, err
	}
	switch n := len(r.Members); {
	case n == 0:
		return nil, im.Errorf(im.CodeGroupParameter, "Member_Account is empty")
	case n > checkMost:
		return nil, im.Errorf(im.CodeGroupTooMany, "Member_Account has %d accounts: want at most %d", n, checkMost)
	}
	named, err := l.accounts.FindMany(ctx, call.App.ID, r.Members)
	if err != nil {
		return nil, err
	}
	ids := make([]im.AccountID, 0, len(named))
	for _, one := range named {
		ids = append(ids, one.ID)
	}
	inside, reply := l.insideOf(ctx, of.ID, ids), &checkReply{Members: []string{}}
	for _, userID := range r.Members {
		if one, known := named[userID]; known && inside[one.ID] {
			reply.Members = append(reply.Members, userID)
		}
	}
	return reply, nil
}

// insideOf tells who of the accounts is inside, on whichever node. What other nodes do not answer in time is not counted.
func (l *Rooms) insideOf(ctx context.Context, id int64, accounts []im.AccountID) map[im.AccountID]bool {
	inside := map[im.AccountID]bool{}
	var left []im.AccountID
	for _, who := range accounts {
		if l.Inside(id, who) != 0 {
			inside[who] = true
		} else {
			left = append(left, who)
		}
	}
	if len(left) == 0 || l.others.count(id) == 0 {
		return inside
	}
	for _, who := range l.gather(ctx, &ask{Room: id, Accounts: left}) {
		inside[who] = true
	}
	return inside
}
