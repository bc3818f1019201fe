package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/magpie-im/magpie/client"
)

// visitor is a WebSocket client that does nothing but log in and leave, in as few system calls and as little work as that
// takes: the client room's client would cost more than the login that is measured. It is for one goroutine.
type visitor struct {
	address   string
	from      net.Addr // nil for what the kernel picks
	handshake []byte
	bySig     []byte // the frame that logs in with a UserSig
	byToken   []byte // the one that comes back with the token of the last login; nil before it

	socket net.Conn
	in     *bufio.Reader
	frame  []byte
}

const (
	// visitPatience bounds one login, as the web SDK does.
	visitPatience = 90 * time.Second
	// visitBuffer holds the answer to a handshake, and most replies.
	visitBuffer = 1 << 10
)

// newVisitor prepares a user's frames. What a browser and the web SDK say beside the login is in them too.
func (t *target) newVisitor(user int) (*visitor, error) {
	sig, err := t.sign(userName(user))
	if err != nil {
		return nil, err
	}
	v := &visitor{address: strings.TrimPrefix(t.urls(user)[0], "ws://"), from: visitAddress(user)}
	v.handshake = fmt.Appendf(nil, "GET /binfo?compress=gzip&host=unknown&instanceid=%032x&platform=7&random=0.%016d&sdkappid=%d"+
		"&sdkversion=3.6.6&version=-1 HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nPragma: no-cache\r\nCache-Control: no-cache\r\n"+
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\n"+
		"Upgrade: websocket\r\nOrigin: http://localhost\r\nSec-WebSocket-Version: 13\r\nAccept-Encoding: gzip, deflate, br\r\n"+
		"Accept-Language: en\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"+
		"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n", user, user, t.app, v.address)
	v.bySig = loginFrame(t.app, `"identifier":"`+userName(user)+`","usersig":"`+sig+`"`)
	return v, nil
}

// visitAddress gives users addresses of their own, some hundred to each: a port that was used a moment ago is not
// free, and each address has some 28,000.
func visitAddress(user int) net.Addr {
	const each, most = 100, 200
	return &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+user/each%most))}
}

// loginFrame is the web SDK's login as a frame.
func loginFrame(app uint32, who string) []byte {
	text := fmt.Appendf(nil, `{"head":{"ver":"v4","platform":7,"websdkappid":537048168,"websdkversion":"1.7.3","status_instid":0,`+
		`"sdkappid":%d,"contenttype":"json","reqtime":%d,%s,"sdkability":75689843,"sdkability_ext":"","cappid":0,"cs":0,`+
		`"servcmd":"im_open_status.wslogin","seq":27889805},"body":{"State":"Online","is_web_uniapp":0,"InstType":0,"CustomInfo":""}}`,
		app, now().Unix(), who)
	return maskedFrame([]byte(text))
}

// maskedFrame is a client's binary frame. Its mask is 0, which leaves the text as it is and costs the server what any other does.
func maskedFrame(text []byte) []byte {
	const binaryFinal, masked, long, longest, short = 0x82, 0x80, 126, 127, 1 << 16
	frame := make([]byte, 0, len(text)+14)
	if len(text) < short {
		frame = binary.BigEndian.AppendUint16(append(frame, binaryFinal, masked|long), uint16(len(text)))
	} else {
		frame = binary.BigEndian.AppendUint64(append(frame, binaryFinal, masked|longest), uint64(len(text)))
	}
	frame = append(frame, 0, 0, 0, 0)
	return append(frame, text...)
}

// arrive connects and logs in: with the token of the last login if again is true, else with a UserSig.
func (v *visitor) arrive(ctx context.Context, again bool) error {
	if err := v.connect(ctx); err != nil {
		return err
	}
	if err := v.enter(again); err != nil {
		v.hangUp()
		return err
	}
	return nil
}

// connect does the handshake.
func (v *visitor) connect(ctx context.Context) error {
	socket, err := (&net.Dialer{LocalAddr: v.from}).DialContext(ctx, "tcp", v.address)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	v.socket = socket
	if err := v.shakeHands(); err != nil {
		v.hangUp()
		return err
	}
	return nil
}

