package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"

	"github.com/coder/websocket"
)

func init() {
	libraries["coder-default"] = func(options) (library, error) { return coder{}, nil }
	libraries["coder"] = func(o options) (library, error) { return coder{readBuf: o.readBuf}, nil }
}

// coder keeps both buffers of net/http unless it is handed smaller ones.
type coder struct{ readBuf int }

func (l coder) upgrade(w http.ResponseWriter, r *http.Request, joined func(peer)) error {
	if l.readBuf > 0 {
		w = smallBuffers{w, l.readBuf}
	}
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		InsecureSkipVerify: true, CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		return err
	}
	c.SetReadLimit(maxFrame)
	joined(c)
	go echoCoder(c)
	return nil
}

func echoCoder(c *websocket.Conn) {
	defer c.CloseNow()
	for {
		kind, data, err := c.Read(context.Background())
		if err != nil {
			return
		}
		if c.Write(context.Background(), kind, data) != nil {
			return
		}
	}
}

func (coder) prepare(payload []byte) message { return coderMessage(payload) }

// coderMessage: the library has no prepared frame; each write builds its header and copies the payload.
type coderMessage []byte

func (m coderMessage) writeTo(p peer) error {
	return p.(*websocket.Conn).Write(context.Background(), websocket.MessageBinary, m)
}

func (coderMessage) close([]peer) {}

type smallBuffers struct {
	http.ResponseWriter
	size int
}

// Hijack keeps what net/http has already read: the answer is sent before the hijack, so a quick client's first byte
// may be in there.
func (s smallBuffers) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(s.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	early, _ := rw.Peek(rw.Reader.Buffered())
	br := bufio.NewReaderSize(io.MultiReader(bytes.NewReader(early), conn), s.size)
	_, _ = br.Peek(len(early))
	return conn, bufio.NewReadWriter(br, bufio.NewWriterSize(conn, s.size)), nil
}
