package server_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/magpie-im/magpie/magpietest"
)

// dialFrom connects from an address of the loopback.
func dialFrom(t *testing.T, s *Server, address string) net.Conn {
	t.Helper()
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	c, err := dialer.DialContext(t.Context(), "tcp", strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// served asks for a page on a connection, and reports whether it is answered.
func served(t *testing.T, c net.Conn) bool {
	t.Helper()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := fmt.Fprint(c, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		return false
	}
	answer := make([]byte, len("HTTP/1.1 200"))
	_, err := io.ReadFull(c, answer)
	return err == nil && strings.HasSuffix(string(answer), "200")
}

// One address does not take all places: its connections are bounded at both doors, others are served, the operator sees it,
// and what ends makes room again.
func TestConnectionsOfOneAddress(t *testing.T) {
	log := &journal{}
	s := magpietest.Start(t, magpietest.Log(log.log()), magpietest.Set(t, "trusted-proxies", " "), magpietest.Set(t, "max-connections-per-address", "3"))
	http.DefaultClient.CloseIdleConnections()
	socket := s.Connect(t) // of 127.0.0.1
	first, second := dialFrom(t, s, "127.0.0.1"), dialFrom(t, s, "127.0.0.1")
	if !served(t, first) || !served(t, second) {
		t.Fatal("connections within the bound are not served")
	}
	if served(t, dialFrom(t, s, "127.0.0.1")) {
		t.Error("a fourth connection is served, with a bound of three")
	}
	if !served(t, dialFrom(t, s, "127.0.0.9")) {
		t.Error("another address is not served")
	}
	if lines := log.lines("refused", "door=listener", "reason=address", "peer=127.0.0.1"); len(lines) != 1 {
		t.Errorf("the log has %q", lines)
	}
	socket.Close()
	magpietest.Eventually(t, "a WebSocket that ended makes room", func() bool { return served(t, dialFrom(t, s, "127.0.0.1")) })
}

// Behind a trusted proxy each of the clients has the bound for himself.
func TestConnectionsBehindProxy(t *testing.T) {
	s := magpietest.Start(t, magpietest.Set(t, "max-connections-per-address", "1"))
	ask := func(c net.Conn, client string) string {
		t.Helper()
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		_, _ = fmt.Fprintf(c, "GET /binfo?sdkappid=%d HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", s.AppID, client)
		answer := make([]byte, len("HTTP/1.1 101"))
		_, _ = io.ReadFull(c, answer)
		return string(answer[len("HTTP/1.1 "):])
	}
	alice := dialFrom(t, s, "127.0.0.1")
	if status := ask(alice, "192.0.2.1"); status != "101" {
		t.Fatalf("the first connection of a client is answered %s", status)
	}
	if status := ask(dialFrom(t, s, "127.0.0.1"), "192.0.2.1"); status != "503" {
		t.Errorf("his second connection is answered %s, want 503", status)
	}
	if status := ask(dialFrom(t, s, "127.0.0.1"), "192.0.2.2"); status != "101" {
		t.Errorf("another client is answered %s", status)
	}
	_ = alice.Close()
	magpietest.Eventually(t, "his place is free again", func() bool { return ask(dialFrom(t, s, "127.0.0.1"), "192.0.2.1") == "101" })
}

// A node that stops waits for who was promised an answer, and not for who has not asked yet: half a head, half a body.
func TestStopWithHalfRequests(t *testing.T) {
	s := magpietest.Start(t, magpietest.Set(t, "drain-timeout", "1m"))
	started := time.Now()
	for range 10 {
		_, _ = fmt.Fprint(dialFrom(t, s, "127.0.0.1"), "POST /v4/openim/sendmsg?x=")
		_, _ = fmt.Fprintf(dialFrom(t, s, "127.0.0.1"), "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{", s.Path(t, "openim/sendmsg"))
		_, _ = fmt.Fprint(dialFrom(t, s, "127.0.0.1"), "POST /v4/openim/sendmsg HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
		_, _ = fmt.Fprint(dialFrom(t, s, "127.0.0.1"), "GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
		_, _ = fmt.Fprint(dialFrom(t, s, "127.0.0.1"), "POST /demo/session HTTP/1.1\r\nHost: 127.0.0.1\r\nSec-Fetch-Site: same-origin\r\nContent-Length: 100\r\n\r\n{")
	}
	// A call that came whole is answered, so the halves are there too.
	s.MustREST(t, "im_open_login_svc/account_check", `{"CheckItem":[{"UserID":"alice"}]}`, nil)
	s.Stop(t)
	if took := time.Since(started); took > 10*time.Second {
		t.Errorf("it takes %v to stop", took)
	}
}

// A body that a page does not want, or that does not come, holds a connection for no longer than a moment, whatever it was sent to.
func TestBodiesOfPages(t *testing.T) {
	t.Parallel()
	s := magpietest.Start(t)
	held := map[string]net.Conn{}
	for _, head := range []string{"GET /", "GET /healthz", "POST /demo/session", "POST /nowhere", "GET /info", "GET /metrics"} {
		held[head] = dialFrom(t, s, "127.0.0.1")
		_, err := fmt.Fprintf(held[head], "%s HTTP/1.1\r\nHost: 127.0.0.1\r\nSec-Fetch-Site: same-origin\r\nContent-Length: 100\r\n\r\n{", head)
		if err != nil {
			t.Fatal(err)
		}
	}
	for head, c := range held {
		_ = c.SetReadDeadline(time.Now().Add(8 * time.Second))
		if said, err := io.ReadAll(c); err != nil || len(said) == 0 {
			t.Errorf("%s: %q, %v", head, said, err)
		}
	}
}
