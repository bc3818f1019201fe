package live_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/magpie-im/magpie/internal/bus/bustest"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/magpietest"
)

// Members on two nodes hear what is said on both, each message once and those of one sender in order. Who is inside on both counts once
// at both, until he has left at both.
func TestARoomOnTwoNodes(t *testing.T) {
	database, nats := dbtest.URL(t), bustest.StartServer(t)
	both := []*Server{}
	for range 2 {
		both = append(both, magpietest.Start(t, magpietest.Database(database), magpietest.Bus(nats.URL()), shapes(),
			magpietest.Set(t, "commands-per-second", "0")))
	}
	counts := func(want int, when string) {
		t.Helper()
		magpietest.Eventually(t, fmt.Sprintf("both nodes count %d %s", want, when), func() bool {
			return online(t, both[0], "show") == want && online(t, both[1], "show") == want
		})
	}
	both[0].Configure(t, "live.message_rate", "1000")
	both[0].Import(t, "alice", "bob", "carol")
	both[0].MustREST(t, rest+"create_group", M{"Type": "AVChatRoom", "Name": "show", "GroupId": "show", "Owner_Account": "alice"}, nil)
	bob, phone, carol := enters(t, both[0], "bob", "show"), both[1].Login(t, "bob", magpietest.Platform(2)), enters(t, both[1], "carol", "show")
	join(t, phone, "show")
	counts(2, "as one is inside on both")
	const messages = 20
	for i := range messages {
		say(t, bob, says("show", fmt.Sprint("bob ", i), i, "Normal"))
		say(t, carol, says("show", fmt.Sprint("carol ", i), i, "Normal"))
	}
	for _, c := range []*Conn{bob, phone, carol} {
		heardInOrder(t, c, messages)
	}
	phone.MustCall(t, groups+"quit_group", M{"GroupId": "show"}, nil)
	counts(2, "as one is inside on the other node still")
	bob.MustCall(t, groups+"quit_group", M{"GroupId": "show"}, nil)
	counts(1, "when one has left both")
}

// heardInOrder checks that a member has heard all that bob and carol said, each message once and in order.
func heardInOrder(t *testing.T, c *Conn, messages int) {
	t.Helper()
	last := fmt.Sprint(messages - 1)
	for _, who := range []string{"bob ", "carol "} {
		magpietest.Eventually(t, c.UserID+" hears the last message of "+who, func() bool {
			return c.Arrived(func(f *magpietest.Frame) bool { return contains(f, who+last) }) > 0
		})
	}
	next := map[string]int{}
	for _, p := range c.Pushes(t) {
		for _, line := range linesOf(t, &p) {
			var who string
			var number int
			if _, err := fmt.Sscan(line, &who, &number); err != nil || number != next[who] {
				t.Errorf("%s hears %q, want number %d", c.UserID, line, next[who])
			}
			next[who]++
		}
	}
	if next["bob"] != messages || next["carol"] != messages {
		t.Errorf("%s hears %v", c.UserID, next)
	}
}

// linesOf are the texts of the messages in a push.
func linesOf(t *testing.T, p *magpietest.Push) (lines []string) {
	t.Helper()
	var of struct {
		All []said `json:"GroupMsgArray"`
	}
	if err := json.Unmarshal(p.Raw, &of); err != nil {
		t.Fatal(err)
	}
	for i := range of.All {
		lines = append(lines, of.All[i].Body.texts...)
	}
	return lines
}
