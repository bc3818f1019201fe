package magpietest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/lxzan/gws"
)

// Conn is a client's bare connection: it sends what it is told, sensible or not, answers nothing by itself, and keeps all
// that comes. Its methods fail the test; they may be called from one goroutine at a time.
type Conn struct {
	// UserID is who is logged in, Session what the server gave for it, and Cookie where the last Pull ended.
	UserID  string
	Session Session
	Cookie  string

	server *Server
	ws     *gws.Conn
	kind   gws.Opcode
	query  url.Values
	seq    int64
	marks  int

	inbox inbox
}

// Session is the reply to a login.
type Session struct {
	A2Key         string
	TinyID        string `json:"TinyId"`
	InstID        int64  `json:"InstId"`
	HelloInterval int
	TimeStamp     int64
	PurchaseBits  string
	CustomStatus  string
}

// ConnOption changes a connection before it is opened.
type ConnOption func(*dialing)

type dialing struct {
	path  string
	query url.Values
	raw   func(net.Conn)
	pongs bool
}

// Connect opens a connection, which is not logged in.
func (s *Server) Connect(t testing.TB, with ...ConnOption) *Conn {
	t.Helper()
	d := &dialing{path: "/binfo", query: url.Values{
		"sdkappid": {fmt.Sprint(s.AppID)}, "instanceid": {"magpietest"}, "random": {"0.5"}, "platform": {"7"},
		"host": {"unknown"}, "version": {"-1"}, "sdkversion": {"3.6.6"},
	}}
	for _, option := range with {
		option(d)
	}
	c := &Conn{server: s, query: d.query, kind: gws.OpcodeBinary, seq: rand.Int64N(99_999_999)}
	if d.path == "/info" {
		c.kind = gws.OpcodeText
	}
	c.inbox.changed, c.inbox.pongs, c.inbox.shapes = make(chan struct{}), d.pongs, s.options.shapes
	raw, err := net.Dial("tcp", s.WebSocketURL[len("ws://"):])
	if err != nil {
		t.Fatal(err)
	}
	if d.raw != nil {
		d.raw(raw)
	}
	ws, _, err := gws.NewClientFromConn(&c.inbox, &gws.ClientOption{ //nolint:bodyclose // the answer to a handshake has no body
		Addr: s.WebSocketURL + d.path + "?" + d.query.Encode(), ReadMaxPayloadSize: 64 << 20,
	}, raw)
	if err != nil {
		t.Fatalf("open a WebSocket: %v", err)
	}
	c.ws = ws
	go ws.ReadLoop()
	t.Cleanup(c.Close)
	return c
}

// Login opens a connection and logs a user in on it.
func (s *Server) Login(t testing.TB, userID string, with ...ConnOption) *Conn {
	t.Helper()
	c := s.Connect(t, with...)
	c.Login(t, userID)
	return c
}

// Login logs a user in with a fresh UserSig and pulls, as every client does: the server holds pushes back until then.
func (c *Conn) Login(t testing.TB, userID string) {
	t.Helper()
	if e := c.TryLogin(t, userID, c.server.UserSig(t, userID)); e.ErrorCode != 0 {
		t.Fatalf("log %s in: %d %s", userID, e.ErrorCode, e.ErrorInfo)
	}
	c.Pull(t, "")
	if c.server.options.manual != nil { // pushes are held back for a moment longer
		c.server.Pass(t, 50*time.Millisecond)
	}
}

// TryLogin logs a user in with a UserSig of the test's choice. It does not pull.
func (c *Conn) TryLogin(t testing.TB, userID, sig string) Envelope {
	t.Helper()
	return c.login(t, userID, M{"identifier": userID, "usersig": sig})
}

// Resume logs in with the session of another connection, as a client does that comes back. It does not pull.
func (c *Conn) Resume(t testing.TB, userID string, session Session) Envelope {
	t.Helper()
	return c.login(t, userID, M{"a2": session.A2Key, "tinyid": session.TinyID, "status_instid": session.InstID})
}

func (c *Conn) login(t testing.TB, userID string, credentials M) Envelope {
	t.Helper()
	var session Session
	e := c.CallWith(t, credentials, "im_open_status.wslogin",
		M{"State": "Online", "is_web_uniapp": 0, "InstType": 0, "CustomInfo": ""}, &session)
	if e.ErrorCode == 0 {
		c.UserID, c.Session = userID, session
	}
	return e
}

// Pulled is what a client gets that asks what it missed, of all pages together: messages and notices as Item.String and
// Push.String write them, and the unread messages by peer.
type Pulled struct {
	Lines  []string
	Items  []Item
	Unread map[string]int

	shapes []Shape
}

