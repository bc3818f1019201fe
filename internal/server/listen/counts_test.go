package listen

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"testing"

	"github.com/magpie-im/magpie/internal/telemetry"
)

// bounded opens a listener with bounds, and gives a way to connect from an address of the loopback, which reports whether
// the connection was taken.
func bounded(t *testing.T, b Bounds, proxies ...netip.Prefix) (l *Listener, from func(address string) (net.Conn, *conn)) {
	t.Helper()
	metrics := telemetry.NewMetrics()
	l, err := Open(t.Context(), Options{
		Address: "127.0.0.1:0", Bounds: b, Proxies: proxies, Metrics: metrics,
		Refusals: telemetry.NewRefusals(slog.New(slog.DiscardHandler), metrics, nil),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	raw := l.raw.(*net.TCPListener)
	return l, func(address string) (net.Conn, *conn) {
		t.Helper()
		dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
		client, err := dialer.DialContext(context.Background(), "tcp", raw.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = client.Close() })
		accepted, err := raw.AcceptTCP()
		if err != nil {
			t.Fatal(err)
		}
		taken := l.take(accepted)
		if taken == nil {
			return client, nil
		}
		return client, under(taken)
	}
}

// One address gets its share and no more; what closes makes room; a WebSocket counts among those of its address only.
func TestBounds(t *testing.T) {
	l, from := bounded(t, Bounds{Address: 3, HTTP: 8})
	_, first := from("127.0.0.1")
	_, second := from("127.0.0.1")
	if _, third := from("127.0.0.1"); first == nil || second == nil || third != nil {
		t.Fatal("one address gets another number of HTTP connections than a quarter of eight")
	}
	l.counts.upgraded(first)
	_, third := from("127.0.0.1")
	if third == nil {
		t.Fatal("a WebSocket takes the place of an HTTP connection")
	}
	l.counts.upgraded(second)
	if _, fourth := from("127.0.0.1"); fourth != nil {
		t.Error("a fourth connection of an address was taken, with a bound of three")
	}
	if _, other := from("127.0.0.2"); other == nil {
		t.Error("another address was refused")
	}
	for range 2 { // closing twice counts once
		_ = first.Close()
	}
	if _, fifth := from("127.0.0.1"); fifth == nil {
		t.Error("a closed connection still counts")
	}
	if _, sixth := from("127.0.0.1"); sixth != nil {
		t.Error("a connection that was closed twice counts twice")
	}
}

// The bound in all holds for everybody, and what is closed is forgotten.
func TestBoundInAll(t *testing.T) {
	l, from := bounded(t, Bounds{HTTP: 8})
	var taken []*conn
	for i := range 8 {
		_, c := from([]string{"127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"}[i%4])
		if c == nil {
			t.Fatalf("connection %d was refused", i+1)
		}
		taken = append(taken, c)
	}
	if _, c := from("127.0.0.5"); c != nil {
		t.Error("a ninth connection was taken")
	}
	for _, c := range taken {
		_ = c.Close()
	}
	if len(l.counts.http) != 0 || len(l.counts.of) != 0 {
		t.Errorf("%d connections and %d addresses are kept", len(l.counts.http), len(l.counts.of))
	}
}

// A trusted proxy's connections count for those that it speaks for, one after the other.
func TestBoundsBehindProxy(t *testing.T) {
	l, from := bounded(t, Bounds{Address: 1, HTTP: 100}, netip.MustParsePrefix("127.0.0.0/8"))
	_, first := from("127.0.0.1")
	_, second := from("127.0.0.1")
	if first == nil || second == nil {
		t.Fatal("a trusted proxy is counted")
	}
	alice, bob := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	if !l.counts.settle(first, alice) || l.counts.settle(second, alice) || !l.counts.settle(second, bob) {
		t.Error("the bound of one does not hold for those whom the proxy speaks for")
	}
	if !l.counts.settle(first, netip.Addr{}) || !l.counts.settle(second, alice) {
		t.Error("a connection that is idle still counts")
	}
}
