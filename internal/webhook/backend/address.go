package backend

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
)

var errPrivate = errors.New("webhook: the address is private or this machine's own; --webhook-private=allow lets it be called")

// refusePrivate looks at the address that a name was resolved to, so that a name cannot hide it.
func refusePrivate(_, address string, _ syscall.RawConn) error {
	where, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("webhook: address %q: %w", address, err)
	}
	ip := where.Addr().Unmap()
	if nat64.Contains(ip) {
		const v4 = 12 // where the address inside begins
		inside, _ := netip.AddrFromSlice(ip.AsSlice()[v4:])
		ip = inside
	}
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || slices.ContainsFunc(special, func(p netip.Prefix) bool { return p.Contains(ip) }) {
		return errPrivate
	}
	return refuseOwn(ip)
}

// refuseOwn refuses the addresses of this machine, which may be public ones.
func refuseOwn(ip netip.Addr) error {
	own, err := net.InterfaceAddrs()
	if err != nil {
		return fmt.Errorf("webhook: look up this machine's addresses: %w", err)
	}
	for _, one := range own {
		if network, ok := one.(*net.IPNet); ok && network.IP.Equal(ip.AsSlice()) {
			return errPrivate
		}
	}
	return nil
}

// nat64 leads to the IPv4 address at its end (RFC 6052).
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// special are the networks of IANA's special-purpose registries that are nobody's in particular and that package netip
// does not tell: this network, between a carrier and its customers, protocols', benchmarks', reserved; and in IPv6 those
// that hold an IPv4 address, a local NAT64 and the old site-local one.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("fec0::/10"),
}
