package listen

import (
	"net/http"
	"net/netip"
	"strings"
)

// Proxies are the networks of the proxies that are believed when they say whom they speak for. Nil believes no proxy.
type Proxies []netip.Prefix

func (p Proxies) trust(address netip.Addr) bool {
	address = address.Unmap().WithZone("")
	for _, network := range p {
		if network.Contains(address) {
			return true
		}
	}
	return false
}

// The headers by which a proxy says whom it speaks for.
const (
	forwardedFor = "X-Forwarded-For"
	realIP       = "X-Real-Ip"
	forwardedBy  = "X-Forwarded-Proto"
	forwarded    = "Forwarded"
)

// maxHops bounds how many proxies one behind the other are looked through.
const maxHops = 32

// Resolve puts the client's address in place of the proxy's into RemoteAddr, where the doors look for it, and the scheme by which
// the client reached the proxy into the URL, if that says it. The headers of who is no trusted proxy are not looked at.
func (p Proxies) Resolve(r *http.Request) {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !p.trust(at.Addr()) {
		return
	}
	if scheme := r.Header.Get(forwardedBy); scheme == "http" || scheme == "https" {
		r.URL.Scheme = scheme
	}
	if client := p.client(at.Addr().Unmap(), r.Header); client != at.Addr().Unmap() {
		r.RemoteAddr = netip.AddrPortFrom(client, 0).String()
	}
}

// client walks X-Forwarded-For from its end, where the nearest proxy wrote: the first address that is no trusted
// proxy's is the client's, and what stands before it anybody may have written. What is no address ends the walk at the
// proxy that wrote it. X-Real-IP counts where the other is not sent.
func (p Proxies) client(proxy netip.Addr, header http.Header) netip.Addr {
	client, said := proxy, false
	rest, more := strings.Join(header[forwardedFor], ","), true
	for hops := 0; more && hops < maxHops; hops++ {
		var text string
		rest, text, more = cutLast(rest)
		if text == "" {
			continue
		}
		said = true
		address, ok := parseHop(text)
		if !ok {
			return client
		}
		if client = address; !p.trust(address) {
			return client
		}
	}
	if !said {
		if address, ok := parseHop(strings.TrimSpace(header.Get(realIP))); ok {
			return address
		}
	}
	return client
}

// cutLast splits the last part off a list with commas.
func cutLast(list string) (rest, last string, more bool) {
	at := strings.LastIndexByte(list, ',')
	return list[:max(at, 0)], strings.TrimSpace(list[at+1:]), at >= 0
}

// maxHop bounds the text of one address, with a port.
const maxHop = 64

// parseHop reads an address as proxies write it, some of them with the port.
func parseHop(text string) (netip.Addr, bool) {
	if len(text) > maxHop {
		return netip.Addr{}, false
	}
	if at, err := netip.ParseAddrPort(text); err == nil {
		return at.Addr().Unmap().WithZone(""), true
	}
	address, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	return address.Unmap().WithZone(""), err == nil
}

// FromThisMachine reports whether the request comes from a program on this machine that does not speak for another: its
// address is the loopback's, and it has none of a proxy's headers.
func FromThisMachine(r *http.Request) bool {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !at.Addr().Unmap().IsLoopback() {
		return false
	}
	return r.Header[forwardedFor] == nil && r.Header[realIP] == nil && r.Header[forwarded] == nil
}
