package webhook_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/magpie-im/magpie/magpietest"
)

// The query names the application, the callback, and where from and by which kind of device it was caused; the address's
// own query stays.
func TestQuery(t *testing.T) {
	t.Parallel()
	s := magpietest.Enter(t)
	st := enter(t, s, beforeSend+","+afterSend)
	st.Configure(t, "webhook.url", st.back.URL+"/a%20path?key=v%26w&empty=")
	for platform, name := range map[int]string{1: "Windows", 2: "Android", 3: "iOS", 4: "Mac", 7: "Web", 13: "iPad", 99: "Unknown"} {
		t.Run(name, func(t *testing.T) {
			c := s.Connect(t, magpietest.Platform(platform))
			c.Login(t, "alice")
			n := len(st.back.Calls(afterSend))
			c.MustCall(t, "openim.sendmsg", magpietest.Message("alice", "bob", name), nil)
			checkQuery(t, st, st.back.Gets(t, beforeSend, n+1)[n], name)
			checkQuery(t, st, st.back.Gets(t, afterSend, n+1)[n], name)
		})
	}
	n := len(st.back.Calls(afterSend))
	st.Send(t, "alice", "bob", "REST")
	checkQuery(t, st, st.back.Gets(t, beforeSend, n+1)[n], "RESTAPI")
	checkQuery(t, st, st.back.Gets(t, afterSend, n+1)[n], "RESTAPI")
}

func checkQuery(t *testing.T, st *stage, c magpietest.Callback, platform string) {
	t.Helper()
	want := map[string]string{
		"key": "v&w", "empty": "", "SdkAppid": fmt.Sprint(st.AppID), "CallbackCommand": c.Command, "contenttype": "json",
		"ClientIP": "127.0.0.1", "OptPlatform": platform,
	}
	for name, value := range want {
		if got := c.Query[name]; !slices.Equal(got, []string{value}) {
			t.Errorf("%s: %s=%q, want %q", c.Command, name, got, value)
		}
	}
	var body struct{ CallbackCommand string }
	if c.Into(t, &body); len(c.Query) != len(want) || body.CallbackCommand != c.Command {
		t.Errorf("%s: the query is %v, the body names %q", c.Command, c.Query, body.CallbackCommand)
	}
	if got := c.Header.Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type is %q", got)
	}
}

// State.StateChange alone writes IOS, and names every device that the login kicked.
func TestStateChange(t *testing.T) {
	t.Parallel()
	s := magpietest.Enter(t)
	st := enter(t, s, "State.StateChange")
	n := 2 // alice and bob came in
	st.back.Gets(t, "State.StateChange", n)
	phone := s.Connect(t, magpietest.Platform(3))
	phone.Login(t, "alice")
	type body struct {
		Info struct {
			Action, Reason string
			To             string `json:"To_Account"`
		}
		KickedDevice []struct{ Platform string }
		EventTime    int64
	}
	var login, kick, lost body
	one := st.back.Gets(t, "State.StateChange", n+1)[n]
	one.Into(t, &login)
	if one.Query.Get("OptPlatform") != "IOS" || login.Info.Action != "Login" || login.Info.Reason != "Register" ||
		login.Info.To != "alice" || login.EventTime == 0 || login.KickedDevice != nil {
		t.Errorf("the login is told as %v %s", one.Query, one.Body)
	}
	second := s.Connect(t, magpietest.Platform(2)) // one native device in the usual policy
	second.Login(t, "alice")
	phone.Kicked(t)
	two := st.back.Gets(t, "State.StateChange", n+2)[n+1]
	two.Into(t, &kick)
	if two.Query.Get("OptPlatform") != "Android" || len(kick.KickedDevice) != 1 || kick.KickedDevice[0].Platform != "iOS" {
		t.Errorf("the second login is told as %v %s", two.Query, two.Body)
	}
	second.Close()
	three := st.back.Gets(t, "State.StateChange", n+3)[n+2]
	three.Into(t, &lost)
	if lost.Info.Action != "Disconnect" || lost.Info.Reason != "LinkClose" || three.Query.Get("OptPlatform") != "Android" {
		t.Errorf("the loss is told as %v %s", three.Query, three.Body)
	}
}

