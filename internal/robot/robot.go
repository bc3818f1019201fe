// Package robot keeps an application's robots: accounts that its back end speaks through, and answers that grow while
// somebody reads them.
//
// A robot is an account with a name of its own kind, and it sends ordinary messages, so history, sync and pushes
// are the rooms' of messages. What a user writes to a robot, or says in a group where he mentions it, reaches the back end by a
// webhook, which those rooms send.
package robot

import (
	"context"
	"errors"
	"time"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/groupmessage"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/message"
	"github.com/magpie-im/magpie/internal/profile"
)

const service = "openim_robot_http_svc"

// Robots is the room's state.
type Robots struct {
	accounts *account.Accounts
	profiles *profile.Profiles
	messages *message.Messages
	groups   *groupmessage.GroupMessages
	pacer    *pacer
	silences *silences
	now      func() time.Time
}

// New makes the room. A nil clock is the system's.
func New(
	accounts *account.Accounts, profiles *profile.Profiles, messages *message.Messages, groups *groupmessage.GroupMessages, c *clock.Clock,
) *Robots {
	return &Robots{accounts, profiles, messages, groups, newPacer(c), newSilences(c), c.Now}
}

// Commands is the room's table of contents.
func (r *Robots) Commands() []command.Command {
	return []command.Command{
		r.createCommand(), r.deleteCommand(), r.listCommand(), r.streamCommand(),
		r.accountStreamCommand(), r.groupStreamCommand(),
	}
}

// family are the codes of the robot service, which are those of the group service.
func family() im.Family {
	return im.Family{
		BadJSON: im.CodeGroupParameter, BadField: im.CodeGroupParameter, NoAccount: im.CodeGroupParameter,
		NotAdmin: im.CodeGroupRequest, Internal: im.CodeGroupInternal,
	}
}

type createRequest struct {
	UserID    string  `json:"UserID"`
	Nick      *string `json:"Nick"`
	FaceURL   *string `json:"FaceUrl"`
	Signature *string `json:"SelfSignature"`
}

func (r *Robots) createCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "create_robot", By: command.Administrator, Family: family(),
		Doc: "make a robot, or change one", Section: "rest.md#create_robot",
	}, r.create)
}

// create may be called again for a robot that exists, which then gets the fields that are given.
func (r *Robots) create(ctx context.Context, call *command.Call, q *createRequest) (*command.None, error) {
	if !im.ValidUserID(q.UserID) || !account.IsRobot(q.UserID) {
		return nil, im.Errorf(im.CodeGroupParameter, "UserID %.40q: want @RBT# and a name, at most %d bytes", q.UserID, im.MaxUserIDBytes)
	}
	for _, text := range []*string{q.Nick, q.FaceURL, q.Signature} {
		if text != nil && len(*text) > im.MaxProfileBytes {
			return nil, im.Errorf(im.CodeGroupParameter, "Nick, FaceUrl and SelfSignature: at most %d bytes each", im.MaxProfileBytes)
		}
	}
	made, err := r.accounts.MakeRobot(ctx, call.App, account.Robot{UserID: q.UserID, Nick: q.Nick, FaceURL: q.FaceURL})
	if errors.Is(err, account.ErrTooManyRobots) {
		return nil, im.Errorf(im.CodeGroupRequest, "the application has its %d robots already (its setting robot.max)",
			account.MaxRobots(call.App))
	}
	if err != nil || q.Signature == nil {
		return nil, err
	}
	return nil, r.profiles.SetSignature(ctx, made, *q.Signature)
}

type deleteRequest struct {
	Robot string `json:"Robot_Account"`
}

func (r *Robots) deleteCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "delete_robot", By: command.Administrator, Family: family(),
		Doc: "delete a robot", Section: "rest.md#delete_robot",
	}, r.delete)
}

func (r *Robots) delete(ctx context.Context, call *command.Call, q *deleteRequest) (*command.None, error) {
	err := r.accounts.DeleteRobot(ctx, call.App, q.Robot)
	if errors.Is(err, account.ErrUnknown) {
		return nil, noRobot(q.Robot)
	}
	return nil, err
}

func noRobot(userID string) error {
	return im.Errorf(im.CodeGroupParameter, "there is no robot %.40q", userID)
}

type listReply struct {
	Robots []string `json:"Robot_Account"`
}

func (r *Robots) listCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "get_all_robots", By: command.Administrator, Family: family(),
		Doc: "list the application's robots", Section: "rest.md#get_all_robots",
	}, r.list)
}

func (r *Robots) list(ctx context.Context, call *command.Call, _ *command.None) (*listReply, error) {
	names, err := r.accounts.Robots(ctx, call.App.ID)
	if err != nil {
		return nil, err
	}
	return &listReply{append([]string{}, names...)}, nil
}
