package magpietest

import (
	"fmt"
	"net"
)

// Platform is the kind of device, 7 (web) by default.
func Platform(number int) ConnOption {
	return func(d *dialing) { d.query.Set("platform", fmt.Sprint(number)) }
}

// SDKVersion is the version of the client's library, 3.6.6 by default, the full web client's.
func SDKVersion(version string) ConnOption {
	return func(d *dialing) { d.query.Set("sdkversion", version) }
}

// Inflating is a client that can read compressed frames.
func Inflating() ConnOption { return func(d *dialing) { d.query.Set("compress", "gzip") } }

// OnPath connects to another path than /binfo, such as /info, whose frames are text.
func OnPath(path string) ConnOption { return func(d *dialing) { d.path = path } }

// Ponging is a client that answers the server's pings, as every WebSocket library does by itself.
func Ponging() ConnOption { return func(d *dialing) { d.pongs = true } }

// SmallBuffer lets the kernel keep little of what the client does not read.
func SmallBuffer() ConnOption {
	return func(d *dialing) { d.raw = func(c net.Conn) { _ = c.(*net.TCPConn).SetReadBuffer(64 << 10) } }
}
