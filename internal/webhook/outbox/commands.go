package outbox

import (
	"context"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
)

// service is Magpie's own: the reference system has no commands for its callbacks.
const service = "magpie_webhook"

type listRequest struct {
	State string `json:"State"`
	After string `json:"After"`
	Limit int    `json:"Limit"`
}

type listReply struct {
	Events []Undelivered `json:"Events"`
}

func (o *Outbox) listCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "list", By: command.Administrator, Family: im.FamilyMessage(),
		Doc: "list callbacks that wait, or dead letters", Section: "rest.md#magpie_webhook",
	}, func(ctx context.Context, call *command.Call, r *listRequest) (*listReply, error) {
		if r.State != "" && r.State != "dead" && r.State != "waiting" {
			return nil, im.Errorf(im.CodeMessageFormat, "State %.20q: want waiting or dead", r.State)
		}
		callbacks, err := List(ctx, o.DB, call.App.ID, Query{Dead: r.State != "waiting", After: r.After, Limit: r.Limit})
		return &listReply{callbacks}, err
	})
}

type attemptsRequest struct {
	EventID string `json:"EventId"`
}

type attemptsReply struct {
	Attempts []Attempt `json:"Attempts"`
}

func (o *Outbox) attemptsCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "attempts", By: command.Administrator, Family: im.FamilyMessage(),
		Doc: "list the attempts to deliver a callback", Section: "rest.md#magpie_webhook",
	}, func(ctx context.Context, call *command.Call, r *attemptsRequest) (*attemptsReply, error) {
		attempts, err := Attempts(ctx, o.DB, call.App.ID, r.EventID)
		return &attemptsReply{attempts}, err
	})
}

type replayRequest struct {
	EventIDs []string `json:"EventIds"`
}

type replayReply struct {
	Replayed int `json:"Replayed"`
}

func (o *Outbox) replayCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "replay", By: command.Administrator, Family: im.FamilyMessage(),
		Doc: "deliver dead letters again: those named, or all", Section: "rest.md#magpie_webhook",
	}, func(ctx context.Context, call *command.Call, r *replayRequest) (*replayReply, error) {
		replayed, err := Replay(ctx, o.DB, call.App.ID, r.EventIDs)
		return &replayReply{replayed}, err
	})
}