// Pull asks for what was missed since a cookie, to the last page, and keeps the cookie of that.
func (c *Conn) Pull(t testing.TB, cookie string) Pulled {
	t.Helper()
	all := Pulled{Unread: map[string]int{}, shapes: c.inbox.shapes}
	flag := 0
	for range 1000 {
		var page struct {
			Cookie   string
			SyncFlag int
			MoreFlag int
			MsgList  []json.RawMessage
			Unread   []struct {
				From  string `json:"From_Account"`
				Count int    `json:"UnreadCount"`
			} `json:"C2CPairUnreadCount"`
			Remaining []json.RawMessage `json:"C2CRemainingUnreadCount"`
			Events    []json.RawMessage `json:"EventArray"`
		}
		c.MustCall(t, "openim.getmsg", M{
			"Cookie": cookie, "SyncFlag": flag, "NeedAbstract": 1, "IsOnlineSync": 0, "NeedSignaling": 1, "NeedCachedMsg": 1,
		}, &page)
		if page.Cookie == "" || page.MsgList == nil || page.Unread == nil || page.Remaining == nil || page.Events == nil {
			t.Fatalf("the web client cannot read this page: %+v", page)
		}
		for _, one := range page.Unread {
			all.Unread[one.From] = one.Count
		}
		for _, raw := range page.MsgList {
			all.add(t, raw)
		}
		cookie, flag = page.Cookie, page.SyncFlag
		if flag == 2 && page.MoreFlag == 0 {
			c.Cookie = cookie
			return all
		}
	}
	t.Fatal("the pull never ends")
	return all
}

// add reads an element of a pull's list: a message, or a notice in its place.
func (p *Pulled) add(t testing.TB, raw json.RawMessage) {
	t.Helper()
	var stored struct {
		From   string            `json:"From_Account"`
		Events []json.RawMessage `json:"EventArray"`
	}
	if err := jsonv2.Unmarshal(raw, &stored); err != nil {
		t.Fatalf("an element of a pull that cannot be read: %v in %s", err, raw)
	}
	for _, event := range stored.Events {
		push := Push{Raw: event, shapes: p.shapes}
		p.Lines = append(p.Lines, push.String())
	}
	if stored.Events == nil {
		item := ReadItem(t, raw)
		p.Items, p.Lines = append(p.Items, item), append(p.Lines, item.String())
	}
}

// Write sends a frame.
func (c *Conn) Write(t testing.TB, frame []byte) {
	t.Helper()
	if err := c.ws.WriteMessage(c.kind, frame); err != nil {
		t.Fatalf("write a frame: %v", err)
	}
}

// WriteAs sends a frame of another kind, control frames included.
func (c *Conn) WriteAs(t testing.TB, kind gws.Opcode, payload []byte) {
	t.Helper()
	if err := c.ws.WriteMessage(kind, payload); err != nil {
		t.Fatalf("write a frame: %v", err)
	}
}

// Ping sends a ping of WebSocket's own and waits for the answer.
func (c *Conn) Ping(t testing.TB, payload string) {
	t.Helper()
	c.inbox.mutex.Lock()
	before := c.inbox.ponged
	c.inbox.mutex.Unlock()
	c.WriteAs(t, gws.OpcodePing, []byte(payload))
	c.inbox.await(t, "the ping is answered", func() bool { return c.inbox.ponged > before })
}

// Raw is the stream below the WebSocket, for bytes that are no frames.
func (c *Conn) Raw() net.Conn { return c.ws.NetConn() }

// Answer waits for the answer to a request and returns its body.
func (c *Conn) Answer(t testing.TB, servcmd string, seq int64) []byte {
	t.Helper()
	f := c.inbox.take(t, fmt.Sprintf("the answer %d to %s comes", seq, servcmd), func(f *Frame) bool {
		return f.Servcmd == servcmd && f.Seq == fmt.Sprint(seq)
	})
	if len(f.Body) == 0 || f.Body[0] != '{' {
		t.Fatalf("the answer to %s has the body %s, want an object", servcmd, f.Body)
	}
	return f.Body
}

// Next waits for the next frame that a condition holds for and takes it out of those kept.
func (c *Conn) Next(t testing.TB, what string, is func(f *Frame) bool) Frame {
	t.Helper()
	return c.inbox.take(t, what, is)
}

// Arrived counts the frames that are kept, of those that came until now, for which a condition holds.
func (c *Conn) Arrived(is func(f *Frame) bool) (n int) {
	c.inbox.mutex.Lock()
	defer c.inbox.mutex.Unlock()
	for i := range c.inbox.frames {
		if is(&c.inbox.frames[i]) {
			n++
		}
	}
	return n
}

// NoFrame fails the test if a condition holds for a frame that has come, or comes before the answer to a heartbeat.
func (c *Conn) NoFrame(t testing.TB, what string, is func(f *Frame) bool) {
	t.Helper()
	c.CallWith(t, M{}, "heartbeat.alive", M{}, nil)
	if n := c.Arrived(is); n > 0 {
		t.Errorf("%s, %d times", what, n)
	}
}

