package client

import (
	"context"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

func testOptions() *Options {
	o, err := Options{URL: "ws://x", AppID: 1400000001, UserID: "alice", UserSig: "s"}.withDefaults()
	if err != nil {
		panic(err)
	}
	return o
}

func TestFrameBeforeLoginCarriesTheSignature(t *testing.T) {
	head := appendHead(nil, testOptions(), &session{sig: `s"ig`})
	f := decodeFrame(t, appendFrame(nil, head, &request{cmd: cmdLogin, seq: 7, reqTime: 99, body: []byte(bodyLogin)}))
	if f.Head.Identifier != "alice" || f.Head.UserSig != `s"ig` || f.Head.A2 != "" || f.Head.CS != 0 {
		t.Errorf("head %+v", f.Head)
	}
	if f.Head.Seq != 7 || f.Head.ReqTime != 99 || f.Head.AppID != 1400000001 || f.Head.Platform != 7 {
		t.Errorf("head %+v", f.Head)
	}
}

func TestFrameAfterLoginCarriesTheSession(t *testing.T) {
	head := appendHead(nil, testOptions(), &session{a2: "a2", tinyID: "144", instID: 9})
	body := []byte(`{"To_Account":"bob"}`)
	f := decodeFrame(t, appendFrame(nil, head, &request{cmd: cmdSend, seq: 8, sum: checksum(body), body: body}))
	if f.Head.A2 != "a2" || f.Head.TinyID != "144" || f.Head.InstID != 9 || f.Head.UserSig+f.Head.Identifier != "" {
		t.Errorf("head %+v", f.Head)
	}
	if f.Head.CS != crc32.ChecksumIEEE(f.Body) || string(f.Body) != string(body) {
		t.Errorf("cs %d, body %s", f.Head.CS, f.Body)
	}
}

func decodeFrame(t *testing.T, data []byte) (f frame) {
	t.Helper()
	if err := json.Unmarshal(data, &f); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	return f
}

func TestEnvelope(t *testing.T) {
	for _, test := range []struct{ frame, cmd, body string }{
		{`{"head":{"servcmd":"a.b","seq":7},"body":{"x":1}}`, "a.b", `{"x":1}`},
		{` { "body" : {"x": "}"} , "more":[1], "head":{"ver":"v4","seq":7,"servcmd":"a.b","z":{"seq":9}} }`, "a.b", `{"x": "}"}`},
	} {
		var s scanner
		e, err := s.envelope([]byte(test.frame))
		if err != nil || string(e.cmd) != test.cmd || e.seq != 7 || string(e.body) != test.body {
			t.Errorf("%s: cmd %s seq %d body %s: %v", test.frame, e.cmd, e.seq, e.body, err)
		}
	}
}

func TestEnvelopeRefuses(t *testing.T) {
	for _, frame := range []string{
		``, `[]`, `{"head":1}`, `{"head":{"servcmd":7}}`, `{"head":{"servcmd":"a.b"`, `{"body":{]}`, `{`, "\xff",
	} {
		var s scanner
		if e, err := s.envelope([]byte(frame)); err == nil {
			t.Errorf("%q: %+v", frame, e)
		}
	}
}

func TestEnvelopeSequenceOutOfRangeIsNobodys(t *testing.T) {
	for _, seq := range []string{`-1`, `1.5`, `"7"`, `null`} {
		var s scanner
		e, err := s.envelope([]byte(`{"head":{"seq":` + seq + `},"body":{}}`))
		if err != nil || e.seq != 0 {
			t.Errorf("%s: seq %d: %v", seq, e.seq, err)
		}
	}
}

// The WebSocket library panics on a frame whose 64-bit length has its top bit set; the client takes it as a lost
// connection.
func TestImpossibleFrameLength(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
			"Sec-WebSocket-Accept: %s\r\n\r\n", base64.StdEncoding.EncodeToString(key[:]))
		conn.Write([]byte{0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 1})
		io.Copy(io.Discard, conn)
	}))
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	_, err = Dial(ctx, Options{
		URL: "ws://" + listener.Addr().String(), AppID: 1, UserID: "a", UserSig: "s", NoReconnect: true,
	})
	if err == nil {
		t.Fatal("logged in at a server that sends nonsense")
	}
}
