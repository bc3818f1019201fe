package gateway_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/lxzan/gws"

	"github.com/magpie-im/magpie/internal/gateway"
	"github.com/magpie-im/magpie/magpietest"
)

// A sleeping session is woken by what comes, by the end of its client, and by our own closing; below TLS as well.
func TestSleep(t *testing.T) {
	h := openRig(t)
	stays, leaves, closed := h.enter(t, "alice"), h.visitor(t), h.visitor(t)
	for range 3 {
		magpietest.Eventually(t, "all are asleep", func() bool { return h.gateway.Asleep() == 3 })
		stays.asks(t, visit{Name: "again"})
		stays.hears(t, "again 0")
	}
	leaves.leave()
	magpietest.Eventually(t, "the lost one is gone", func() bool { return h.metric(t, "magpie_connections ") == 2 })
	magpietest.Eventually(t, "the others are asleep", func() bool { return h.gateway.Asleep() == 2 })
	h.gateway.CloseAll(gateway.LeaseLost)
	for _, g := range []*guest{stays, closed} {
		if got := <-g.closed; !strings.Contains(got, gateway.LeaseLost.Reason) {
			t.Errorf("closed with %q", got)
		}
	}
	magpietest.Eventually(t, "all are gone", func() bool { return h.metric(t, "magpie_connections ") == 0 })
}

// gathering keeps what is written back while it gathers, so that several records of TLS go out in one write.
type gathering struct {
	net.Conn
	gathers bool
	kept    bytes.Buffer
}

func (g *gathering) Write(p []byte) (int, error) {
	if g.gathers {
		return g.kept.Write(p)
	}
	return g.Conn.Write(p)
}

// Below TLS bytes may have left the socket that the reader has not seen. No session falls asleep over them.
func TestSleepBelowTLS(t *testing.T) {
	h := openRig(t)
	secure := httptest.NewTLSServer(h.gateway)
	t.Cleanup(secure.Close)
	address := strings.TrimPrefix(secure.URL, "https://")
	socket, err := net.Dial("tcp", address)
	must(t, err)
	below := &gathering{Conn: socket}
	g := &guest{answers: make(chan string, 1000), closed: make(chan string, 1)}
	g.conn, _, err = gws.NewClientFromConn(g, &gws.ClientOption{
		Addr: fmt.Sprintf("wss://%s/binfo?sdkappid=%d&platform=7", address, magpietest.AppID),
	}, tls.Client(below, &tls.Config{InsecureSkipVerify: true}))
	must(t, err)
	t.Cleanup(g.leave)
	go g.conn.ReadLoop()
	g.logIn(t, "alice")
	for round := range 3 {
		magpietest.Eventually(t, "it is asleep", func() bool { return h.gateway.Asleep() == 1 })
		below.gathers = true
		for n := range 5 {
			g.asks(t, visit{Name: fmt.Sprint(round, "-", n), Text: strings.Repeat("x", 40_000*(n%2))})
		}
		below.gathers = false
		_, err := below.kept.WriteTo(socket)
		must(t, err)
		for n := range 5 {
			g.hears(t, fmt.Sprint(round, "-", n, " 0"))
		}
	}
}
