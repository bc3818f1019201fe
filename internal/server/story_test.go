package server_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/magpie-im/magpie/client"
	"github.com/magpie-im/magpie/internal/bus/bustest"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/magpietest"
)

type (
	// M is a JSON object.
	M = magpietest.M
	// Server is a running Magpie.
	Server = magpietest.Server
	// Conn is a client's bare connection.
	Conn = magpietest.Conn
)

// nodes starts so many servers that are one service: one PostgreSQL, and one NATS inside the test. Alice, bob and carol
// have accounts.
func nodes(t *testing.T, n int) ([]*Server, *bustest.Server) {
	t.Helper()
	database, nats := dbtest.URL(t), bustest.StartServer(t)
	all := make([]*Server, n)
	for i := range all {
		all[i] = magpietest.Start(t, magpietest.Database(database), magpietest.Bus(nats.URL()))
	}
	all[0].Import(t, "alice", "bob", "carol")
	return all, nats
}

// sees waits until so many items were pushed to the connection, and compares them. What one node causes and what another
// does may arrive in any order, so a story waits where that matters.
func sees(t *testing.T, c *Conn, lines ...string) {
	t.Helper()
	var got []string
	more := func() bool {
		for _, p := range c.Pushes(t) {
			got = append(got, p.String())
		}
		return len(got) >= len(lines)
	}
	magpietest.Eventually(t, fmt.Sprintf("%s sees %q", c.UserID, lines), more)
	time.Sleep(50 * time.Millisecond) // for what should not come
	if more(); !slices.Equal(got, lines) {
		t.Errorf("%s sees %q, want %q", c.UserID, got, lines)
	}
}

// person is a Go client that keeps what it is told.
type person struct {
	*client.Client
	mutex sync.Mutex
	texts []string
	kicks []client.KickReason
}

// join logs a person in; the client looks for another node when one is lost.
func join(t *testing.T, userID string, on ...*Server) *person {
	t.Helper()
	p := &person{}
	options := client.Options{
		AppID: on[0].AppID, UserID: userID, UserSig: on[0].UserSig(t, userID), BackoffMin: 10 * time.Millisecond,
		OnMessage: func(m client.Message) {
			p.mutex.Lock()
			defer p.mutex.Unlock()
			p.texts = append(p.texts, m.Text())
		},
		OnKicked: func(why client.KickReason) {
			p.mutex.Lock()
			defer p.mutex.Unlock()
			p.kicks = append(p.kicks, why)
		},
	}
	for _, node := range on {
		options.URLs = append(options.URLs, node.WebSocketURL)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var err error
	if p.Client, err = client.Dial(ctx, options); err != nil {
		t.Fatalf("log %s in: %v", userID, err)
	}
	t.Cleanup(func() {
		_ = p.Close()
		<-p.Done()
	})
	return p
}

func (p *person) received() []string {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return slices.Clone(p.texts)
}

// hears waits until the person has received so many messages, and compares them.
func (p *person) hears(t *testing.T, want []string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); len(p.received()) < len(want) && time.Now().Before(deadline); {
		time.Sleep(5 * time.Millisecond)
	}
	time.Sleep(100 * time.Millisecond) // for what should not come
	got := p.received()
	if !slices.Equal(got, want) {
		t.Errorf("%s received %d messages, want %d: %s", p.UserID(), len(got), len(want), difference(got, want))
	}
}

// difference tells what is missing, what is too much, and where the order breaks.
func difference(got, want []string) string {
	count := map[string]int{}
	for _, text := range got {
		count[text]++
	}
	var missing, twice []string
	for _, text := range want {
		if count[text] == 0 {
			missing = append(missing, text)
		}
		if count[text] > 1 {
			twice = append(twice, text)
		}
	}
	text := fmt.Sprintf("missing %q, more than once %q", missing, twice)
	if missing == nil && twice == nil {
		for i := range min(len(got), len(want)) {
			if got[i] != want[i] {
				return fmt.Sprintf("from %d on %q, want %q", i, got[i], want[i])
			}
		}
	}
	return text
}

func (p *person) says(t *testing.T, to, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := p.Send(ctx, client.Outgoing{To: to, Elements: []client.Element{client.Text(text)}}); err != nil {
		t.Errorf("%s says %q: %v", p.UserID(), text, err)
	}
}
