package listen

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/magpie-im/magpie/internal/telemetry"
)

// The PROXY protocol: a proxy that passes bytes on begins a connection with a header that says whose it is, as a line of
// text (version 1) or in binary (version 2).
const (
	textStart   = "PROXY "
	binaryStart = "\r\n\r\n\x00\r\nQUIT\n"
	maxText     = 107 // with its end, by the protocol
	maxBinary   = 4 << 10
	// headerWithin bounds the wait for the header, which a proxy sends at once.
	headerWithin = 5 * time.Second
)

var errNoRoom = errors.New("the address has as many connections as it may have")

var errNoHeader = errors.New("the connection does not begin with a header of the PROXY protocol")

// proxied is a connection from a trusted proxy, which begins with a header. It is read by whoever asks first for bytes
// or for the address, which is the connection's own goroutine and not the one that accepts.
type proxied struct {
	*conn
	of     *Listener
	once   sync.Once
	client net.Addr
	err    error
}

// Read gives what comes behind the header.
func (c *proxied) Read(p []byte) (int, error) {
	if c.once.Do(c.header); c.err != nil {
		return 0, c.err
	}
	return c.conn.Read(p)
}

// RemoteAddr is the client's address, or the proxy's when the header names none.
func (c *proxied) RemoteAddr() net.Addr {
	if c.once.Do(c.header); c.client != nil {
		return c.client
	}
	return c.conn.RemoteAddr()
}

func (c *proxied) header() {
	_ = c.conn.SetReadDeadline(time.Now().Add(headerWithin))
	client, err := readHeader(c.conn)
	if err != nil {
		c.err = err
		c.of.options.Metrics.Refused.WithLabelValues("listener", "proxy-header").Inc()
		c.of.options.Refusals.Warn(context.Background(), "proxy-header", "refused a connection from a trusted proxy",
			telemetry.FieldPeer, c.conn.RemoteAddr().String(), telemetry.FieldError, err)
		_ = c.conn.Close()
		return
	}
	if client.IsValid() {
		c.client = net.TCPAddrFromAddrPort(client)
		c.lent = c.of.options.Proxies.trust(client.Addr())
		if !c.counts.settle(c.conn, c.of.options.Proxies.counted(client.Addr())) {
			c.err = errNoRoom
			c.of.refuse(context.Background(), reasonAddress, client.String())
			_ = c.conn.Close()
			return
		}
	}
	_ = c.conn.SetReadDeadline(time.Time{})
}

// readHeader reads one header and no byte more. The address is not valid when the header says that there is none, as
// that of a proxy's own health check.
func readHeader(r io.Reader) (netip.AddrPort, error) {
	start := make([]byte, len(binaryStart))
	if _, err := io.ReadFull(r, start); err != nil {
		return netip.AddrPort{}, fmt.Errorf("%w: %w", errNoHeader, err)
	}
	switch {
	case string(start) == binaryStart:
		return readBinary(r)
	case bytes.HasPrefix(start, []byte(textStart)):
		return readText(r, start)
	}
	return netip.AddrPort{}, errNoHeader
}

func readText(r io.Reader, line []byte) (netip.AddrPort, error) {
	// Byte by byte, because what follows the line is the client's.
	for one := make([]byte, 1); !bytes.HasSuffix(line, []byte("\r\n")); line = append(line, one[0]) {
		if len(line) == maxText {
			return netip.AddrPort{}, fmt.Errorf("%w: its line has no end", errNoHeader)
		}
		if _, err := io.ReadFull(r, one); err != nil {
			return netip.AddrPort{}, fmt.Errorf("%w: %w", errNoHeader, err)
		}
	}
	fields := strings.Split(strings.TrimSuffix(string(line), "\r\n"), " ")
	if fields[1] == "UNKNOWN" {
		return netip.AddrPort{}, nil
	}
	if len(fields) != 6 || fields[1] != "TCP4" && fields[1] != "TCP6" {
		return netip.AddrPort{}, fmt.Errorf("%w: its line names no addresses", errNoHeader)
	}
	address, err := netip.ParseAddr(fields[2])
	port, portErr := strconv.ParseUint(fields[4], 10, 16)
	if err != nil || portErr != nil || address.Zone() != "" || address.Is4() != (fields[1] == "TCP4") {
		return netip.AddrPort{}, fmt.Errorf("%w: its line has an address that is none", errNoHeader)
	}
	return netip.AddrPortFrom(address.Unmap(), uint16(port)), nil
}

// readBinary reads what follows the start: version and command, family, length, addresses, and more that is skipped.
func readBinary(r io.Reader) (netip.AddrPort, error) {
	head := make([]byte, 4)
	if _, err := io.ReadFull(r, head); err != nil {
		return netip.AddrPort{}, fmt.Errorf("%w: %w", errNoHeader, err)
	}
	length := int(binary.BigEndian.Uint16(head[2:]))
	const version, local, proxy = 0x20, 0, 1
	command := head[0] & 0x0f
	if head[0]&0xf0 != version || command != local && command != proxy || length > maxBinary {
		return netip.AddrPort{}, fmt.Errorf("%w: its version or length is out of range", errNoHeader)
	}
	rest := make([]byte, length)
	if _, err := io.ReadFull(r, rest); err != nil {
		return netip.AddrPort{}, fmt.Errorf("%w: %w", errNoHeader, err)
	}
	const tcp4, tcp6 = 0x11, 0x21
	size := map[byte]int{tcp4: 4, tcp6: 16}[head[1]]
	if command == local || size == 0 {
		return netip.AddrPort{}, nil
	}
	if len(rest) < 2*size+4 {
		return netip.AddrPort{}, fmt.Errorf("%w: its addresses are cut short", errNoHeader)
	}
	address, _ := netip.AddrFromSlice(rest[:size])
	return netip.AddrPortFrom(address.Unmap(), binary.BigEndian.Uint16(rest[2*size:])), nil
}
