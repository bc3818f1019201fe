package client

import (
	"context"
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/lxzan/gws"
)

// headRoom is more than the head of any frame takes.
const headRoom = 16 << 10

// Close codes: a client that is done, and, as the web SDK has it, one that got no sign of life.
const (
	closeNormal = 1000
	closeSilent = 4001
)

// dial opens a WebSocket to one of the server's addresses. The context bounds it up to the end of the handshake.
func (c *Client) dial(ctx context.Context, base string) (*gws.Conn, error) {
	address, err := c.address(base)
	if err != nil {
		return nil, err
	}
	raw, err := c.connect(ctx, address)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	defer stop()
	conn, _, err := gws.NewClientFromConn( //nolint:bodyclose // the answer to a handshake has no body
		&link{c: c}, &gws.ClientOption{
			Addr: address.String(), HandshakeTimeout: c.opt.DialTimeout,
			ReadBufferSize: c.opt.ReadBuffer, ReadMaxPayloadSize: c.opt.MaxFrame,
			WriteMaxPayloadSize: c.opt.MaxFrame + headRoom, ParallelGolimit: 1,
			NewSession: func() gws.SessionStorage { return nil },
		}, raw)
	if err != nil {
		return nil, fmt.Errorf("handshake with %s: %w", address.Host, err)
	}
	return conn, nil
}

// connect opens the stream below the WebSocket.
func (c *Client) connect(ctx context.Context, address *url.URL) (net.Conn, error) {
	dial := c.opt.DialContext
	if dial == nil {
		dial = (&net.Dialer{LocalAddr: c.opt.LocalAddr}).DialContext
	}
	port := address.Port()
	if port == "" {
		port = map[string]string{"ws": "80", "wss": "443"}[address.Scheme]
	}
	raw, err := dial(ctx, "tcp", net.JoinHostPort(address.Hostname(), port))
	if err != nil || address.Scheme == "ws" {
		return raw, err
	}
	config := c.opt.TLSConfig.Clone()
	if config == nil {
		config = new(tls.Config)
	}
	if config.ServerName == "" {
		config.ServerName = address.Hostname()
	}
	secure := tls.Client(raw, config)
	if err = secure.HandshakeContext(ctx); err != nil {
		_ = raw.Close()
		return nil, err
	}
	return secure, nil
}

// address completes a base URL the way the web SDK does.
func (c *Client) address(base string) (*url.URL, error) {
	address, err := url.Parse(base)
	if err != nil {
		return nil, fmt.Errorf("client: URL: %w", err)
	}
	if address.Scheme != "ws" && address.Scheme != "wss" || address.Hostname() == "" {
		return nil, fmt.Errorf("client: URL %q: want ws://host:port or wss://host", base)
	}
	address.Path = strings.TrimSuffix(address.Path, "/") + "/binfo"
	query := url.Values{
		"sdkappid":   {strconv.FormatUint(uint64(c.opt.AppID), 10)},
		"instanceid": {c.id},
		"random":     {strconv.FormatFloat(rand.Float64(), 'f', -1, 64)},
		"platform":   {strconv.Itoa(c.opt.Platform)},
		"host":       {"unknown"}, "version": {"-1"}, "sdkversion": {"3.6.6"},
	}
	if !c.opt.NoCompress {
		query.Set("compress", "gzip")
	}
	address.RawQuery = query.Encode()
	return address, nil
}

// hangUp ends a connection with a close frame if that can be written soon, and in any case.
func hangUp(conn *gws.Conn, code uint16) {
	_ = conn.NetConn().SetWriteDeadline(now().Add(time.Second))
	_ = conn.WriteClose(code, nil)
	_ = conn.NetConn().Close()
}

// link is a connection's event handler.
type link struct{ c *Client }

func (l *link) OnOpen(*gws.Conn)         {}
func (l *link) OnPong(*gws.Conn, []byte) {}

func (l *link) OnPing(conn *gws.Conn, payload []byte) {
	l.c.lastRead.Store(l.c.clock())
	_ = conn.WritePong(payload)
}

func (l *link) OnClose(_ *gws.Conn, err error) {
	if l.c.fatal == nil {
		l.c.fatal = err
	}
}

// OnMessage takes a frame. A text frame is none of this path and dropped, as the web SDK does.
func (l *link) OnMessage(conn *gws.Conn, message *gws.Message) {
	c := l.c
	c.lastRead.Store(c.clock())
	c.inside = true // not reset by a panic: see read
	if message.Opcode == gws.OpcodeBinary {
		err := withPlain(message.Bytes(), c.opt.MaxFrame, func(plain []byte) { c.receive(conn, plain) })
		if err != nil {
			c.log.Warn("frame dropped", fieldError, err)
		}
	}
	_ = message.Close()
	c.inside = false
}
