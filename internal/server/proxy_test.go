package server_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/client"
	"github.com/magpie-im/magpie/magpietest"
)

// addresses tells whom a back end is told of: of a message by REST, and of one by a client.
type addresses struct{ rest, client string }

// through sends a message by each door, over connections that dial makes to the server's address, and gives the
// addresses that the back end was told.
func through(t *testing.T, s *Server, address string, dial func(ctx context.Context, network, address string) (net.Conn, error)) addresses {
	t.Helper()
	s.Import(t, "alice", "bob")
	const before = "C2C.CallbackBeforeSendMsg"
	back := s.BackEnd(t, before)
	web := &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}
	message := fmt.Sprintf(`{"From_Account":"alice","To_Account":"bob","MsgRandom":%d,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hi"}}]}`, 7)
	response, err := web.Post("http://"+address+s.Path(t, "openim/sendmsg"), "", strings.NewReader(message))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil || !strings.Contains(string(body), `"OK"`) {
		t.Fatalf("REST: %s (%v)", body, err)
	}
	c, err := client.Dial(t.Context(), client.Options{
		URL: "ws://" + address, AppID: s.AppID, UserID: "alice", UserSig: s.UserSig(t, "alice"), DialContext: dial,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Send(t.Context(), client.Outgoing{To: "bob", Elements: []client.Element{client.Text("hi")}}); err != nil {
		t.Error(err)
	}
	_ = c.Close()
	<-c.Done()
	calls := back.Gets(t, before, 2)
	return addresses{calls[0].Query.Get("ClientIP"), calls[1].Query.Get("ClientIP")}
}

func direct(ctx context.Context, network, address string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, address)
}

// proxy is a real one in front of the server, which sets headers.
func proxy(t *testing.T, s *Server, header http.Header) string {
	t.Helper()
	target, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	p := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		for name, values := range header {
			r.Out.Header[name] = values
		}
	}}
	front := httptest.NewServer(p)
	t.Cleanup(front.Close)
	return strings.TrimPrefix(front.URL, "http://")
}

// Behind a trusted proxy both doors know the client's address; who is no trusted proxy cannot choose one.
func TestBehindProxy(t *testing.T) {
	const client, other = "203.0.113.7", "2001:db8::7"
	for _, row := range []struct {
		name, trusted string
		header        http.Header
		want          string
	}{
		{"X-Forwarded-For", "", http.Header{"X-Forwarded-For": {"1.1.1.1, " + client + ", 127.0.0.9"}}, client},
		{"X-Real-IP", "", http.Header{"X-Real-Ip": {other}}, other},
		{"a stranger", "10.0.0.0/8", http.Header{"X-Forwarded-For": {client}, "X-Real-Ip": {client}}, "127.0.0.1"},
		{"nobody is trusted", " ", http.Header{"X-Forwarded-For": {client}, "X-Real-Ip": {client}}, "127.0.0.1"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var with []magpietest.Option
			if row.trusted != "" {
				with = append(with, magpietest.Set(t, "trusted-proxies", row.trusted))
			}
			s := magpietest.Start(t, with...)
			if got := through(t, s, proxy(t, s, row.header), direct); got != (addresses{row.want, row.want}) {
				t.Errorf("the back end is told %+v, want %s", got, row.want)
			}
		})
	}
}

// balancer dials from the address of a trusted balancer and begins with a header.
func balancer(header string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
		conn, err := from.DialContext(ctx, network, address)
		if err == nil {
			_, err = io.WriteString(conn, header)
		}
		return conn, err
	}
}

// The same by the PROXY protocol, whose header stands before everything else on a connection.
func TestProxyProtocol(t *testing.T) {
	for name, header := range map[string]string{
		"version 1": "PROXY TCP4 203.0.113.7 10.0.0.1 258 80\r\n",
		"version 2": "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xcb\x00\x71\x07\x0a\x00\x00\x01\x01\x02\x00\x50",
	} {
		t.Run(name, func(t *testing.T) {
			s := magpietest.Start(t, magpietest.Set(t, "proxy-protocol", "true"), magpietest.Set(t, "trusted-proxies", "127.0.0.2"))
			if got := through(t, s, strings.TrimPrefix(s.URL, "http://"), balancer(header)); got != (addresses{"203.0.113.7", "203.0.113.7"}) {
				t.Errorf("the back end is told %+v", got)
			}
		})
	}
}

// A trusted balancer that sends no header is turned away and told of; a stranger that sends one chooses nothing.
func TestProxyProtocolRefuses(t *testing.T) {
	said := &journal{}
	s := magpietest.Start(t, magpietest.Log(said.log()), magpietest.Set(t, "proxy-protocol", "true"), magpietest.Set(t, "trusted-proxies", "127.0.0.2"))
	const request = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
	answer := func(dial func(context.Context, string, string) (net.Conn, error), text string) string {
		conn, err := dial(t.Context(), "tcp", strings.TrimPrefix(s.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, text)
		reply, _ := io.ReadAll(conn)
		line, _, _ := strings.Cut(string(reply), "\r\n")
		return line
	}
	const local = "PROXY UNKNOWN\r\n"
	if got := answer(balancer(local), request); got != "HTTP/1.1 200 OK" {
		t.Errorf("a balancer's check: %q", got)
	}
	if got := answer(balancer(""), request); got != "" {
		t.Errorf("a balancer without a header is answered %q", got)
	}
	if got := answer(direct, local+request); got != "HTTP/1.1 400 Bad Request" {
		t.Errorf("a stranger with a header is answered %q", got)
	}
	if got := answer(direct, request); got != "HTTP/1.1 200 OK" {
		t.Errorf("a stranger without a header: %q", got)
	}
	if lines := said.lines("level=WARN", "trusted proxy", "peer=127.0.0.2:", "PROXY protocol"); len(lines) != 1 {
		t.Errorf("the log says %q", lines)
	}
	metricsHave(t, s, `magpie_refused_total{door="listener",reason="proxy-header"} 1`)
}
