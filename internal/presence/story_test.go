package presence_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/magpie-im/magpie/magpietest"
)

// The stories of this room go through the doors of a whole server, once on each database.

type (
	// M is a JSON object.
	M = magpietest.M
	// Server is a running Magpie.
	Server = magpietest.Server
	// Conn is a client's connection.
	Conn = magpietest.Conn
)

// story runs a scenario in which alice and bob have accounts.
func story(t *testing.T, tell func(t *testing.T, s *Server)) {
	t.Helper()
	magpietest.Shared(t, func(t *testing.T, s *Server) {
		s.Import(t, "alice", "bob")
		tell(t, s)
	})
}

// watcher logs a user in who watches others. What it is told of them at once is taken.
func watcher(t *testing.T, s *Server, userID string, others ...string) *Conn {
	t.Helper()
	c := s.Login(t, userID)
	c.MustCall(t, "im_open_status.ws_status_subscribe", M{"To_Account": others}, nil)
	told(t, c)
	return c
}

// told waits for the next push of states, and tells it in lines: "bob 1 busy".
func told(t *testing.T, c *Conn) string {
	t.Helper()
	f := c.Next(t, "a push of states", func(f *magpietest.Frame) bool {
		return f.Servcmd == "im_open_push.msg_push" && strings.Contains(string(f.Body), `"UserStatusList"`)
	})
	var body struct {
		EventArray []struct {
			Event          int
			UserStatusList []M
		}
	}
	if err := json.Unmarshal(f.Body, &body); err != nil || len(body.EventArray) != 1 || body.EventArray[0].Event != 22 {
		t.Fatalf("an unreadable push: %s (%v)", f.Body, err)
	}
	return lines(t, body.EventArray[0].UserStatusList)
}

// wants compares the next push of states.
func wants(t *testing.T, c *Conn, want string) {
	t.Helper()
	if got := told(t, c); got != want {
		t.Errorf("%s is told %q, want %q", c.UserID, got, want)
	}
}

// ends waits for a push of states. Others before it do not matter: a clock that jumps makes a node's lease run out for a moment.
func ends(t *testing.T, c *Conn, want string) {
	t.Helper()
	for {
		got := told(t, c)
		t.Logf("%s is told %q, waits for %q", c.UserID, got, want)
		if got == want {
			return
		}
	}
}

func lines(t *testing.T, list []M) string {
	t.Helper()
	var all []string
	for _, one := range list {
		custom, err := base64.StdEncoding.DecodeString(one["CustomStatus"].(string))
		if err != nil {
			t.Errorf("a custom status that is not base64: %v", one)
		}
		all = append(all, strings.TrimSpace(fmt.Sprint(one["To_Account"], " ", one["Status"], " ", string(custom))))
	}
	return strings.Join(all, ", ")
}

// states asks for states as a client.
func states(t *testing.T, c *Conn, userIDs ...string) string {
	t.Helper()
	var reply struct{ UserStatusList []M }
	c.MustCall(t, "im_open_status.ws_get_user_status", M{"To_Account": userIDs}, &reply)
	return lines(t, reply.UserStatusList)
}

func say(t *testing.T, c *Conn, status string) {
	t.Helper()
	c.MustCall(t, "im_open_status.ws_set_custom_status", M{"CustomStatus": status}, nil)
	wants(t, c, strings.TrimSpace(c.UserID+" 1 "+status))
}

func logOut(t *testing.T, c *Conn) {
	t.Helper()
	c.MustCall(t, "im_open_status.wslogout", M{"wslogout_type": 0}, nil)
}

// pass moves the clock in steps in which the node's lease is renewed and the clients give signs of life.
func pass(t *testing.T, s *Server, d time.Duration, all ...*Conn) {
	t.Helper()
	const step = 5 * time.Second
	for ; d > 0; d -= step {
		s.Pass(t, min(d, step))
		for _, c := range all {
			c.MustCall(t, "heartbeat.alive", M{}, nil)
			wantStatus(t, s, c.UserID, "Online")
		}
	}
}
