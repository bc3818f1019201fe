package app

import (
	"context"
	"errors"
	"strings"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/setting"
)

// service is Magpie's own: the reference system changes these settings in its console only.
const service = "magpie_app"

// Commands is the room's table of contents.
func (a *Apps) Commands() []command.Command {
	return []command.Command{a.settingsCommand(), a.setCommand()}
}

type settingsReply struct {
	// Settings has no secrets, so that a back end may write back what it reads.
	Settings map[string]string `json:"Settings"`
	// Secrets says of each secret whether there is one.
	Secrets map[string]bool `json:"Secrets"`
}

func (a *Apps) settingsCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "get_settings", By: command.Administrator, Family: im.FamilyAccount(),
		Doc: "list the application's settings", Section: "rest.md#magpie_app",
	}, func(_ context.Context, call *command.Call, _ *command.None) (*settingsReply, error) {
		reply := &settingsReply{map[string]string{}, map[string]bool{}}
		for _, row := range a.Rows(call.App) {
			if row.Secret {
				reply.Secrets[row.Name] = row.Chosen
			} else {
				reply.Settings[row.Name] = row.Text
			}
		}
		return reply, nil
	})
}

// limits begins the names of settings that keep an application from taking all of a node: they are the operator's.
const limits = "limit."

type setRequest struct {
	Settings map[string]string `json:"Settings"`
}

// setCommand changes settings of the asking application, all or none: what `magpie app set` does, but for the keys,
// the administrators and the limits, which are the operator's.
func (a *Apps) setCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "set_settings", By: command.Administrator, Family: im.FamilyAccount(),
		Doc: "change the application's settings", Section: "rest.md#magpie_app",
	}, func(ctx context.Context, call *command.Call, r *setRequest) (*command.None, error) {
		for _, name := range []string{settingKey, settingAdmins} {
			if _, ok := r.Settings[name]; ok {
				return nil, im.Errorf(im.CodeAccountParameter, "%s is changed by `magpie app set` only", name)
			}
		}
		for _, row := range a.Rows(call.App) {
			value, given := r.Settings[row.Name]
			if given && value != row.Text && strings.HasPrefix(row.Name, limits) {
				return nil, im.Errorf(im.CodeAccountParameter, "%s is changed by `magpie app set` only", row.Name)
			}
		}
		err := a.SetBy(ctx, &call.Actor, r.Settings)
		var wrong *setting.Error
		if errors.As(err, &wrong) {
			return nil, im.Errorf(im.CodeAccountParameter, "%v", wrong)
		}
		return nil, err
	})
}
