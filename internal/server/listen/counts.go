package listen

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/magpie-im/magpie/internal/stranger"
)

// Bounds are how many connections are open at once; zero is no bound.
type Bounds struct {
	// Address bounds those of one address, of both doors. Trusted proxies are not counted, but those they speak for.
	Address int
	// HTTP bounds those that are no WebSocket: handshakes, REST calls, and what is kept open for the next call. One address
	// gets a quarter of it.
	HTTP int
}

// httpShare is the part of Bounds.HTTP that one address gets.
const httpShare = 4

// counts are the open connections, in all and by address. There are no more addresses in it than connections.
type counts struct {
	bounds Bounds
	mutex  sync.Mutex
	http   map[*conn]struct{}
	of     map[netip.Addr]count
}

type count struct{ all, http int }

// conn is an accepted connection. It counts until it is closed. All that a TCP connection can do it can do too.
type conn struct {
	*net.TCPConn
	counts *counts
	asked  atomic.Bool // a whole request has come, and is not answered yet
	lent   bool        // a trusted proxy's, which speaks for others

	// The counts' mutex guards what follows.
	address   netip.Addr // for whom it counts; not valid for nobody
	webSocket bool
	closed    bool
}

// The reasons for which a connection is not taken.
const (
	reasonFull    = "full"
	reasonAddress = "address"
)

// add counts a new connection for an address, none when that is not valid. It returns the reason against it, or "".
func (n *counts) add(c *conn, address netip.Addr) string {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	if n.bounds.HTTP > 0 && len(n.http) >= n.bounds.HTTP {
		return reasonFull
	}
	if !n.room(address, c) {
		return reasonAddress
	}
	n.http[c] = struct{}{}
	n.enter(c, address)
	return ""
}

// settle counts the connection for another address, and reports whether there was room.
func (n *counts) settle(c *conn, address netip.Addr) bool {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	if c.closed || c.address == address {
		return true
	}
	if !n.room(address, c) {
		return false
	}
	n.leave(c)
	n.enter(c, address)
	return true
}

func (n *counts) room(address netip.Addr, c *conn) bool {
	if !address.IsValid() {
		return true
	}
	has, b := n.of[address], n.bounds
	return (b.Address == 0 || has.all < b.Address) && (b.HTTP == 0 || c.webSocket || has.http < max(b.HTTP/httpShare, 1))
}

func (n *counts) enter(c *conn, address netip.Addr) {
	if c.address = address; !address.IsValid() {
		return
	}
	has := n.of[address]
	has.all++
	if !c.webSocket {
		has.http++
	}
	n.of[address] = has
}

func (n *counts) leave(c *conn) {
	if !c.address.IsValid() {
		return
	}
	has := n.of[c.address]
	has.all--
	if !c.webSocket {
		has.http--
	}
	if n.of[c.address] = has; has.all == 0 {
		delete(n.of, c.address)
	}
	c.address = netip.Addr{}
}

// upgraded counts the connection among the WebSockets from now on.
func (n *counts) upgraded(c *conn) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	if c.closed || c.webSocket {
		return
	}
	address := c.address
	n.leave(c)
	delete(n.http, c)
	c.webSocket = true
	n.enter(c, address)
}

// Close implements [net.Conn].
func (c *conn) Close() error {
	n := c.counts
	n.mutex.Lock()
	if !c.closed {
		c.closed = true
		n.leave(c)
		delete(n.http, c)
	}
	n.mutex.Unlock()
	return c.TCPConn.Close()
}

// hurry has those connections end soon on which no whole request has come.
func (n *counts) hurry(within time.Duration) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	until := time.Now().Add(within)
	for c := range n.http {
		if !c.asked.Load() {
			_ = c.SetReadDeadline(until)
		}
	}
}

// under finds the connection below TLS and the PROXY protocol; nil when it was not accepted here.
func under(c net.Conn) *conn {
	if layer, ok := c.(interface{ NetConn() net.Conn }); ok { // TLS
		c = layer.NetConn()
	}
	switch c := c.(type) {
	case *conn:
		return c
	case *proxied:
		return c.conn
	}
	return nil
}

// follow keeps the counts by what net/http says of a connection.
func follow(c net.Conn, now http.ConnState) {
	known := under(c)
	if known == nil {
		return
	}
	known.asked.Store(now == http.StateActive)
	switch {
	case now == http.StateHijacked:
		known.counts.upgraded(known)
	case now == http.StateIdle && known.lent: // the next call may be somebody else's
		known.counts.settle(known, netip.Addr{})
	}
}

// counted is whom a connection counts for that speaks for an address: nobody when that is a trusted proxy's.
func (p Proxies) counted(address netip.Addr) netip.Addr {
	if !address.IsValid() || p.trust(address) {
		return netip.Addr{}
	}
	return stranger.Network(address)
}
