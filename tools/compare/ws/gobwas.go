package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	gobwas "github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

func init() {
	libraries["gobwas"] = func(options) (library, error) { return gobwasLoop{}, nil }
	libraries["gobwas-bufio"] = func(o options) (library, error) { return gobwasLoop{o.readBuf}, nil }
	libraries["gobwas-epoll"] = func(options) (library, error) {
		p, err := newPoller(4)
		return gobwasEpoll{p}, err
	}
}

// gobwasLoop has a goroutine for each connection, and a read buffer only if readBuf says so; else it borrows one.
type gobwasLoop struct{ readBuf int }

func (l gobwasLoop) upgrade(w http.ResponseWriter, r *http.Request, joined func(peer)) error {
	c, rw, _, err := gobwas.UpgradeHTTP(r, w)
	if err != nil {
		return err
	}
	if rw.Reader.Buffered() > 0 { // it spoke before the answer
		return c.Close()
	}
	var src io.Reader
	tcp, ok := c.(*net.TCPConn)
	if l.readBuf == 0 && ok {
		src, err = newLazyReader(tcp)
	} else {
		src = bufio.NewReaderSize(c, max(l.readBuf, 512)) // TLS: the kernel's buffer is not ours to wait for
	}
	if err != nil {
		return err
	}
	joined(c)
	go loopGobwas(c, src)
	return nil
}

func (gobwasLoop) prepare(payload []byte) message { return compile(payload) }

func loopGobwas(c net.Conn, src io.Reader) {
	defer c.Close()
	control := wsutil.ControlFrameHandler(c, gobwas.StateServerSide)
	rd := &wsutil.Reader{
		Source: src, State: gobwas.StateServerSide, CheckUTF8: true,
		MaxFrameSize: maxFrame, MaxMessageSize: maxFrame, OnIntermediate: control,
	}
	for {
		if err := echoOne(c, rd, control); err != nil {
			if err != errAnswered {
				farewell(c, err)
			}
			return
		}
	}
}

var errAnswered = errors.New("close frame answered")

var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// echoOne reads into a borrowed buffer that grows with what arrives, not with what the header claims.
func echoOne(c net.Conn, rd *wsutil.Reader, control wsutil.FrameHandlerFunc) error {
	h, err := rd.NextFrame()
	if err != nil {
		return err
	}
	if h.OpCode.IsControl() {
		if err := control(h, rd); err != nil {
			return errAnswered // the handler has said what there is to say
		}
		return nil
	}
	body := bodies.Get().(*bytes.Buffer)
	defer bodies.Put(body)
	body.Reset()
	if _, err := body.ReadFrom(rd); err != nil {
		return err
	}
	out := net.Buffers{serverHeader(h.OpCode, body.Len()), body.Bytes()}
	_, err = out.WriteTo(c)
	return err
}

func serverHeader(op gobwas.OpCode, n int) []byte {
	var b bytes.Buffer
	_ = gobwas.WriteHeader(&b, gobwas.Header{Fin: true, OpCode: op, Length: int64(n)})
	return b.Bytes()
}

// farewell tells the client why, where the protocol has a code for it.
func farewell(c net.Conn, err error) {
	var code gobwas.StatusCode
	switch {
	case errors.Is(err, wsutil.ErrFrameTooLarge), errors.Is(err, wsutil.ErrMessageTooLarge):
		code = gobwas.StatusMessageTooBig
	case errors.Is(err, wsutil.ErrInvalidUTF8):
		code = gobwas.StatusInvalidFramePayloadData
	case errors.Is(err, io.EOF), errors.As(err, new(net.Error)):
		return
	default:
		code = gobwas.StatusProtocolError
	}
	_ = c.SetWriteDeadline(time.Now().Add(time.Second))
	_ = wsutil.WriteServerMessage(c, gobwas.OpClose, gobwas.NewCloseFrameBody(code, ""))
}

// gobwasEpoll has none: a connection costs a goroutine only while it has something to say.
type gobwasEpoll struct{ p *poller }

func (l gobwasEpoll) upgrade(w http.ResponseWriter, r *http.Request, joined func(peer)) error {
	c, _, _, err := gobwas.UpgradeHTTP(r, w)
	if err != nil {
		return err
	}
	joined(c)
	return l.p.add(c.(*net.TCPConn))
}

func (gobwasEpoll) prepare(payload []byte) message { return compile(payload) }

var readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 4096) }}

// readReady reads what made the poller speak. A frame sent byte by byte holds a worker for as long as the deadline.
func readReady(c net.Conn) error {
	br := readers.Get().(*bufio.Reader)
	defer readers.Put(br)
	br.Reset(c)
	_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
	for {
		if err := echoGobwas(c, br); err != nil {
			return err
		}
		if br.Buffered() == 0 {
			return nil
		}
	}
}

func echoGobwas(c net.Conn, src io.Reader) error {
	rd := wsutil.Reader{
		Source: src, State: gobwas.StateServerSide, CheckUTF8: true,
		MaxFrameSize: maxFrame, MaxMessageSize: maxFrame,
		OnIntermediate: wsutil.ControlFrameHandler(c, gobwas.StateServerSide),
	}
	h, err := rd.NextFrame()
	if err != nil {
		return err
	}
	if h.OpCode.IsControl() {
		return wsutil.ControlFrameHandler(c, gobwas.StateServerSide)(h, &rd)
	}
	data, err := io.ReadAll(&rd)
	if err != nil {
		return err
	}
	return wsutil.WriteServerMessage(c, h.OpCode, data)
}
