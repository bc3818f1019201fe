package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lxzan/gws"
)

// peer is a scripted server: it answers logins and heartbeats, hands every other request to the test's script, and notes
// all of them. It knows nothing of messaging; real servers are for other tests.
type peer struct {
	t       *testing.T
	url     string
	server  *httptest.Server
	script  func(l *line, f frame) // nil answers {}
	onLogin func(l *line, f frame) // nil accepts
	mute    bool                   // answers no heartbeats

	mu    sync.Mutex
	lines []*line
	seen  []frame
	news  chan struct{}
}

// frame is a request as it came.
type frame struct {
	Line int `json:"-"`
	Head struct {
		ServCmd    string `json:"servcmd"`
		Seq        uint32 `json:"seq"`
		CS         uint32 `json:"cs"`
		A2         string `json:"a2"`
		TinyID     string `json:"tinyid"`
		UserSig    string `json:"usersig"`
		Identifier string `json:"identifier"`
		InstID     int64  `json:"status_instid"`
		ReqTime    int64  `json:"reqtime"`
		Platform   int    `json:"platform"`
		AppID      uint32 `json:"sdkappid"`
	} `json:"head"`
	Body json.RawMessage `json:"body"`
}

// line is one connection to the peer.
type line struct {
	gws.BuiltinEventHandler
	p     *peer
	index int
	query string
	conn  *gws.Conn
}

func newPeer(t *testing.T) *peer {
	p := &peer{t: t, news: make(chan struct{}, 1)}
	p.server = httptest.NewServer(http.HandlerFunc(p.serve))
	p.url = "ws" + strings.TrimPrefix(p.server.URL, "http")
	t.Cleanup(func() {
		p.dropAll()
		p.server.Close()
	})
	return p
}

func (p *peer) serve(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/binfo" {
		http.NotFound(w, r)
		return
	}
	l := &line{p: p, query: r.URL.RawQuery}
	conn, err := gws.NewUpgrader(l, nil).Upgrade(w, r)
	if err != nil {
		p.t.Error(err)
		return
	}
	l.conn = conn
	p.mu.Lock()
	l.index = len(p.lines)
	p.lines = append(p.lines, l)
	p.mu.Unlock()
	conn.ReadLoop()
}

func (l *line) OnMessage(_ *gws.Conn, m *gws.Message) {
	defer m.Close()
	var f frame
	if err := json.Unmarshal(m.Bytes(), &f); err != nil || m.Opcode != gws.OpcodeBinary {
		l.p.t.Errorf("frame %q, opcode %d: %v", m.Bytes(), m.Opcode, err)
		return
	}
	f.Line = l.index
	l.p.note(f)
	switch {
	case f.Head.ServCmd == cmdLogin && l.p.onLogin == nil:
		l.accept(f)
	case f.Head.ServCmd == cmdLogin:
		l.p.onLogin(l, f)
	case f.Head.ServCmd == cmdAlive:
		if !l.p.mute {
			l.answer(f, `{"ErrorCode":0}`)
		}
	case l.p.script == nil:
		l.answer(f, `{"ErrorCode":0}`)
	default:
		l.p.script(l, f)
	}
}

// accept answers a login; the session is named after the connection.
func (l *line) accept(f frame) {
	l.answer(f, fmt.Sprintf(`{"ErrorCode":0,"A2Key":"a2-%d","TinyId":"1441152","InstId":1001,"HelloInterval":120,
		"TimeStamp":%d}`, l.index, now().Unix()))
}

func (l *line) answer(f frame, body string) {
	l.raw(fmt.Sprintf(`{"head":{"servcmd":%q,"seq":%d},"body":%s}`, f.Head.ServCmd, f.Head.Seq, body))
}

func (l *line) push(body string) {
	l.raw(`{"head":{"servcmd":"im_open_push.msg_push","seq":1},"body":` + body + `}`)
}

func (l *line) raw(text string) { _ = l.conn.WriteMessage(gws.OpcodeBinary, []byte(text)) }
func (l *line) drop()           { _ = l.conn.NetConn().Close() }

func (p *peer) note(f frame) {
	p.mu.Lock()
	p.seen = append(p.seen, f)
	p.mu.Unlock()
	select {
	case p.news <- struct{}{}:
	default:
	}
}

func (p *peer) line(i int) *line {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lines[i]
}

func (p *peer) dropAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.lines {
		l.drop()
	}
}

// frames lists the requests of a command so far.
func (p *peer) frames(cmd string) []frame {
	p.mu.Lock()
	defer p.mu.Unlock()
	var some []frame
	for _, f := range p.seen {
		if f.Head.ServCmd == cmd {
			some = append(some, f)
		}
	}
	return some
}

// wait returns the requests of a command when there are n of them.
func (p *peer) wait(cmd string, n int) []frame {
	p.t.Helper()
	limit := time.After(5 * time.Second)
	for {
		if some := p.frames(cmd); len(some) >= n {
			return some
		}
		select {
		case <-p.news:
		case <-limit:
			p.t.Fatalf("waited for %d %s, have %d", n, cmd, len(p.frames(cmd)))
		}
	}
}

// options are those of a client of this peer that loses no time.
func (p *peer) options() Options {
	return Options{
		URL: p.url, AppID: 1400000001, UserID: "alice", UserSig: "sig", NoSync: true,
		BackoffMin: time.Millisecond, BackoffMax: 5 * time.Millisecond,
	}
}

func (p *peer) dial(o Options) *Client {
	p.t.Helper()
	c, err := Dial(context.Background(), o)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		_ = c.Close()
		<-c.Done()
	})
	return c
}

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// receive takes the next value or fails.
func receive[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(5 * time.Second):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}
