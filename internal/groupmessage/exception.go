package groupmessage

import (
	"context"
	"time"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/webhook"
	"github.com/magpie-im/magpie/internal/wire"
)

var sendException = webhook.NewAfter[sentParts](webhook.Spec{
	Command: "Group.CallbackSendMsgException", Doc: "a message could not be sent to a group after all",
	Section: "webhooks.md#groupcallbacksendmsgexception",
})

// exception is why a message was not sent.
type exception struct {
	Code      im.Code `json:"ErrorCode"`
	Info      string  `json:"ErrorInfo"`
	EventTime int64   `json:"EventTime"` // unix milliseconds
}

// exceptionEvents makes the callback of a message that may fail still; failed completes it.
func (d *Draft) exceptionEvents(by *command.Call) ([]webhook.Callback, error) {
	return sendException.Prepare(&by.Actor, d.callbackOrder(), func() (sentParts, error) { return d.parts(by), nil })
}

// failed completes the callbacks of a message that is refused, once it had passed the checks and the back end's question.
func failed(callbacks []webhook.Callback, why error, now time.Time) ([]webhook.Callback, error) {
	refusal, ok := im.Refusal(why)
	if !ok || len(callbacks) == 0 {
		return nil, nil
	}
	fields, err := wire.Marshal(exception{refusal.Code, refusal.Info, now.UnixMilli()})
	if err != nil {
		return nil, err
	}
	complete := make([]webhook.Callback, len(callbacks))
	for i, c := range callbacks {
		complete[i] = c.With(fields)
	}
	return complete, nil
}

// tellRefused stores the callback of a message about which the back end did not answer, where that is a refusal.
func (g *GroupMessages) tellRefused(ctx context.Context, by *command.Call, d *Draft, refused error) error {
	callbacks, err := d.exceptionEvents(by)
	if err != nil {
		return err
	}
	events, err := failed(callbacks, refused, g.db.Now())
	if err != nil {
		return err
	}
	return g.hooks.AddAlone(ctx, events...)
}
