package outbox

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/url"
	"strings"
	"time"

	"github.com/magpie-im/magpie/internal/webhook"
	"github.com/magpie-im/magpie/internal/webhook/backend"
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

// line is the way to one address. It does not change, so all may use it.
type line struct {
	o        *Outbox
	key      queueKey
	endpoint *backend.Endpoint
}

func newLine(o *Outbox, key queueKey) line {
	return line{o, key, o.Endpoints.Get(backend.Key{App: key.app, Hook: key.hook})}
}

// attempt makes one call, in a trial also while the breaker is open, and decides what follows. A callback whose address is
// gone becomes a dead letter, and one of an application that was removed goes with it.
func (n *line) attempt(ctx context.Context, e waiting, trial bool) (r finished) {
	now := n.o.Clock.Now()
	defer func() { r.callback = e }()
	r.at = now.UnixMilli()
	app := n.o.apps.App(n.key.app)
	if app == nil {
		r.then, r.reply = e.homeless(now), "this node does not know the application"
		return r
	}
	hook := webhook.Address(app, n.key.hook)
	if hook == nil {
		e.attempts++
		r.then, r.reply = dead, "the application has no such webhook address"
		return r
	}
	ctx, cancel := n.o.Clock.WithTimeout(ctx, afterTimeout)
	defer cancel()
	got, err := n.endpoint.Call(ctx, &backend.Request{
		Hook: hook, App: n.key.app, Command: e.command, ClientIP: e.clientIP, Platform: e.platform, Body: e.body,
		Event: e.id, Attempt: e.attempts + 1, Trial: trial,
	})
	r.took, r.status, r.host = n.o.Clock.Since(now).Milliseconds(), got.Status, host(hook.URL)
	if errors.Is(err, backend.ErrOpen) || errors.Is(err, backend.ErrBusy) || errors.Is(err, context.Canceled) {
		r.then = postponed
		return r
	}
	e.attempts++
	r.reply = brief(got.Body, err)
	if err != nil {
		r.then = e.next(hook, n.o.Clock.Now())
	}
	return r
}

// newApplication is for how long after a callback was stored this node may not have heard of its application yet. It is less
// than an application is disabled before it is removed.
const newApplication = time.Minute

// homeless decides about a callback of an application that this node does not know: it is new, or was removed.
func (e *waiting) homeless(now time.Time) verdict {
	if now.Sub(time.UnixMilli(e.since)) > newApplication {
		return gone
	}
	e.attempts++
	e.nextAt = now.Add(retryFirst).UnixMilli()
	return again
}

// host is an address without its path and its query, which may hold keys.
func host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}

func (n *line) hook() *webhook.Hook { return webhook.Address(n.o.apps.App(n.key.app), n.key.hook) }

// aim closes the breaker when the address was changed: the failures were those of the old one.
func (n *line) aim() {
	url := ""
	if hook := n.hook(); hook != nil {
		url = hook.URL
	}
	n.endpoint.Aim(url)
}

// next decides after a failed attempt: again, later each time and never in step with others, or not any more.
func (e *waiting) next(hook *webhook.Hook, now time.Time) verdict {
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