// The receiver can check both signatures.
func TestSignatures(t *testing.T) {
	t.Parallel()
	const token, secret = "a token & more", "the secret"
	st := enter(t, magpietest.Enter(t), beforeSend+","+afterSend, "webhook.token", token, "webhook.secret", secret)
	st.Send(t, "alice", "bob", "hi")
	for _, c := range []magpietest.Callback{st.back.Gets(t, beforeSend, 1)[0], st.back.Gets(t, afterSend, 1)[0]} {
		at := c.Query.Get("RequestTime")
		second, err := strconv.ParseInt(at, 10, 64)
		if off := time.Since(time.Unix(second, 0)); err != nil || off < -time.Second || off > 20*time.Second {
			t.Errorf("RequestTime is %q", at)
		}
		sum := sha256.Sum256([]byte(token + at))
		if got := c.Query.Get("Sign"); got != hex.EncodeToString(sum[:]) {
			t.Errorf("Sign is %q", got)
		}
		stamp, given, ok := strings.Cut(c.Header.Get("X-Magpie-Signature"), ",v1=")
		mac := hmac.New(sha256.New, []byte(secret))
		fmt.Fprintf(mac, "%s.%s", strings.TrimPrefix(stamp, "t="), c.Body)
		if want := hex.EncodeToString(mac.Sum(nil)); !ok || stamp != "t="+at || given != want {
			t.Errorf("X-Magpie-Signature is %q, want %q", c.Header.Get("X-Magpie-Signature"), want)
		}
	}
	st.Configure(t, "webhook.token", "", "webhook.secret", "")
	st.Send(t, "alice", "bob", "unsigned")
	c := st.back.Gets(t, afterSend, 2)[1]
	if c.Query.Has("Sign") || c.Query.Has("RequestTime") || c.Header.Get("X-Magpie-Signature") != "" {
		t.Errorf("signed without a token: %v %v", c.Query, c.Header)
	}
}

// counted starts a back end that counts the connections it accepts.
func counted(t *testing.T) (*magpietest.BackEnd, *atomic.Int64) {
	t.Helper()
	var accepted atomic.Int64
	b := &magpietest.BackEnd{}
	b.Server = httptest.NewUnstartedServer(b)
	b.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			accepted.Add(1)
		}
	}
	b.Start()
	t.Cleanup(b.Close)
	return b, &accepted
}

// Calls go over connections that stay open, one after the other over the same.
func TestConnectionsAreReused(t *testing.T) {
	t.Parallel()
	st := enter(t, magpietest.Enter(t), beforeSend+","+afterSend)
	back, accepted := counted(t)
	st.Configure(t, "webhook.url", back.URL)
	for n := range 30 {
		st.Send(t, "alice", "bob", fmt.Sprint(n))
		back.Gets(t, afterSend, n+1)
	}
	if n := accepted.Load(); n > 3 {
		t.Errorf("%d connections for 60 calls, one after the other", n)
	}
}

// A private address may be forbidden, also behind a name, and where no redirect or proxy helps.
func TestForbidPrivate(t *testing.T) {
	t.Parallel()
	s := magpietest.Start(t, magpietest.Set(t, "webhook-private", "forbid"))
	st := enter(t, s, beforeSend+","+afterSend, "webhook.on_timeout", "refuse", "webhook.retry", "off")
	t.Run("addresses", func(t *testing.T) {
		for i, host := range []string{"127.0.0.1", "localhost", "[::1]", "0.0.0.0", "[::ffff:127.0.0.1]", "127.1"} {
			t.Run(host, func(t *testing.T) {
				t.Parallel()
				app := tenant(t, s)
				app.Import(t, "alice", "bob")
				app.Configure(t, "webhook.url", strings.Replace(st.back.URL, "127.0.0.1", host, 1),
					"webhook.commands", beforeSend+","+afterSend, "webhook.on_timeout", "refuse", "webhook.retry", "off")
				app.Refuses(t, "openim/sendmsg", magpietest.Message("alice", "bob", "hi"), 80003)
				dead := deadLetters(t, app, 1)
				tries := attempts(t, app, dead[0].EventID)
				if len(tries) != 1 || tries[0].Status != 0 || (i < 2 && !strings.Contains(tries[0].Reply, "private")) {
					t.Errorf("the attempts are %+v", tries)
				}
			})
		}
	})
	if calls := st.back.Calls(""); len(calls) != 0 {
		t.Errorf("the back end was called: %+v", calls)
	}
}

// A back end may close an idle connection just when the next call is sent on it. No message is refused for that.
func TestIdleConnectionIsClosed(t *testing.T) {
	t.Parallel()
	st := enter(t, magpietest.Enter(t), beforeSend, "webhook.on_timeout", "refuse")
	var used sync.Map
	var closed atomic.Int32
	roughly(st.back, beforeSend, func(w http.ResponseWriter, r *http.Request) {
		if _, again := used.LoadOrStore(r.RemoteAddr, true); !again {
			_, _ = io.WriteString(w, magpietest.OK)
			return
		}
		closed.Add(1)
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_ = conn.Close()
		}
	})
	for n := range 4 {
		st.Send(t, "alice", "bob", fmt.Sprint(n))
	}
	if closed.Load() == 0 {
		t.Error("no connection was used twice")
	}
}