func (v *visitor) shakeHands() error {
	if err := v.socket.SetDeadline(now().Add(visitPatience)); err != nil {
		return err
	}
	if v.in == nil {
		v.in = bufio.NewReaderSize(v.socket, visitBuffer)
	}
	v.in.Reset(v.socket)
	if _, err := v.socket.Write(v.handshake); err != nil {
		return err
	}
	return v.upgraded()
}

func (v *visitor) enter(again bool) error {
	login := v.bySig
	if again {
		login = v.byToken
	}
	if _, err := v.socket.Write(login); err != nil {
		return err
	}
	return v.admitted(again)
}

// upgraded reads the answer to the handshake.
func (v *visitor) upgraded() error {
	status, err := v.in.ReadString('\n')
	if err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	if !strings.HasPrefix(status, "HTTP/1.1 101 ") {
		return fmt.Errorf("handshake: answered %q", strings.TrimSpace(status))
	}
	for {
		line, err := v.in.ReadSlice('\n')
		if err != nil {
			return fmt.Errorf("handshake: %w", err)
		}
		if len(bytes.TrimSpace(line)) == 0 {
			return nil
		}
	}
}

// admitted reads the answer to the login, which is the first binary frame.
func (v *visitor) admitted(again bool) error {
	text, err := v.next()
	if err != nil {
		return fmt.Errorf("login: %w", err)
	}
	var reply struct {
		Body struct {
			Code   int    `json:"ErrorCode"`
			Info   string `json:"ErrorInfo"`
			Token  string `json:"A2Key"`
			TinyID string `json:"TinyId"`
		} `json:"body"`
	}
	if err := json.Unmarshal(text, &reply); err != nil {
		return fmt.Errorf("answer to login: %w", err)
	}
	switch {
	case reply.Body.Code != 0:
		return &client.Error{Code: reply.Body.Code, Info: reply.Body.Info}
	case reply.Body.Token == "" || reply.Body.TinyID == "":
		return fmt.Errorf("answer to login: %.200q has no session", text)
	case !again:
		v.byToken = loginFrame(uint32(stageApp), `"a2":"`+reply.Body.Token+`","tinyid":"`+reply.Body.TinyID+`"`)
	}
	return nil
}

var errClosedOn = errors.New("the server closed the connection")

// next reads a frame; it is valid until the next one is read. A server's are neither masked nor in pieces.
func (v *visitor) next() ([]byte, error) {
	const closing, lengths, long, longest = 0x88, 0x7f, 126, 127
	var head [8]byte
	if _, err := io.ReadFull(v.in, head[:2]); err != nil {
		return nil, err
	}
	first, n := head[0], int64(head[1]&lengths)
	switch n {
	case long:
		if _, err := io.ReadFull(v.in, head[:2]); err != nil {
			return nil, err
		}
		n = int64(binary.BigEndian.Uint16(head[:2]))
	case longest:
		return nil, errors.New("a frame longer than any login's answer")
	}
	if int64(cap(v.frame)) < n {
		v.frame = make([]byte, n)
	}
	if _, err := io.ReadFull(v.in, v.frame[:n]); err != nil {
		return nil, err
	}
	if first == closing {
		return nil, errClosedOn
	}
	return v.frame[:n], nil
}

// leave says good-bye as a browser does and waits for the server to close.
func (v *visitor) leave() error {
	if v.socket == nil {
		return nil
	}
	defer v.hangUp()
	if _, err := v.socket.Write([]byte{0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8}); err != nil { // 1000
		return err
	}
	for {
		switch _, err := v.next(); {
		case err == nil, errors.Is(err, errClosedOn):
		case errors.Is(err, io.EOF):
			return nil
		default:
			return err
		}
	}
}

// hangUp closes the socket without a word.
func (v *visitor) hangUp() {
	if v.socket != nil {
		_ = v.socket.Close()
		v.socket = nil
	}
}
