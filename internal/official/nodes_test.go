package official_test

import (
	"testing"

	"github.com/magpie-im/magpie/internal/bus/bustest"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/magpietest"
)

// A subscriber hears on whichever node it is, whoever had it subscribe where; and hears nothing once it does not any more, nor from an
// official account that was destroyed.
func TestTwoNodes(t *testing.T) {
	database, nats := dbtest.URL(t), bustest.StartServer(t)
	var nodes []*Server
	for range 2 {
		nodes = append(nodes, magpietest.Start(t, magpietest.Database(database), magpietest.Bus(nats.URL())))
	}
	nodes[0].Import(t, "alice", "bob", "carol")
	create(t, nodes[0], news, nil)
	subscribe(t, nodes[0], "add_subscriber", "carol")
	bob, carol := nodes[1].Login(t, "bob"), nodes[1].Login(t, "carol")
	bob.Pull(t, "")
	carol.Pull(t, "")
	number := 0
	hears := func(c *Conn, text string) {
		t.Helper()
		magpietest.Eventually(t, c.UserID+" hears", func() bool {
			number++
			say(t, nodes[0], text, number)
			return len(heard(t, c)) > 0
		})
	}
	hears(carol, "one")
	if got := heard(t, bob); len(got) > 0 {
		t.Errorf("bob hears %q", got)
	}
	subscribe(t, nodes[0], "add_subscriber", "bob")
	hears(bob, "two")
	subscribe(t, nodes[0], "delete_subscriber", "bob")
	// One frame goes to all subscribers of a node: once another one has heard, this one will not hear it any more.
	deaf := func(c, other *Conn) {
		t.Helper()
		magpietest.Eventually(t, c.UserID+" hears no more", func() bool {
			heard(t, c)
			heard(t, other)
			hears(other, "three")
			return len(heard(t, c)) == 0
		})
	}
	deaf(bob, carol)
	nodes[0].MustREST(t, service+"destroy_official_account", M{"Official_Account": news}, nil)
	create(t, nodes[0], news, nil)
	subscribe(t, nodes[0], "add_subscriber", "bob")
	deaf(carol, bob)
}
