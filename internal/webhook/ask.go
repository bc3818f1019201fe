package webhook

import (
	"context"
	"errors"
	"time"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
	"github.com/magpie-im/magpie/internal/webhook/backend"
)

// askTimeout is how long a callback that blocks may take, the wait for a free slot included; the interface fixes it.
const askTimeout = 2 * time.Second

// Question is what a rule asks the back end before it does something.
type Question[T any] struct {
	// Key is the order key of the call, as Call.StepAside takes it.
	Key string
	// Forbidden says that no address is asked this time. The call keeps its order all the same.
	Forbidden bool
	// Body makes the callback's body. It is called when the call's turn has come, and only if an address is asked.
	Body func() (T, error)
	// Use reads the answer's further fields; its error makes the answer a senseless one. Nil reads none.
	Use func(*Answer) error
}

// Wanted reports whether an address of the application ticked the callback.
func (b Before[T]) Wanted(app *im.App) bool { return first(app, b.spec.Command) != nil }

// Ask asks the first address that ticked the callback; only one can decide. Without one, it returns the zero Answer.
//
// Until the call is answered, later calls of its session with the same key wait, others go on. No transaction may be
// open. An *im.Error is the refusal that the caller gets: the back end's, and then Answer.Refused is set; or that of the
// address's policy when the back end did not answer in time, or not sensibly; or that the calls before this one took too
// long. A call without a session, as at the REST door, or one that the server makes by itself, waits for no other call.
func (b Before[T]) Ask(ctx context.Context, call *command.Call, w *Webhooks, q Question[T]) (Answer, error) {
	if q.Forbidden || !b.Wanted(call.App) {
		return Answer{}, b.outOfTurn(call.InTurn(ctx, q.Key))
	}
	if err := b.outOfTurn(call.StepAside(ctx, q.Key)); err != nil {
		return Answer{}, err
	}
	body, err := q.Body()
	if err != nil {
		return Answer{}, err
	}
	return b.put(ctx, w, &call.Actor, body, q.Use)
}

// put sends the question and judges the answer.
func (b Before[T]) put(ctx context.Context, w *Webhooks, by *im.Actor, body T, use func(*Answer) error) (Answer, error) {
	hook := first(by.App, b.spec.Command)
	text, err := encodeBody(b.spec.Command, body)
	if err != nil || hook == nil {
		return Answer{}, err
	}
	answer, err := b.exchange(ctx, w, &backend.Request{
		Hook: hook, App: by.App.ID, Command: b.spec.Command, ClientIP: by.Address, Platform: b.spec.platform(by), Body: text,
	})
	if answer.Refused || answer.Silent {
		return answer, err
	}
	if err == nil && use != nil {
		err = use(&answer)
	}
	if err == nil {
		return answer, nil
	}
	return Answer{}, b.unanswered(ctx, w, by.App.ID, hook, err)
}

// outOfTurn refuses a call whose time was over before the calls ahead of it were answered.
func (b Before[T]) outOfTurn(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return im.Errorf(b.spec.Unanswered, "the application's back end takes too long over what came before")
	}
	return err
}

// unanswered applies the address's policy to a question without a sensible answer.
func (b Before[T]) unanswered(ctx context.Context, w *Webhooks, app im.AppID, hook *Hook, why error) error {
	w.Log.WarnContext(ctx, "callback not answered", telemetry.FieldWebhook, b.spec.Command, telemetry.FieldApp, app,
		telemetry.FieldError, why)
	if hook.Refuse {
		return im.Errorf(b.spec.Unanswered, "the application's back end did not answer")
	}
	return nil
}

func (b Before[T]) exchange(ctx context.Context, w *Webhooks, r *backend.Request) (Answer, error) {
	// A caller that goes away neither takes the decision from the back end nor makes it look dead.
	ctx, cancel := w.Clock.WithTimeout(context.WithoutCancel(ctx), askTimeout)
	defer cancel()
	endpoint := w.Endpoints.Get(backend.Key{App: r.App, Hook: r.Hook.Name, Blocking: true})
	got, err := endpoint.Call(ctx, r)
	if err != nil {
		return Answer{}, err
	}
	return b.judge(got.Body)
}
