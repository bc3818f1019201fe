package webhook

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// endpoint is what is remembered of one address: how many calls are under way, and how the last ones went. Callbacks
// that block and those that notify have one each, since they differ in how long a back end may take.
type endpoint struct {
	slots   chan struct{}
	breaker breaker
	metrics *telemetry.WebhookEndpoint
}

type endpointKey struct {
	app      im.AppID
	hook     string
	blocking bool
}

// endpoints holds the endpoints that were used; there are no more than addresses that were ever configured.
type endpoints struct {
	mutex   sync.Mutex
	byKey   map[endpointKey]*endpoint
	metrics *telemetry.Metrics
	before  int // calls at once to one address, of callbacks that block
	after   int // and of those that notify
}

func (e *endpoints) get(key endpointKey) *endpoint {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	one := e.byKey[key]
	if one == nil {
		size := e.after
		if key.blocking {
			size = e.before
		}
		one = &endpoint{slots: make(chan struct{}, size)}
		one.metrics = e.metrics.Webhook(key.app, key.hook, key.blocking, telemetry.WebhookState{
			Breaker: func() float64 { return float64(one.breaker.now()) },
			Calls:   func() float64 { return float64(len(one.slots)) },
		})
		e.byKey[key] = one
	}
	return one
}

// Why a call was not made or did not count.
var (
	errOpen = errors.New("webhook: the back end did not answer lately and is not asked")
	errBusy = errors.New("webhook: too many calls are waiting for the back end")
)

// call makes one call within the endpoint's bounds. A status other than 200 is an error too, with the reply beside it.
func (e *endpoint) call(ctx context.Context, c *caller, r *request) (reply, error) {
	select {
	case e.slots <- struct{}{}:
		defer func() { <-e.slots }()
	case <-ctx.Done():
		return reply{}, errBusy
	}
	e.breaker.to(r.hook.URL)
	if !e.breaker.allow(time.Now()) {
		return reply{}, errOpen
	}
	started := time.Now()
	got, err := c.call(ctx, r, started)
	if err == nil && got.status != http.StatusOK {
		err = &StatusError{got.status}
	}
	e.breaker.report(err == nil, time.Now())
	e.metrics.Observe(outcome(err), time.Since(started))
	return got, err
}

// outcome is the metric's word for how a call went.
func outcome(err error) string {
	var status *StatusError
	switch {
	case err == nil:
		return "answered"
	case errors.As(err, &status):
		return "status"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	default:
		return "failed"
	}
}

// StatusError is an answer with another HTTP status than 200.
type StatusError struct{ Status int }

// Error names the status.
func (e *StatusError) Error() string {
	return fmt.Sprintf("the back end answered HTTP %d %s", e.Status, http.StatusText(e.Status))
}