// Closed waits until the server has closed the connection and returns code and reason.
func (c *Conn) Closed(t testing.TB) string {
	t.Helper()
	var reason string
	c.inbox.await(t, "the server closes the connection", func() bool {
		reason = c.inbox.closed
		return reason != ""
	})
	return reason
}

// Open fails the test if the connection has ended.
func (c *Conn) Open(t testing.TB) {
	t.Helper()
	c.inbox.mutex.Lock()
	defer c.inbox.mutex.Unlock()
	if c.inbox.closed != "" {
		t.Errorf("the server closed the connection: %s", c.inbox.closed)
	}
}

// Close ends the connection without a farewell, as a lost network does.
func (c *Conn) Close() { _ = c.ws.NetConn().Close() }

// Stall stops the reading of the connection; reading goes on when resume is called.
func (c *Conn) Stall() (resume func()) {
	c.inbox.stalled.Lock()
	return sync.OnceFunc(c.inbox.stalled.Unlock)
}

// Frame is what came on a connection.
type Frame struct {
	Kind gws.Opcode
	// Raw is the payload as it came, Text what it says: the same unless it was compressed.
	Raw, Text []byte

	Servcmd string
	Seq     string
	Body    json.RawMessage
}

// inbox keeps what came, in order.
type inbox struct {
	gws.BuiltinEventHandler
	pongs   bool
	shapes  []Shape
	stalled sync.Mutex

	mutex   sync.Mutex
	frames  []Frame
	closed  string
	ponged  int           // the answers to pings that came
	changed chan struct{} // closed and replaced at every change
}

// OnMessage keeps a frame.
func (in *inbox) OnMessage(_ *gws.Conn, m *gws.Message) {
	in.stalled.Lock()
	in.stalled.Unlock() //nolint:staticcheck // it only waits
	f, err := readFrame(m)
	_ = m.Close()
	in.mutex.Lock()
	defer in.mutex.Unlock()
	if err != nil {
		f.Servcmd = "unreadable: " + err.Error()
	}
	in.frames = append(in.frames, f)
	in.wake()
}

// OnPong counts.
func (in *inbox) OnPong(*gws.Conn, []byte) {
	in.mutex.Lock()
	defer in.mutex.Unlock()
	in.ponged++
	in.wake()
}

// OnPing answers only if the test wants it: a bare connection does nothing by itself.
func (in *inbox) OnPing(c *gws.Conn, payload []byte) {
	if in.pongs {
		_ = c.WritePong(payload)
	}
}

// OnClose keeps the reason.
func (in *inbox) OnClose(_ *gws.Conn, err error) {
	in.mutex.Lock()
	defer in.mutex.Unlock()
	in.closed = "lost"
	var told *gws.CloseError
	if errors.As(err, &told) {
		in.closed = fmt.Sprintf("%d %s", told.Code, told.Reason)
	}
	in.wake()
}

func (in *inbox) wake() {
	close(in.changed)
	in.changed = make(chan struct{})
}

// await waits until something holds; is runs under the mutex.
func (in *inbox) await(t testing.TB, what string, is func() bool) {
	t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		in.mutex.Lock()
		done, changed, closed := is(), in.changed, in.closed
		in.mutex.Unlock()
		switch {
		case done:
			return
		case closed != "":
			t.Fatalf("it does not happen that %s: the connection was closed: %s", what, closed)
		}
		select {
		case <-changed:
		case <-timer.C:
			t.Fatalf("it does not happen that %s", what)
		}
	}
}

func (in *inbox) take(t testing.TB, what string, is func(*Frame) bool) (taken Frame) {
	t.Helper()
	in.await(t, what, func() bool {
		for i := range in.frames {
			if is(&in.frames[i]) {
				taken = in.frames[i]
				if i == 0 { // the usual case, which must not copy thousands
					in.frames = in.frames[1:]
				} else {
					in.frames = slices.Delete(in.frames, i, i+1)
				}
				return true
			}
		}
		return false
	})
	return taken
}

func readFrame(m *gws.Message) (Frame, error) {
	f := Frame{Kind: m.Opcode, Raw: bytes.Clone(m.Bytes())}
	f.Text = f.Raw
	if packed, ok := bytes.CutPrefix(f.Raw, []byte("COMP")); ok {
		z, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			return f, err
		}
		if f.Text, err = io.ReadAll(z); err != nil {
			return f, err
		}
	}
	var envelope struct {
		Head struct {
			Servcmd string          `json:"servcmd"`
			Seq     json.RawMessage `json:"seq"`
		} `json:"head"`
		Body json.RawMessage `json:"body"`
	}
	err := json.Unmarshal(f.Text, &envelope)
	f.Servcmd, f.Seq, f.Body = envelope.Head.Servcmd, string(envelope.Head.Seq), envelope.Body
	return f, err
}
