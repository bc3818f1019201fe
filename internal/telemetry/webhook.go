package telemetry

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/magpie-im/magpie/internal/im"
)

func (m *Metrics) makeWebhooks() {
	m.WebhookDead = counter("magpie_webhook_dead_total", "Callbacks that were given up and kept as dead letters.")
	m.WebhookSeconds = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "magpie_webhook_seconds", Help: "Time of one call to a back end, by kind (before blocks, after notifies).",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2, 5},
	}, []string{"kind"})
	m.WebhookOutcomes = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "magpie_webhook_calls_total",
		Help: "Calls to back ends, by application, address, kind and outcome: answered, status (not 2xx), timeout, failed.",
	}, []string{"app", "hook", "kind", "outcome"})
}

// WebhookEndpoint are the measurements of one address of an application's back end.
type WebhookEndpoint struct {
	outcomes *prometheus.CounterVec
	seconds  prometheus.Observer
}

// WebhookState is what an endpoint tells of itself at each scrape.
type WebhookState struct {
	// Breaker is 0 closed, 1 trying, 2 open.
	Breaker func() float64
	// Calls is how many are under way.
	Calls func() float64
}

// Webhook makes the measurements of one address for callbacks that block, or for those that notify. Call it once for each.
func (m *Metrics) Webhook(app im.AppID, hook string, blocking bool, state WebhookState) *WebhookEndpoint {
	labels := prometheus.Labels{"app": strconv.FormatUint(uint64(app), 10), "hook": hook, "kind": "after"}
	if blocking {
		labels["kind"] = "before"
	}
	m.registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "magpie_webhook_breaker", ConstLabels: labels,
			Help: "Whether the address is called: 0 yes, 1 a single call is trying, 2 no, because it did not answer lately.",
		}, state.Breaker),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "magpie_webhook_calls", ConstLabels: labels, Help: "Calls under way to the address.",
		}, state.Calls),
	)
	return &WebhookEndpoint{m.WebhookOutcomes.MustCurryWith(labels), m.WebhookSeconds.WithLabelValues(labels["kind"])}
}

// Observe counts one call.
func (e *WebhookEndpoint) Observe(outcome string, took time.Duration) {
	e.outcomes.WithLabelValues(outcome).Inc()
	e.seconds.Observe(took.Seconds())
}
