package presence_test

import (
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/bus/bustest"
	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/magpietest"
)

// Alice is on one node and bob on another. She is told of him; while the bus is away she is not, and when it is back she is told
// what is true then.
func TestWatchAcrossNodes(t *testing.T) {
	database, nats := dbtest.URL(t), bustest.StartServer(t)
	here := magpietest.Start(t, magpietest.Database(database), magpietest.Bus(nats.URL()))
	there := magpietest.Start(t, magpietest.Database(database), magpietest.Bus(nats.URL()))
	here.Import(t, "bob", "carol")
	alice := watcher(t, here, "alice", "bob")
	bob := there.Login(t, "bob")
	wants(t, alice, "bob 1")
	say(t, bob, "busy")
	wants(t, alice, "bob 1 busy")
	phone := there.Login(t, "alice", magpietest.Platform(android))
	wants(t, phone, "bob 1 busy")
	phone.MustCall(t, "im_open_status.ws_status_subscribe", M{"To_Account": []string{"carol"}}, nil)
	wants(t, phone, "carol 3")
	wants(t, alice, "carol 3")
	nats.Stop()
	logOut(t, bob)
	nats.Start(t)
	wants(t, alice, "bob 3 busy")
	wants(t, phone, "bob 3 busy")
}

// Of the devices of a node that is gone nobody tells. Its watchers elsewhere are told when the store is asked the next time.
func TestWatchedNodeIsGone(t *testing.T) {
	database, nats, hands := dbtest.URL(t), bustest.StartServer(t), clock.NewManual(time.Now())
	here := magpietest.Start(t, magpietest.Database(database), magpietest.Bus(nats.URL()), magpietest.Clock(hands))
	there := magpietest.Start(t, magpietest.Database(database), magpietest.Bus(nats.URL()))
	here.Import(t, "bob")
	alice := watcher(t, here, "alice", "bob")
	there.Login(t, "bob")
	wants(t, alice, "bob 1")
	there.Stop(t)
	pass(t, here, 60*time.Second, alice)
	wants(t, alice, "bob 3")
}
