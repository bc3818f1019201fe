package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/lxzan/gws"

	"github.com/magpie-im/magpie/client"
)

// session is a bare connection on which a device logs in. Unlike a client it stays when it is told to leave, so that it
// shows what a server goes on giving to a login that has ended.
type session struct {
	gws.BuiltinEventHandler
	app    uint32
	socket *gws.Conn
	gone   chan struct{} // closed when the connection has ended

	mutex   sync.Mutex
	calls   uint32
	waiting map[uint32]chan []byte
	pushed  time.Time               // when it was last given a message
	heard   func(frame []byte) bool // takes a push of bench messages in place of the session; nil where there are none

	// Of the account that the login is of, which one goroutine at a time treats.
	over    time.Time // when the end of the login, or of its being here, was acknowledged; zero while it may be served
	why     string
	expires time.Time // when the login's UserSig ends
	found   bool      // it is among the faults
}

// open connects to a node as a device of a platform. heard may be nil.
func (t *target) open(ctx context.Context, address string, platform int, heard func([]byte) bool) (*session, error) {
	const longest = 1 << 20
	socket, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = socket.Close() })
	defer stop()
	s := &session{app: t.app, gone: make(chan struct{}), waiting: map[uint32]chan []byte{}, heard: heard}
	s.socket, _, err = gws.NewClientFromConn(s, &gws.ClientOption{ //nolint:bodyclose // the answer to a handshake has no body
		Addr: fmt.Sprintf("ws://%s/binfo?sdkappid=%d&instanceid=%016x&random=0.5&platform=%d&host=unknown&version=-1&sdkversion=3.6.6",
			address, t.app, now().UnixNano(), platform),
		ReadMaxPayloadSize: longest,
	}, socket)
	if err != nil {
		_ = socket.Close()
		return nil, fmt.Errorf("handshake: %w", err)
	}
	go func() {
		defer close(s.gone)
		s.socket.ReadLoop()
	}()
	return s, nil
}

func (s *session) close() { _ = s.socket.NetConn().Close() }

// there reports whether the connection has not ended.
func (s *session) there() bool {
	select {
	case <-s.gone:
		return false
	default:
		return true
	}
}

// end notes that from now on nothing may be served here.
func (s *session) end(at time.Time, why string) {
	if s.over.IsZero() {
		s.over, s.why = at, why
	}
}

// OnPing answers, as every WebSocket does.
func (s *session) OnPing(socket *gws.Conn, payload []byte) { _ = socket.WritePong(payload) }

// OnMessage takes an answer or a push.
func (s *session) OnMessage(_ *gws.Conn, message *gws.Message) {
	defer func() { _ = message.Close() }()
	if s.heard != nil && s.heard(message.Bytes()) {
		return
	}
	var frame struct {
		Head struct {
			Sequence uint32 `json:"seq"`
			Command  string `json:"servcmd"`
		} `json:"head"`
		Body json.RawMessage `json:"body"`
	}
	if json.Unmarshal(message.Bytes(), &frame) != nil {
		return
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if answer := s.waiting[frame.Head.Sequence]; answer != nil && frame.Head.Command != pushCommand {
		delete(s.waiting, frame.Head.Sequence)
		answer <- frame.Body
		return
	}
	if holdsMessage(frame.Body) {
		s.pushed = now()
	}
}

const pushCommand = "im_open_push.msg_push"

// holdsMessage tells a push of a message from one that says why the device is to leave.
func holdsMessage(body []byte) bool {
	var push struct {
		Events []struct {
			Messages []json.RawMessage `json:"C2cMsgArray"`
		} `json:"EventArray"`
	}
	if json.Unmarshal(body, &push) != nil {
		return false
	}
	for _, event := range push.Events {
		if len(event.Messages) > 0 {
			return true
		}
	}
	return false
}

func (s *session) lastPush() time.Time {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.pushed
}

// answer is what a run reads of any reply.
type answer struct {
	Code     int    `json:"ErrorCode"`
	Info     string `json:"ErrorInfo"`
	Token    string `json:"A2Key"`
	TinyID   string `json:"TinyId"`
	Instance int64  `json:"InstId"`
}

// sessionPatience is longer than a server takes to answer while it lives.
const sessionPatience = 15 * time.Second

// errNoAnswer: the server has the connection open and does not answer on it.
var errNoAnswer = errors.New("no answer in time")

// call makes a request with the head's members that say who asks. A refusal is a *client.Error.
func (s *session) call(ctx context.Context, who map[string]any, command string, body any) (*answer, error) {
	head := map[string]any{
		"ver": "v4", "platform": client.PlatformWeb, "websdkappid": 537048168, "websdkversion": "1.7.3", "status_instid": 0, "sdkappid": s.app,
		"contenttype": "json", "reqtime": now().Unix(), "sdkability": 75689843, "sdkability_ext": "", "cappid": 0, "cs": 0, "servcmd": command,
	}
	for name, value := range who {
		head[name] = value
	}
	came := make(chan []byte, 1)
	s.mutex.Lock()
	s.calls++
	head["seq"] = s.calls
	s.waiting[s.calls] = came
	s.mutex.Unlock()
	text, err := json.Marshal(map[string]any{"head": head, "body": body})
	if err != nil {
		return nil, err
	}
	if err := s.socket.WriteMessage(gws.OpcodeBinary, text); err != nil {
		return nil, err
	}
	return s.await(ctx, command, came)
}

func (s *session) await(ctx context.Context, command string, came <-chan []byte) (*answer, error) {
	patience := time.NewTimer(sessionPatience)
	defer patience.Stop()
	select {
	case text := <-came:
		a := &answer{}
		if err := json.Unmarshal(text, a); err != nil {
			return nil, fmt.Errorf("answer to %s: %w", command, err)
		}
		if a.Code != 0 {
			return nil, &client.Error{Code: a.Code, Info: a.Info}
		}
		return a, nil
	case <-s.gone:
		return nil, errClosedOn
	case <-patience.C:
		return nil, fmt.Errorf("%s: %w", command, errNoAnswer)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// logIn logs in, and pulls, as every client does: pushes are held back until then.
func (s *session) logIn(ctx context.Context, who map[string]any) (*answer, error) {
	a, err := s.call(ctx, who, "im_open_status.wslogin",
		map[string]any{"State": "Online", "is_web_uniapp": 0, "InstType": 0, "CustomInfo": ""})
	if err != nil {
		return nil, err
	}
	// Without it the device is logged in all the same.
	_ = s.pull(ctx)
	return a, nil
}

// pull asks what was missed, as whoever is logged in here; nobody else is answered.
func (s *session) pull(ctx context.Context) error {
	_, err := s.call(ctx, nil, "openim.getmsg", map[string]any{
		"Cookie": "", "SyncFlag": 0, "NeedAbstract": 1, "IsOnlineSync": 0, "NeedSignaling": 1, "NeedCachedMsg": 1,
	})
	return err
}

// served reports whether the server answers here as to somebody who is logged in. A server that does not answer at all has
// not ended the login either.
func (s *session) served(ctx context.Context) bool {
	if !s.there() {
		return false
	}
	err := s.pull(ctx)
	return err == nil || errors.Is(err, errNoAnswer)
}
