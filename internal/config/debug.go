package config

import (
	"errors"
	"net"
	"net/netip"
)

// validDebug keeps the profiles, which show how the node works and cost it time, on this machine unless an operator says
// that he means it.
func (c *Config) validDebug() error {
	if c.DebugListen == "" {
		return nil
	}
	if err := validListen("debug-listen", c.DebugListen); err != nil {
		return err
	}
	host, _, _ := net.SplitHostPort(c.DebugListen)
	ip, err := netip.ParseAddr(host)
	if c.DebugListenAnywhere || host == "localhost" || err == nil && ip.IsLoopback() {
		return nil
	}
	return errors.New("--debug-listen: want an address of this machine alone, such as 127.0.0.1:6060, as nobody is asked for a " +
		"password there; --debug-listen-anywhere allows any other")
}
