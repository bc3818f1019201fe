package webhook

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

const (
	// afterTimeout is how long a back end may take for a callback that only notifies.
	afterTimeout = 5 * time.Second

	retryFirst = time.Second
	retryMost  = 5 * time.Minute
	// keepReply is how much of an answer an attempt's record keeps, in bytes.
	keepReply = 200
)

// serve is a worker: it makes calls until the queue ends.
func (q *queue) serve(ctx context.Context) {
	for e := range q.work {
		q.results <- q.attempt(ctx, e)
	}
}

// attempt makes one call and decides what follows. A callback whose address is gone becomes a dead letter.
func (q *queue) attempt(ctx context.Context, e waiting) (r finished) {
	now := time.Now()
	defer func() { r.event = e }()
	r.at = now.UnixMilli()
	hook := q.hook()
	if hook == nil {
		e.attempts++
		r.then, r.reply = dead, "the application has no such webhook address"
		return r
	}
	ctx, cancel := context.WithTimeout(ctx, afterTimeout)
	defer cancel()
	got, err := q.endpoint.call(ctx, q.w.caller, &request{
		hook: hook, app: q.key.app, command: e.command, address: e.address, platform: e.platform, body: e.body,
		event: e.id, attempt: e.attempts + 1,
	})
	r.took, r.status = time.Since(now).Milliseconds(), got.status
	if errors.Is(err, errOpen) || errors.Is(err, errBusy) || errors.Is(err, context.Canceled) {
		r.then = postponed
		return r
	}
	e.attempts++
	r.reply = brief(got.body, err)
	if err != nil {
		r.then = e.next(hook, time.Now())
	}
	return r
}

func (q *queue) hook() *im.Webhook {
	app := q.w.apps.App(q.key.app)
	if app == nil {
		return nil
	}
	hook := app.Settings.Webhook(q.key.hook)
	if hook == nil || hook.URL == "" {
		return nil
	}
	return hook
}

// aim sees to it that an address that was changed is not left alone for what its old place did.
func (q *queue) aim() {
	url := ""
	if hook := q.hook(); hook != nil {
		url = hook.URL
	}
	q.endpoint.breaker.to(url)
}

// next decides after a failed attempt: again, later each time and never in step with others, or not any more.
func (e *waiting) next(hook *im.Webhook, now time.Time) verdict {
	wait := min(retryFirst<<min(e.attempts-1, 20), retryMost)
	wait = wait/2 + rand.N(wait/2)
	if !hook.Retry || now.Add(wait).Sub(time.UnixMilli(e.since)) > hook.RetryFor {
		return dead
	}
	e.nextAt = now.Add(wait).UnixMilli()
	return again
}

// brief is the beginning of an answer, or why there was none.
func brief(body []byte, err error) string {
	text := string(body[:min(len(body), keepReply)])
	if err != nil && text == "" {
		text = err.Error()
	}
	return wire.Text(strings.ToValidUTF8(text[:min(len(text), keepReply)], ""))
}
