package webhook

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
	"github.com/magpie-im/magpie/internal/wire"
)

// askTimeout is how long a callback that blocks may take, the wait for a free slot included; the interface fixes it.
const askTimeout = 2 * time.Second

// Answer is what a back end said to a callback that blocks. The zero Answer lets everything pass unchanged.
type Answer struct {
	// Silent drops the operation, and the caller sees success.
	Silent bool
	raw    []byte
}

// Read reads the answer's further fields, as a rule may offer them.
func (a *Answer) Read(into any) error {
	if len(a.raw) == 0 {
		return nil
	}
	return wire.Unmarshal(a.raw, into)
}

type answerHead struct {
	ErrorCode *im.Code `json:"ErrorCode"`
	ErrorInfo string   `json:"ErrorInfo"`
}

// Wanted reports whether an address of the application ticked the callback.
func (b Before[T]) Wanted(app *im.App) bool { return b.hook(app) != nil }

// hook is the first address that ticked the callback: only one can decide.
func (b Before[T]) hook(app *im.App) *im.Webhook {
	for i := range app.Settings.Webhooks {
		if hook := &app.Settings.Webhooks[i]; hook.Wants(b.spec.Command) {
			return hook
		}
	}
	return nil
}

// Ask asks the back end. It must not be called while a transaction is open. An *im.Error is the refusal that the caller
// gets: the back end's, or that of the address's policy when the back end did not answer in time, or not sensibly. use
// takes over what the answer holds beyond the verdict; its error is a senseless answer too. Nobody ticked it: the zero
// Answer.
func (b Before[T]) Ask(ctx context.Context, w *Webhooks, by Origin, body T, use func(*Answer) error) (Answer, error) {
	hook := b.hook(by.App)
	if hook == nil {
		return Answer{}, nil
	}
	text, err := encodeBody(b.spec.Command, body)
	if err != nil {
		return Answer{}, err
	}
	answer, err := b.exchange(ctx, w, &request{
		hook: hook, app: by.App.ID, command: b.spec.Command, address: by.Address, platform: by.Platform, body: text,
	})
	if _, refused := im.Refusal(err); refused || answer.Silent {
		return answer, err
	}
	if err == nil && use != nil {
		err = use(&answer)
	}
	if err == nil {
		return answer, nil
	}
	w.log.WarnContext(ctx, "callback not answered", telemetry.FieldWebhook, b.spec.Command, telemetry.FieldApp, by.App.ID,
		telemetry.FieldError, err)
	if hook.Refuse {
		return Answer{}, im.Errorf(b.spec.Unanswered, "the application's back end did not answer")
	}
	return Answer{}, nil
}

func (b Before[T]) exchange(ctx context.Context, w *Webhooks, r *request) (Answer, error) {
	// A caller that goes away neither takes the decision from the back end nor makes it look dead.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askTimeout)
	defer cancel()
	endpoint := w.endpoints.get(endpointKey{r.app, r.hook.Name, true})
	got, err := endpoint.call(ctx, w.caller, r)
	if err != nil {
		return Answer{}, err
	}
	return b.judge(got.body)
}

// judge reads the verdict (docs/protocol/webhooks.md#result-codes). A code that the interface gives no meaning is an
// error like any other senseless answer.
func (b Before[T]) judge(body []byte) (Answer, error) {
	var head answerHead
	if err := wire.Unmarshal(body, &head); err != nil {
		return Answer{}, err
	}
	if head.ErrorCode == nil {
		return Answer{}, errNoVerdict
	}
	const refuse, silence = 1, 2
	switch code := *head.ErrorCode; {
	case code == im.CodeOK:
		return Answer{raw: body}, nil
	case code == refuse:
		return Answer{}, im.Errorf(b.spec.Refused, "the application's back end refused it")
	case code == silence && b.spec.MaySilence:
		return Answer{Silent: true}, nil
	case b.spec.Low <= code && code <= b.spec.High:
		return Answer{}, im.Errorf(code, "%s", wire.Text(head.ErrorInfo))
	default:
		return Answer{}, fmt.Errorf("webhook: the back end answered with ErrorCode %d, which means nothing here", code)
	}
}

var errNoVerdict = errors.New("webhook: the back end's answer has no ErrorCode")
