package bus

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
)

// route is where the messages of one subject go. sub is nil while Subscribe is under way.
type route struct {
	handler Handler
	sub     *nats.Subscription
}

// Subscribe implements [Bus]. It may wait for the server, up to writeWait, when the connection is stuck.
func (n *NATS) Subscribe(s Subject, h Handler) error {
	if err := s.check(); err != nil {
		return err
	}
	n.changing.Lock()
	defer n.changing.Unlock()
	if n.closed.Load() {
		return ErrClosed
	}
	if n.route(s).handler != nil {
		return ErrSubscribed
	}
	n.setRoute(s, route{handler: h})
	sub, err := n.conn.ChanSubscribe(n.name(s), n.arrivals)
	if err != nil {
		n.setRoute(s, route{})
		return fmt.Errorf("subscribe to %v: %w", s, n.meaning(err))
	}
	n.setRoute(s, route{handler: h, sub: sub})
	n.made.Add(1)
	return nil
}

// Unsubscribe implements [Bus]. Messages that have arrived for s and were not received yet are discarded.
func (n *NATS) Unsubscribe(s Subject) error {
	if err := s.check(); err != nil {
		return err
	}
	n.changing.Lock()
	defer n.changing.Unlock()
	if n.closed.Load() {
		return ErrClosed
	}
	old := n.route(s)
	if old.sub == nil {
		return nil
	}
	n.setRoute(s, route{})
	if err := old.sub.Unsubscribe(); err != nil {
		return fmt.Errorf("unsubscribe from %v: %w", s, n.meaning(err))
	}
	return nil
}

func (n *NATS) name(s Subject) string { return string(s.appendTo([]byte(n.prefix))) }

// subject undoes name. It reports false for a name that this package did not write.
func (n *NATS) subject(name string) (Subject, bool) {
	rest, ok := strings.CutPrefix(name, n.prefix)
	if !ok || len(rest) < 3 || rest[1] != '.' {
		return Subject{}, false
	}
	id, err := strconv.ParseInt(rest[2:], 10, 64)
	return Subject{Kind: Kind(rest[0]), ID: id}, err == nil
}

func (n *NATS) route(s Subject) route {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.routes[s]
}

func (n *NATS) setRoute(s Subject, r route) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if r.handler == nil {
		delete(n.routes, s)
		return
	}
	n.routes[s] = r
}

func checkCluster(cluster string) error {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
	if cluster == "" || strings.Trim(cluster, letters) != "" {
		return fmt.Errorf("bus: cluster name %q: want letters, digits, - and _", cluster)
	}
	return nil
}
