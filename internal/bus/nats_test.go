package bus_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/bus/bustest"
)

func TestNATS(t *testing.T) {
	server := bustest.StartServer(t)
	bustest.Run(t, func(t *testing.T) (bus.Bus, bus.Bus) {
		// One server for all: the cluster name keeps the subtests apart.
		cluster := strings.Map(token, t.Name())
		return connect(t, server.URL(), cluster), connect(t, server.URL(), cluster)
	})
}

func token(r rune) rune {
	if strings.ContainsRune("/ ", r) {
		return '_'
	}
	return r
}

func connect(t testing.TB, url, cluster string) *bus.NATS {
	t.Helper()
	n, err := bus.ConnectNATS(t.Context(), url, cluster, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	return n
}

func TestNATSBroadcast(t *testing.T) {
	server := bustest.StartServer(t)
	all := bus.Subject{Kind: bus.KindAll}
	var nodes []*bus.NATS
	got := bustest.NewRecorder(t, 3)
	for range 3 {
		n := connect(t, server.URL(), "c")
		bustest.Subscribe(t, n, all, got)
		bustest.Flush(t, n)
		nodes = append(nodes, n)
	}
	bustest.Publish(t, nodes[1], all, "to all three")
	for range nodes {
		got.Want(all, "to all three")
	}
}

func TestNATSClustersAreApart(t *testing.T) {
	server := bustest.StartServer(t)
	one, two := connect(t, server.URL(), "one"), connect(t, server.URL(), "two")
	ofOne, ofTwo := bustest.NewRecorder(t, 1), bustest.NewRecorder(t, 1)
	bustest.Subscribe(t, one, bustest.Devices(1), ofOne)
	bustest.Subscribe(t, two, bustest.Devices(1), ofTwo)
	bustest.Flush(t, one)
	bustest.Flush(t, two)
	bustest.Publish(t, one, bustest.Devices(1), "x")
	ofOne.Want(bustest.Devices(1), "x")
	bustest.Publish(t, two, bustest.Devices(1), "y")
	ofTwo.Want(bustest.Devices(1), "y")
}

func TestConnectNATSRefuses(t *testing.T) {
	server := bustest.StartServer(t)
	for _, cluster := range []string{"", "a.b", ".", "a b", "*", ">", "é", "a\n"} {
		if n, err := bus.ConnectNATS(t.Context(), server.URL(), cluster, nil); err == nil {
			t.Errorf("cluster %q accepted", cluster)
			_ = n.Close()
		}
	}
	for _, url := range []string{"nats://127.0.0.1:1", "nats://user:secret@127.0.0.1:bad", "nats://user:secret@\x7f"} {
		_, err := bus.ConnectNATS(t.Context(), url, "c", nil)
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("url %q: %v", url, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := bus.ConnectNATS(ctx, server.URL(), "c", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestConnectNATSGivesUp cancels while a server takes the connection and says nothing.
func TestConnectNATSGivesUp(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		conn, err := silent.Accept()
		cancel()
		if err == nil {
			t.Cleanup(func() { _ = conn.Close() })
		}
	}()
	if _, err := bus.ConnectNATS(ctx, "nats://"+silent.Addr().String(), "c", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("connect to a server that says nothing: %v", err)
	}
}
