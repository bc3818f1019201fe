package live

import "github.com/prometheus/client_golang/prometheus"

// watchMemory publishes what the live rooms of the node keep for who comes late and for guests.
func (l *Rooms) watchMemory(registry prometheus.Registerer) {
	registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "magpie_live_backlog_bytes", Help: "Bytes of the messages that live rooms of this node keep for who comes late.",
		}, func() float64 { return float64(l.kept.Load()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "magpie_live_guests", Help: "Guests that are inside live rooms on this node, each as often as he is.",
		}, func() float64 { return float64(l.origins.all()) }),
	)
}

// all is how many guests there are.
func (v *origins) all() (n int) {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	for one, of := range v.counts {
		if one.address == "" {
			n += of
		}
	}
	return n
}
