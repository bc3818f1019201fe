package node_test

import (
	"context"
	"errors"
	"log/slog"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/bus/bustest"
	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/internal/node"
)

// start makes a node, and has it enter.
func start(t *testing.T, d *db.DB, b bus.Bus) (*node.Node, error) {
	t.Helper()
	n := node.New(node.Parts{DB: d, Bus: b, Log: slog.New(slog.DiscardHandler)}).Hasten("")
	return n, n.Enter(t.Context())
}

// live renews a node's lease until the test ends, or until the function is called.
func live(t *testing.T, n *node.Node) (die func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { n.Keep(ctx) })
	die = func() {
		cancel()
		running.Wait()
	}
	t.Cleanup(die)
	return die
}

func connect(t *testing.T, address, cluster string) bus.Bus {
	t.Helper()
	b, err := bus.ConnectNATS(t.Context(), address, cluster, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// Nodes that hear each other share a database, and others do not: whoever comes second is refused and says why.
func TestNeighbours(t *testing.T) {
	one, other := bustest.StartServer(t).URL(), bustest.StartServer(t).URL()
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		for _, row := range []struct {
			name          string
			first, second func(t *testing.T) bus.Bus
			want          error
		}{
			{"none and none", none, none, node.ErrNoBus},
			{"none and one", none, nats(one, "c"), node.ErrNoBus},
			{"one and none", nats(one, "c"), none, node.ErrNoBus},
			{"two buses", nats(one, "c"), nats(other, "c"), node.ErrOtherBus},
			{"two clusters", nats(one, "c"), nats(one, "d"), node.ErrOtherBus},
			{"one bus", nats(one, "c"), nats(one, "c"), nil},
		} {
			t.Run(row.name, func(t *testing.T) {
				options := o
				if o.Dir != "" {
					options.Dir = t.TempDir()
				} else {
					options.URL = dbtest.URL(t)
				}
				d := dbtest.Open(t, options)
				first, err := start(t, d, row.first(t))
				if err != nil {
					t.Fatal(err)
				}
				die := live(t, first)
				if _, err := start(t, d, row.second(t)); !errors.Is(err, row.want) {
					t.Fatalf("the second: %v, want %v", err, row.want)
				}
				if first.Trouble() != nil {
					t.Errorf("the first is told of %v", first.Trouble())
				}
				// It is the first that is in the way, and only while it is there.
				die()
				if err := first.Leave(t.Context()); err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				if _, err := start(t, d, row.second(t)); err != nil {
					t.Errorf("after the first has left: %v", err)
				}
				if took := time.Since(began); row.want != nil && took > first.LeaseFor() {
					t.Errorf("after the first has left it took %s", took)
				}
			})
		}
	})
}

func none(*testing.T) bus.Bus { return nil }

func nats(address, cluster string) func(*testing.T) bus.Bus {
	return func(t *testing.T) bus.Bus { return connect(t, address, cluster) }
}

// A node that ended without a farewell is waited for as long as its lease, and not longer.
func TestNodeThatWasKilled(t *testing.T) {
	d := dbtest.Open(t, db.Options{Dir: t.TempDir()})
	first, err := start(t, d, nil)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if _, err := start(t, d, nil); err != nil {
		t.Errorf("it is refused: %v", err)
	}
	if took := time.Since(began); took < first.LeaseFor()/2 || took > first.LeaseFor()+10*time.Second {
		t.Errorf("it waited %s for a lease of %s", took, first.LeaseFor())
	}
}

// A process of this machine that is gone is not waited for at all.
func TestProcessThatIsGone(t *testing.T) {
	own := strings.Fields(node.OwnProcess())
	if len(own) != 4 {
		t.Skip("this system does not tell of its processes")
	}
	command := exec.Command("true")
	if err := command.Run(); err != nil {
		t.Fatal(err)
	}
	gone := strings.Join([]string{own[0], own[1], strconv.Itoa(command.Process.Pid), "1"}, " ")
	for name, want := range map[string]bool{
		gone:              true,
		node.OwnProcess(): false,
		"":                false,
		"another-boot " + own[1] + " 999999999 1":   false,
		own[0] + " pid:[1] 999999999 1":             false,
		own[0] + " " + own[1] + " 0 1":              false,
		own[0] + " " + own[1] + " x 1":              false,
		own[0] + " " + own[1] + " " + own[2] + " 1": true, // its number is this process's now
	} {
		if got := node.GoneProcess(name); got != want {
			t.Errorf("%q is gone: %v", name, got)
		}
	}
	d := dbtest.Open(t, db.Options{Dir: t.TempDir()})
	first := node.New(node.Parts{DB: d, Log: slog.New(slog.DiscardHandler)}).Hasten(gone)
	if err := first.Enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if second, err := start(t, d, nil); err != nil || time.Since(began) > second.LeaseFor() {
		t.Errorf("after %s: %v", time.Since(began), err)
	}
}

// Of several that come at once, one enters.
func TestOneOfManyEnters(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		d := dbtest.Open(t, o)
		const many = 8
		var all sync.WaitGroup
		results := make(chan error, many)
		for range many {
			all.Go(func() {
				n, err := start(t, d, nil)
				if err == nil {
					live(t, n)
				}
				results <- err
			})
		}
		all.Wait()
		entered := 0
		for range many {
			switch err := <-results; {
			case err == nil:
				entered++
			case !errors.Is(err, node.ErrNoBus):
				t.Error(err)
			}
		}
		if entered != 1 {
			t.Errorf("%d entered", entered)
		}
	})
}

// A node that finds another beside it which it cannot hear, after it could not renew its lease, says so.
func TestLapsed(t *testing.T) {
	d := dbtest.Open(t, db.Options{Dir: t.TempDir()})
	first, err := start(t, d, nil)
	if err != nil {
		t.Fatal(err)
	}
	second, err := start(t, d, nil) // waits until the first's lease has ended
	if err != nil {
		t.Fatal(err)
	}
	live(t, second)
	live(t, first)
	for deadline := time.Now().Add(10 * time.Second); first.Trouble() == nil && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	if first.Trouble() == nil {
		t.Error("the first does not notice the second")
	}
}

// Entering ends with its context.
func TestEnterIsGivenUp(t *testing.T) {
	d := dbtest.Open(t, db.Options{Dir: t.TempDir()})
	if _, err := start(t, d, nil); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := node.New(node.Parts{DB: d, Log: slog.New(slog.DiscardHandler)}).Enter(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// Whether the store takes writes is looked up once a second at most, whoever asks.
func TestWritable(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		d, err := db.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		manual := clock.NewManual(time.Unix(1_700_000_000, 0))
		n := node.New(node.Parts{DB: d, Log: slog.New(slog.DiscardHandler), Clock: manual.Clock()})
		if err := n.Writable(t.Context()); err != nil {
			t.Errorf("at first: %v", err)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		if err := n.Writable(t.Context()); err != nil {
			t.Errorf("within a second it was looked up again: %v", err)
		}
		manual.Advance(time.Second)
		if err := n.Writable(t.Context()); err == nil || err.Error() != "the store does not take writes" {
			t.Errorf("of a closed store: %v", err)
		}
	})
}
