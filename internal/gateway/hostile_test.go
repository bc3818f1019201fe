package gateway_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lxzan/gws"

	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/gateway"
	"github.com/magpie-im/magpie/magpietest"
)

// What comes in a proper frame and is no request ends the connection with bad-frame; others do not notice.
func TestFramesThatAreNoRequests(t *testing.T) {
	s := start(t, magpietest.Set(t, "guest-frame-bytes", "262144"))
	for name, frame := range map[string]string{
		"an empty frame":     ``,
		"nonsense":           `hello?`,
		"half a request":     `{"head":{"servcmd":"openim.sendmsg","seq":1},"body":{"To_Acc`,
		"a list":             `[]`,
		"null":               `null`,
		"no head":            `{"body":{}}`,
		"a head of text":     `{"head":"x"}`,
		"a command of 7":     `{"head":{"servcmd":7,"seq":1}}`,
		"a sequence of {}":   `{"head":{"servcmd":"heartbeat.alive","seq":{}}}`,
		"no sequence":        `{"head":{"servcmd":"heartbeat.alive"}}`,
		"a token of 7":       `{"head":{"servcmd":"heartbeat.alive","seq":1,"a2":7}}`,
		"a signature of []":  `{"head":{"servcmd":"im_open_status.wslogin","seq":1,"usersig":[]}}`,
		"deep":               `{"head":{"servcmd":"a.b","seq":1},"body":` + strings.Repeat("[", 200_000),
		"deep, with its end": `{"head":{"servcmd":"a.b","seq":1},"body":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `}`,
		"a very long name":   `{"head":{"servcmd":"` + strings.Repeat("x", 129) + `","seq":1},"body":{}}`,
		"a member twice":     `{"head":{"servcmd":"a.b","seq":1,"seq":2}}`,
		"compressed":         "COMP\x1f\x8b\x08\x00",
		"binary":             "\x00\xff\x00\xff",
		"a quarter megabyte": strings.Repeat("x", 262_000),
	} {
		t.Run(name, func(t *testing.T) {
			for _, c := range []*Conn{s.Connect(t), s.Login(t, "alice")} {
				c.Write(t, []byte(frame))
				wantClosed(t, c, gateway.BadFrame)
			}
		})
	}
	alive(t, s)
}

// Bytes that break the WebSocket protocol: the connection ends, with the standard's own code where one can be written.
func TestBytesThatAreNoFrames(t *testing.T) {
	s := start(t)
	request := []byte(`{"head":{"servcmd":"heartbeat.alive","seq":1},"body":{}}`)
	for _, row := range []struct {
		name   string
		pieces []piece
		want   string // the beginning of the reason
	}{
		{"not masked", []piece{{first: final | binaryFrame, unmasked: true, payload: request}}, "1002"},
		{"reserved bits", []piece{{first: final | reserved | binaryFrame, payload: request}}, "1002"},
		{"a reserved kind", []piece{{first: final | 3, payload: request}}, "1002"},
		{"a reserved control kind", []piece{{first: final | 11, payload: []byte("x")}}, "1002"},
		{"a ping in pieces", []piece{{first: ping, payload: []byte("x")}}, "1002"},
		{"a ping that is too long", []piece{{first: final | ping, payload: make([]byte, 126)}}, "1002"},
		{"a continuation of nothing", []piece{{first: final | continuation, payload: request}}, "1002"},
		{"a new message inside another", []piece{{first: binaryFrame, payload: request}, {first: final | binaryFrame, payload: request}}, "1002"},
		{"text that is no UTF-8", []piece{{first: final | text, payload: []byte("{\"head\":\"\xff\"}")}}, "1007"},
		{"larger than allowed", []piece{{first: final | binaryFrame, payload: make([]byte, 262_145)}}, "1009"},
		{"said to be larger than allowed", []piece{{first: final | binaryFrame, length: 1 << 40}}, "1009"},
		{"larger than allowed in pieces", []piece{
			{first: binaryFrame, payload: make([]byte, 200_000)}, {first: continuation, payload: make([]byte, 200_000)}}, "1009"},
		{"a length with its top bit set", []piece{{first: final | binaryFrame, length: 1 << 63}}, ""},
		{"a length of all ones", []piece{{first: final | binaryFrame, length: 1<<64 - 1}}, ""},
		{"a ping's length with its top bit set", []piece{{first: final | ping, length: 1 << 63}}, ""},
		{"a close with half a code", []piece{{first: final | closing, payload: []byte{3}}}, ""},
		{"a close with a code nobody may send", []piece{{first: final | closing, payload: []byte{0, 5}}}, ""},
		{"random bytes", []piece{{first: 0x7f, unmasked: true, payload: bytes.Repeat([]byte{0xa5}, 1000)}}, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			for _, c := range []*Conn{s.Connect(t), s.Login(t, "alice")} {
				write(t, c, row.pieces...)
				if got := c.Closed(t); !strings.HasPrefix(got, row.want) {
					t.Errorf("closed with %q, want %s", got, row.want)
				}
			}
		})
	}
	alive(t, s)
}

// A frame that never comes to its end costs its own connection, when that has been silent for too long, and nobody else.
func TestHalfFrames(t *testing.T) {
	m := clock.NewManual(time.Now())
	s := start(t, magpietest.Clock(m))
	var halves []*Conn
	for _, half := range [][]byte{
		{0x82}, {0x82, 0xfe}, {0x82, 0xfe, 0x01}, {0x82, 0xff, 0, 0, 0, 0}, {0x82, 0x85, 1, 2, 3},
		{0x82, 0x85, 1, 2, 3, 4, 'x'}, (&piece{first: final | binaryFrame, length: 16_384, payload: make([]byte, 16_383)}).bytes(),
	} {
		c := s.Connect(t)
		if _, err := c.Raw().Write(half); err != nil {
			t.Fatal(err)
		}
		halves = append(halves, c)
	}
	alive(t, s, func() { m.Advance(time.Second) })
	m.Advance(65 * time.Second)
	for _, c := range halves {
		wantClosed(t, c, gateway.Idle)
	}
}

// A message may come in pieces, with a ping between them.
func TestPieces(t *testing.T) {
	s := start(t)
	c := s.Connect(t)
	request := []byte(`{"head":{"servcmd":"heartbeat.alive","seq":71},"body":{}}`)
	write(t, c, piece{first: binaryFrame, payload: request[:10]}, piece{first: final | ping, payload: []byte("x")},
		piece{first: continuation, payload: request[10:20]}, piece{first: continuation}, piece{first: final | continuation, payload: request[20:]})
	c.Answer(t, "heartbeat.alive", 71)
	c.Open(t)
}

// The last step before the door: who does not come as a WebSocket client, or says nothing of an application.
func TestHandshake(t *testing.T) {
	s := start(t)
	for _, row := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/binfo", 400}, {"GET", "/binfo?sdkappid=", 400}, {"GET", "/binfo?sdkappid=x", 400}, {"GET", "/binfo?sdkappid=-1", 400},
		{"GET", "/binfo?sdkappid=99999999999", 400}, {"GET", "/binfo?sdkappid=1400000001", 400}, {"POST", "/info?sdkappid=1400000001", 400},
		{"GET", "/nothing", 404},
	} {
		request, err := http.NewRequestWithContext(t.Context(), row.method, s.URL+row.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != row.status {
			t.Errorf("%s %s: status %d, want %d", row.method, row.path, response.StatusCode, row.status)
		}
	}
	// proxyServer is a prefix that the client puts before the path as it is.
	for _, path := range []string{"//binfo", "/some/prefix/binfo", "/binfo"} {
		c := s.Connect(t, magpietest.OnPath(path))
		c.Login(t, "alice")
	}
	// An application that does not exist is told at login, where a client can read it.
	stranger := &Server{}
	*stranger = *s
	stranger.AppID, stranger.Key = 1400009999, "no key"
	if e := stranger.Connect(t).TryLogin(t, "alice", stranger.UserSig(t, "alice")); e.ErrorCode != 70020 {
		t.Errorf("an unknown application: answered %+v, want 70020", e)
	}
}

// No more connections than were asked for; one that ends makes room.
func TestMaxConnections(t *testing.T) {
	s := start(t, magpietest.Set(t, "max-connections", "2"))
	first := s.Login(t, "alice")
	second := s.Login(t, "bob")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/binfo?sdkappid=1400000001", nil)
	if err != nil {
		t.Fatal(err)
	}
	refused := func() bool {
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		return response.StatusCode == http.StatusServiceUnavailable
	}
	if !refused() {
		t.Error("a third connection was let in")
	}
	second.SeesNothing(t)
	first.Close()
	magpietest.Eventually(t, "there is room again", func() bool { return !refused() })
	s.Login(t, "alice")
}

// Both paths: binary frames on the one, text frames on the other; what kind a client writes does not matter.
func TestFrameKinds(t *testing.T) {
	s := start(t)
	s.Import(t, "carol")
	for path, kind := range map[string]gws.Opcode{"/binfo": gws.OpcodeBinary, "/info": gws.OpcodeText} {
		bob := s.Login(t, "bob", magpietest.OnPath(path), magpietest.Inflating())
		s.Send(t, "alice", "bob", strings.Repeat("long ", 1000))
		f := bob.Next(t, "a push comes", func(f *magpietest.Frame) bool { return f.Servcmd == "im_open_push.msg_push" })
		if f.Kind != kind {
			t.Errorf("%s: pushed as %v, want %v", path, f.Kind, kind)
		}
		if packed := bytes.HasPrefix(f.Raw, []byte("COMP")); packed != (kind == gws.OpcodeBinary) {
			t.Errorf("%s: the push begins %.10q", path, f.Raw)
		}
		for _, other := range []gws.Opcode{gws.OpcodeText, gws.OpcodeBinary} {
			bob.WriteAs(t, other, []byte(`{"head":{"servcmd":"heartbeat.alive","seq":5},"body":{}}`))
			if f := bob.Next(t, "the answer comes", func(f *magpietest.Frame) bool { return f.Seq == "5" }); f.Kind != kind {
				t.Errorf("%s: answered as %v, want %v", path, f.Kind, kind)
			}
		}
		bob.Close()
	}
}

// Requests that are well-formed and wrong are answered, each under its own name and sequence, and the connection goes on.
func TestWrongRequestsAreAnswered(t *testing.T) {
	s := start(t)
	alice := s.Login(t, "alice")
	token := alice.Session.A2Key
	for n, row := range []struct {
		name, servcmd, body string
		code                int
	}{
		{"an unknown command", "openim.nothing", `{}`, 60009},
		{"an unknown service", "nothing.sendmsg", `{}`, 60009},
		{"no service", "sendmsg", `{}`, 60009},
		{"a REST command", "openim.admin_getroammsg", `{}`, 60009},
		{"a REST path", "openim/sendmsg", `{}`, 60009},
		{"a long name", strings.Repeat("x", 128), `{}`, 60009},
		{"a name with quotes", `a"b\c`, `{}`, 60009},
		{"a community's service", "million_group_open_http_svc.get_joined_group_list", `{}`, 0},
		{"no body", "openim.sendmsg", ``, 90003},
		{"a body of null", "openim.sendmsg", `null`, 90003},
		{"a body that is a list", "openim.sendmsg", `[]`, 90010},
		{"a body that is text", "openim.sendmsg", `"x"`, 90010},
		{"a body that is true", "openim.sendmsg", `true`, 90010},
		{"a field of the wrong type", "openim.sendmsg", `{"To_Account":7}`, 90003},
		{"a MsgBody nested deep", "openim.sendmsg", `{"To_Account":"bob","MsgRandom":1,"MsgBody":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`, 90002},
		{"invalid UTF-8 in a name", "openim.\xff", `{}`, 60009},
	} {
		seq := 1_000_000_000 + n
		body := ""
		if row.body != "" {
			body = `,"body":` + row.body
		}
		frame := fmt.Sprintf(`{"head":{"servcmd":%s,"seq":%d,"a2":"%s"}%s}`, quote(row.servcmd), seq, token, body)
		alice.Write(t, []byte(frame))
		f := alice.Next(t, row.name+" is answered", func(f *magpietest.Frame) bool { return f.Seq == fmt.Sprint(seq) })
		if f.Servcmd != strings.ToValidUTF8(row.servcmd, "\uFFFD") {
			t.Errorf("%s: the answer is for %.40q", row.name, f.Servcmd)
		}
		if code := codeOf(t, f.Body); code != row.code {
			t.Errorf("%s: answered %.200s, want %d", row.name, f.Body, row.code)
		}
	}
	alice.Open(t)
}

func quote(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

// A client may be lost in the middle of everything, its login included. Nothing of it is left over: neither its
// connection nor its place among the account's devices, and the account is not online.
func TestLosingClientsAnyTime(t *testing.T) {
	s := start(t)
	for n := range 60 {
		c := s.Connect(t)
		frame := c.Request(t, M{"identifier": "alice", "usersig": s.UserSig(t, "alice")}, "im_open_status.wslogin", M{"State": "Online"})
		c.Write(t, frame)
		if n%2 == 0 {
			c.Write(t, []byte(`{"head":{"servcmd":"openim.getmsg","seq":1},"body":{}}`))
		}
		time.Sleep(time.Duration(n%8) * time.Millisecond)
		c.Close()
	}
	alive(t, s)
	magpietest.Eventually(t, "no connection, no session and nobody online is left over", func() bool {
		var reply struct{ QueryResult []struct{ Status string } }
		s.MustREST(t, "openim/query_online_status", M{"To_Account": []string{"alice"}}, &reply)
		return metric(t, s, "magpie_connections ") == "magpie_connections 0" && metric(t, s, "magpie_sessions ") == "magpie_sessions 0" && reply.QueryResult[0].Status == "Offline"
	})
}
