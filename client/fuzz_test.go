package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/lxzan/gws"
)

// What stands in a fuzzed frame for the sequences of the getmsg and of the send that wait for their answers, which chance does
// not find.
const (
	seqMark  = "$SEQ"
	sendMark = "$SEND"
)

// FuzzReceive gives a connected client any frame while it waits for the answers to its sync and to a send, and then those
// answers. Whatever the frame is, the client does not hang or crash, gives JSON to its callbacks, settles the send once, and
// can be closed.
func FuzzReceive(f *testing.F) {
	f.Add([]byte(`{"head":{"servcmd":"im_open_push.msg_push","seq":1},"body":` + onePush + `}`))
	f.Add([]byte(`{"head":{"servcmd":"openim.sendmsg","seq":$SEND},"body":{"ErrorCode":0,"MsgTime":1795238798}}`))
	f.Add([]byte(`{"head":{"servcmd":"openim.sendmsg","seq":$SEND},"body":{"ErrorCode":70001}}`))
	f.Add([]byte(`{"head":{"servcmd":"openim.sendmsg","seq":$SEND},"body":{"ErrorCode":1002,"KickType":3}}`))
	f.Add([]byte(`{"head":{"servcmd":"openim.sendmsg","seq":$SEND},"body":[]}`))
	f.Add([]byte(`{"head":{"servcmd":"OverLoadPush.notify2","seq":1},"body":{"OverLoadServCmd":"a.b","DelaySecs":1}}`))
	link := listenUnix(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		p := &peer{t: t, news: make(chan struct{}, 1)}
		asked := 0
		var send frame
		p.script = func(l *line, request frame) {
			if request.Head.ServCmd == cmdSend {
				send = request
				return
			}
			if asked++; request.Head.ServCmd == cmdGetMsg && asked == 2 {
				l.raw(marked(data, request, send))
				l.answer(send, `{"ErrorCode":0}`)
			}
			l.answer(request, `{"ErrorCode":0,"Cookie":"c2","SyncFlag":2}`)
		}
		served := make(chan struct{})
		go func() {
			defer close(served)
			serveOne(p, link)
		}()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		c, err := Dial(ctx, fuzzedOptions(t, link))
		if err != nil {
			t.Fatal(err)
		}
		settled := make(chan Sent, 2)
		err = c.SendAsync(Outgoing{To: "bob", Elements: []Element{Text("hi")}}, func(sent Sent, _ error) { settled <- sent })
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Sync(ctx); errors.Is(err, context.DeadlineExceeded) {
			t.Fatal("the client waits for an answer that has come")
		}
		_ = c.Close()
		select {
		case <-c.Done():
		case <-ctx.Done():
			t.Fatal("the client does not end")
		}
		<-served
		if len(settled) != 1 {
			t.Fatalf("the send was settled %d times", len(settled))
		}
	})
}

// marked puts the sequences of two requests into a fuzzed frame.
func marked(data []byte, sync, send frame) string {
	for mark, request := range map[string]frame{seqMark: sync, sendMark: send} {
		data = bytes.ReplaceAll(data, []byte(mark), []byte(strconv.Itoa(int(request.Head.Seq))))
	}
	return string(data)
}

// listenUnix listens where a connection costs no port.
func listenUnix(f *testing.F) net.Listener {
	dir, err := os.MkdirTemp("", "peer") // a test's own directory may be too long a name for a socket
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { os.RemoveAll(dir) })
	listener, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { listener.Close() })
	return listener
}

// serveOne serves one connection to its end.
func serveOne(p *peer, listener net.Listener) {
	raw, err := listener.Accept()
	if err != nil {
		p.t.Error(err)
		return
	}
	defer raw.Close()
	from := bufio.NewReader(raw)
	request, err := http.ReadRequest(from)
	if err != nil {
		p.t.Error(err)
		return
	}
	l := &line{p: p}
	if l.conn, err = gws.NewUpgrader(l, nil).UpgradeFromConn(raw, from, request); err != nil {
		p.t.Error(err)
		return
	}
	l.conn.ReadLoop()
}

// fuzzedOptions are those of a client that has synced before, so that a page of a sync is news, and whose callbacks look
// at what they are given: JSON, though perhaps not UTF-8, which the reader lets through.
func fuzzedOptions(t *testing.T, listener net.Listener) Options {
	address := listener.Addr().String()
	return Options{
		URL: "ws://peer:1", AppID: 1400000001, UserID: "alice", UserSig: "sig", Cookie: "c1", NoReconnect: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", address)
		},
		OnMessage:    func(m Message) { wellFormed(t, &m) },
		OnEdited:     func(m Message) { wellFormed(t, &m) },
		OnRecalled:   func(Recalled) {},
		OnReadByPeer: func(ReadMark) {},
		OnPush: func(item RawEvent) {
			if !json.Valid(item.Data) {
				t.Errorf("a pushed item is no JSON: %q", item.Data)
			}
		},
	}
}

func wellFormed(t *testing.T, m *Message) {
	for _, e := range m.Elements {
		if len(e.Content) > 0 && !json.Valid(e.Content) {
			t.Errorf("an element's content is no JSON: %q", e.Content)
		}
	}
	_ = m.Text()
}
