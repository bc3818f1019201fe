package listen

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// connKey is where a request's context has its connection.
type connKey struct{}

// Attach has the listener know what an HTTP server does with its connections. It is called before the server serves.
func (l *Listener) Attach(to *http.Server) {
	to.ConnState = follow
	to.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, connKey{}, under(c))
	}
}

// Admit finds out whom a request comes from, which stands in its RemoteAddr afterwards, and counts the connection for that
// address until the request is answered, or for as long as it lives as a WebSocket. It answers, and returns false, when
// the address has as many connections as it may have.
func (l *Listener) Admit(w http.ResponseWriter, r *http.Request) bool {
	l.options.Proxies.Resolve(r)
	c, _ := r.Context().Value(connKey{}).(*conn)
	if c == nil || !c.lent {
		return true
	}
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || c.counts.settle(c, l.options.Proxies.counted(at.Addr())) {
		return true
	}
	l.refuse(r.Context(), reasonAddress, r.RemoteAddr)
	http.Error(w, "Your address has as many connections as it may have.", http.StatusServiceUnavailable)
	return false
}

// Hurry has connections end within a time on which no whole request has come: nobody waits for an answer there.
func (l *Listener) Hurry(within time.Duration) { l.counts.hurry(within) }
