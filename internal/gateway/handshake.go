package gateway

import (
	"bufio"
	"crypto/sha1" //nolint:gosec // the protocol asks for it, and nothing secret depends on it
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// acceptKey stands behind a client's key in what the server proves its handshake with (RFC 6455 section 1.3).
const acceptKey = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

var errNoTakeover = errors.New("gateway: the connection cannot be taken over")

// handshake answers the request for a WebSocket and takes its connection over. No extension and no subprotocol is agreed
// to. It returns what the client sent before it had the answer. After an error the request is answered, and what is left
// of its connection is net/http's.
func handshake(w http.ResponseWriter, r *http.Request) (socket net.Conn, early []byte, err error) {
	key := r.Header.Get("Sec-WebSocket-Key")
	if r.Method != http.MethodGet || key == "" || r.Header.Get("Sec-WebSocket-Version") != "13" {
		w.Header().Set("Sec-WebSocket-Version", "13")
		http.Error(w, "not a WebSocket's handshake: want GET with Sec-WebSocket-Key, and Sec-WebSocket-Version 13", http.StatusBadRequest)
		return nil, nil, errNoHandshake
	}
	hijacker, ok := w.(http.Hijacker)
	if !ok {
		http.Error(w, "this connection cannot become a WebSocket", http.StatusInternalServerError)
		return nil, nil, errNoTakeover
	}
	socket, buffered, err := hijacker.Hijack()
	if err != nil {
		return nil, nil, fmt.Errorf("take over the connection: %w", err)
	}
	if err := answerHandshake(socket, key); err != nil {
		_ = socket.Close()
		return nil, nil, fmt.Errorf("answer the handshake: %w", err)
	}
	return socket, earlyBytes(buffered.Reader), nil
}

var errNoHandshake = errors.New("gateway: not a WebSocket's handshake")

func answerHandshake(socket net.Conn, key string) error {
	if err := socket.SetDeadline(time.Now().Add(handshakeTimeout)); err != nil {
		return err
	}
	sum := sha1.Sum([]byte(key + acceptKey)) //nolint:gosec // see above
	answer := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
		base64.StdEncoding.EncodeToString(sum[:]) + "\r\n\r\n"
	if _, err := socket.Write([]byte(answer)); err != nil {
		return err
	}
	return socket.SetDeadline(time.Time{})
}

// earlyBytes copies what net/http has read already, so that its buffer can go.
func earlyBytes(from *bufio.Reader) []byte {
	early, err := from.Peek(min(from.Buffered(), readerBytes))
	if err != nil || len(early) == 0 {
		return nil
	}
	return append([]byte(nil), early...)
}
