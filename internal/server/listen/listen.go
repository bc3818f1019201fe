// Package listen is how connections come in: on an address, behind proxies, through TLS. It tells the operator what
// otherwise only a library notices: handshakes that fail, and connections that cannot be accepted.
//
// It knows nothing of what is asked on a connection.
package listen

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"

	"github.com/magpie-im/magpie/internal/telemetry"
)

// Options say where to listen and how.
type Options struct {
	// Address is host and port; port 0 picks a free one.
	Address string
	// Opened is a listener that is there already, in place of one at Address; nil is none.
	Opened net.Listener
	// Cert and Key are files; both empty is no TLS.
	Cert, Key string
	// Proxies are believed about whom they speak for.
	Proxies Proxies
	// ProxyProtocol expects its header from Proxies, and only from them.
	ProxyProtocol bool
	// Bounds are how many connections are open at once.
	Bounds   Bounds
	Refusals *telemetry.Refusals
	Metrics  *telemetry.Metrics
}

// Listener accepts connections until it is closed; trouble with one connection does not end it.
type Listener struct {
	net.Listener // gives what the doors get
	raw          net.Listener
	options      Options
	counts       *counts
	pair         atomic.Pointer[tls.Certificate]
}

// Open begins to listen.
func Open(ctx context.Context, o Options) (*Listener, error) {
	l := &Listener{options: o, counts: &counts{bounds: o.Bounds, http: map[*conn]struct{}{}, of: map[netip.Addr]count{}}}
	if err := l.Reload(); err != nil {
		return nil, err
	}
	var err error
	if l.raw = o.Opened; l.raw == nil {
		if l.raw, err = new(net.ListenConfig).Listen(ctx, "tcp", o.Address); err != nil {
			return nil, fmt.Errorf("listen: %w", err)
		}
	}
	l.Listener = accepter{l.raw, l}
	if o.Cert != "" {
		// HTTP/1.1 only: a WebSocket takes over its connection, which HTTP/2 does not allow.
		l.Listener = tls.NewListener(l.Listener, &tls.Config{
			GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return l.pair.Load(), nil },
			MinVersion:     tls.VersionTLS12, NextProtos: []string{"http/1.1"},
		})
	}
	return l, nil
}

// Reload reads the certificate's files again, for connections to come; after an error the former certificate stays in
// use. Without TLS it does nothing.
func (l *Listener) Reload() error {
	if l.options.Cert == "" {
		return nil
	}
	pair, err := certificate(l.options.Cert, l.options.Key)
	if err == nil {
		l.pair.Store(&pair)
	}
	return err
}

// CheckCertificate reports what is wrong with a certificate's files; nothing is when both are empty, for no TLS.
func CheckCertificate(cert, key string) error {
	if cert == "" {
		return nil
	}
	_, err := certificate(cert, key)
	return err
}

func certificate(cert, key string) (tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return pair, fmt.Errorf("load certificate: %w", err)
	}
	return pair, nil
}

// accepter is the listener below TLS.
type accepter struct {
	net.Listener
	of *Listener
}

// Accept gives the next connection that there is room for. Its errors, but for the listener's own end, pass: net/http
// waits a little and tries again.
func (a accepter) Accept() (net.Conn, error) {
	for {
		accepted, err := a.Listener.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return nil, err
			}
			a.of.report(err)
			return nil, passing{err}
		}
		if taken := a.of.take(accepted.(*net.TCPConn)); taken != nil {
			return taken, nil
		}
	}
}

// take counts a connection; nil when there is no room for it.
func (l *Listener) take(accepted *net.TCPConn) net.Conn {
	from := peer(accepted.RemoteAddr())
	c := &conn{TCPConn: accepted, counts: l.counts, lent: l.options.Proxies.trust(from)}
	if reason := l.counts.add(c, l.options.Proxies.counted(from)); reason != "" {
		l.refuse(context.Background(), reason, accepted.RemoteAddr().String())
		_ = accepted.Close()
		return nil
	}
	if l.options.ProxyProtocol && c.lent {
		return &proxied{conn: c, of: l}
	}
	return c
}

func (l *Listener) refuse(ctx context.Context, reason, peer string) {
	l.options.Refusals.Tell(ctx, "listener", reason, telemetry.FieldPeer, peer)
}

func (l *Listener) report(err error) {
	reason := "other"
	switch {
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		reason = "descriptors"
	case errors.Is(err, syscall.ENOBUFS), errors.Is(err, syscall.ENOMEM):
		reason = "memory"
	}
	l.options.Metrics.AcceptFails.WithLabelValues(reason).Inc()
	l.options.Refusals.Warn(context.Background(), "accept "+reason, "a connection could not be accepted; the next ones are tried",
		telemetry.FieldReason, reason, telemetry.FieldError, err)
}

// passing is an error of Accept after which net/http tries again.
type passing struct{ error }

// Temporary is what net/http asks for.
func (passing) Temporary() bool { return true }

// Timeout makes it a net.Error.
func (passing) Timeout() bool { return false }

// Unwrap gives the error itself.
func (p passing) Unwrap() error { return p.error }

// peer reads a connection's address; it is not valid for one that is no IP address.
func peer(address net.Addr) netip.Addr {
	at, err := netip.ParseAddrPort(address.String())
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap()
}
