package backend

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// Endpoint is what is remembered of one address: how many calls are under way, and how the last ones went. Callbacks
// that block and those that notify have one each, since they differ in how long a back end may take.
type Endpoint struct {
	of      *Endpoints
	slots   chan struct{}
	breaker breaker
	metrics *telemetry.WebhookEndpoint
}

// Key names an endpoint.
type Key struct {
	App im.AppID
	// Hook is the address's name among the application's.
	Hook string
	// Blocking tells the callbacks that block from those that notify.
	Blocking bool
}

// Options bound what is called.
type Options struct {
	// Before and After are how many calls to one address may be under way, of callbacks that block and that notify.
	Before, After int
	// ForbidPrivate refuses addresses of loopback, private and link-local networks.
	ForbidPrivate bool
	// Clock is what calls are timed by; nil is the system's.
	Clock *clock.Clock
}

// Endpoints holds the endpoints that were used; there are no more than addresses that were ever configured.
type Endpoints struct {
	options Options
	metrics *telemetry.Metrics
	caller  *caller

	mutex sync.Mutex
	byKey map[Key]*Endpoint
}

// New makes the endpoints of a node. Each node remembers for itself.
func New(metrics *telemetry.Metrics, o Options) *Endpoints {
	return &Endpoints{
		options: o, metrics: metrics, caller: newCaller(o.Before+o.After, o.ForbidPrivate), byKey: map[Key]*Endpoint{},
	}
}

// CloseIdle closes the connections to back ends on which nothing is under way.
func (e *Endpoints) CloseIdle() { e.caller.client.CloseIdleConnections() }

// Get returns the endpoint, which it makes if there is none yet.
func (e *Endpoints) Get(key Key) *Endpoint {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	one := e.byKey[key]
	if one == nil {
		size := e.options.After
		if key.Blocking {
			size = e.options.Before
		}
		one = &Endpoint{of: e, slots: make(chan struct{}, size)}
		one.metrics = e.metrics.Webhook(key.App, key.Hook, key.Blocking, telemetry.WebhookState{
			Breaker: func() float64 { return float64(one.breaker.now()) },
			Calls:   func() float64 { return float64(one.Calling()) },
		})
		e.byKey[key] = one
	}
	return one
}

// Why a call was not made.
var (
	// ErrOpen says that the back end did not answer lately and is not called for a while.
	ErrOpen = errors.New("webhook: the back end did not answer lately and is not asked")
	// ErrBusy says that the time was over before a call might begin.
	ErrBusy = errors.New("webhook: too many calls are waiting for the back end")
)

// Call makes one call within the endpoint's bounds, and waits for its turn as long as ctx allows. A status that is not
// 2xx is a *StatusError, with the reply beside it.
func (e *Endpoint) Call(ctx context.Context, r *Request) (Reply, error) {
	select {
	case e.slots <- struct{}{}:
		defer func() { <-e.slots }()
	case <-ctx.Done():
		return Reply{}, ErrBusy
	}
	e.Aim(r.Hook.URL)
	now := e.of.options.Clock
	started := now.Now()
	if !e.breaker.allow(started) && !r.Trial {
		return Reply{}, ErrOpen
	}
	got, err := e.of.caller.call(ctx, r, started)
	if err == nil && got.Status/100 != 2 {
		err = &StatusError{got.Status}
	}
	e.breaker.report(err == nil, now.Now())
	e.metrics.Observe(outcome(err), now.Since(started))
	return got, err
}

// Aim sets the URL of the next calls. When it is another one, the breaker closes: the failures were those of the old URL.
func (e *Endpoint) Aim(url string) { e.breaker.to(url) }

// Reopens is when the next call may be tried of a back end that does not answer; the zero time while it does.
func (e *Endpoint) Reopens() time.Time { return e.breaker.reopens() }

// Calling is how many calls are under way.
func (e *Endpoint) Calling() int { return len(e.slots) }

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

// StatusError is an answer with another HTTP status than 2xx.
type StatusError struct{ Status int }

// Error names the status.
func (e *StatusError) Error() string {
	return fmt.Sprintf("the back end answered HTTP %d %s", e.Status, http.StatusText(e.Status))
}
