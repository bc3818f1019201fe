package sdk

import (
	"context"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
)

// empty answers with an empty list, for commands about things that no account can have here yet.
func empty[Rep any](service, name, doc string, answer Rep) command.Command {
	return command.New(command.Spec{
		Service: service, Name: name, By: command.Account, Family: im.FamilyAccount(),
		Doc: doc + " (none yet)", Section: "wire.md#login",
	}, func(context.Context, *command.Call, *command.None) (*Rep, error) { return &answer, nil })
}

type none = []struct{}

// absent lists the questions that a client asks at login about friends and recalls in groups.
func absent() []command.Command {
	type (
		groupNotices struct {
			Items none `json:"NotifyRspList"`
		}
	)
	return []command.Command{
		empty("group_open_http_svc", "batch_get_group_notify", "missed group recalls", groupNotices{Items: none{}}),
	}
}
