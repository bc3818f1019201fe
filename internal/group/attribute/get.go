package attribute

import (
	"context"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

type getRequest struct {
	GroupID string `json:"GroupId"`
}

type getReply struct {
	Main int64   `json:"AttrMainSeq"`
	All  []given `json:"GroupAttrAry"`
}

func (a *Attributes) getCommand() command.Command {
	return command.New(command.Spec{
		Service: readService, Name: "get_group_attr", Also: []string{service, community}, By: command.Administrator | command.Account,
		Family: im.FamilyGroup(), Doc: "read a group's attributes", Section: "rest.md#get_group_attr",
	}, a.get)
}

// get reads all attributes, and the sequence of their newest change, of one moment.
func (a *Attributes) get(ctx context.Context, call *command.Call, r *getRequest) (*getReply, error) {
	of, err := a.groups.Allowed(ctx, call, r.GroupID, "attribute.read.who")
	if err != nil {
		return nil, err
	}
	reply := &getReply{All: []given{}}
	err = a.db.InSnapshot(ctx, func(from *db.Snapshot) error {
		now, err := readData(ctx, from, of.ID)
		if err != nil {
			return err
		}
		found, err := readAttributes(ctx, from, of.ID)
		for _, one := range found {
			reply.All = append(reply.All, given{one.key, one.value, one.sequence})
		}
		reply.Main = now.attributes
		return err
	})
	if err != nil {
		return nil, err
	}
	return reply, nil
}
