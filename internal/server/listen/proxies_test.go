package listen

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

// header makes one from names and values in turn.
func header(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}

func TestResolve(t *testing.T) {
	proxies := Proxies{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8"), netip.MustParsePrefix("fe80::/10")}
	const stranger, proxy = "198.51.100.1:1234", "10.0.0.1:1234"
	for _, row := range []struct {
		name, peer string
		header     http.Header
		want       string
	}{
		{"a proxy that says nothing", proxy, nil, proxy},
		{"X-Forwarded-For", proxy, header("X-Forwarded-For", "203.0.113.7"), "203.0.113.7:0"},
		{"X-Real-IP", proxy, header("X-Real-IP", " 203.0.113.7 "), "203.0.113.7:0"},
		{"both", proxy, header("X-Real-IP", "203.0.113.8", "X-Forwarded-For", "203.0.113.7"), "203.0.113.7:0"},
		{"empty, and X-Real-IP", proxy, header("X-Real-IP", "203.0.113.8", "X-Forwarded-For", " "), "203.0.113.8:0"},
		{"a stranger's headers", stranger, header("X-Forwarded-For", "203.0.113.7", "X-Real-IP", "203.0.113.7"), stranger},
		{"what the client wrote before", proxy, header("X-Forwarded-For", "1.1.1.1, 10.9.9.9, 203.0.113.7"), "203.0.113.7:0"},
		{"several proxies", proxy, header("X-Forwarded-For", "1.1.1.1, 203.0.113.7, 10.0.0.3,10.0.0.2"), "203.0.113.7:0"},
		{"several lines", proxy, header("X-Forwarded-For", "1.1.1.1", "X-Forwarded-For", "203.0.113.7", "X-Forwarded-For", "10.0.0.2"), "203.0.113.7:0"},
		{"a client within", proxy, header("X-Forwarded-For", "10.0.0.9, 10.0.0.2"), "10.0.0.9:0"},
		{"no address", proxy, header("X-Forwarded-For", "203.0.113.7, unknown"), proxy},
		{"no address behind a proxy", proxy, header("X-Forwarded-For", "203.0.113.7, <script>, 10.0.0.2"), "10.0.0.2:0"},
		{"no address in X-Real-IP", proxy, header("X-Real-IP", "localhost"), proxy},
		{"with a port", proxy, header("X-Forwarded-For", "203.0.113.7:5555"), "203.0.113.7:0"},
		{"IPv6", proxy, header("X-Forwarded-For", "2001:db8::7"), "[2001:db8::7]:0"},
		{"IPv6 in brackets", proxy, header("X-Forwarded-For", "[2001:db8::7]"), "[2001:db8::7]:0"},
		{"IPv6 with a port", proxy, header("X-Forwarded-For", "[2001:db8::7]:80"), "[2001:db8::7]:0"},
		{"IPv4 within IPv6", "[::ffff:10.0.0.1]:80", header("X-Forwarded-For", "::ffff:203.0.113.7"), "203.0.113.7:0"},
		{"a proxy with a zone", "[fe80::1%eth0]:80", header("X-Forwarded-For", "203.0.113.7"), "203.0.113.7:0"},
		{"more hops than are looked through", proxy, header("X-Forwarded-For", "203.0.113.7"+strings.Repeat(",10.0.0.2", 40)), "10.0.0.2:0"},
		{"a long one", proxy, header("X-Forwarded-For", strings.Repeat("9", 60_000)), proxy},
		{"no address of its own", "@", header("X-Forwarded-For", "203.0.113.7"), "@"},
	} {
		r := &http.Request{RemoteAddr: row.peer, Header: row.header}
		if proxies.Resolve(r); r.RemoteAddr != row.want {
			t.Errorf("%s: %s, want %s", row.name, r.RemoteAddr, row.want)
		}
		r = &http.Request{RemoteAddr: row.peer, Header: row.header}
		if Proxies(nil).Resolve(r); r.RemoteAddr != row.peer {
			t.Errorf("%s: nobody is trusted, and the address became %s", row.name, r.RemoteAddr)
		}
	}
}

func TestFromThisMachine(t *testing.T) {
	for _, row := range []struct {
		peer   string
		header http.Header
		want   bool
	}{
		{"127.0.0.1:1", nil, true},
		{"[::1]:1", nil, true},
		{"10.0.0.1:1", nil, false},
		{"127.0.0.1:1", header("X-Forwarded-For", "127.0.0.1"), false},
		{"127.0.0.1:1", header("X-Real-IP", "127.0.0.1"), false},
		{"127.0.0.1:1", header("Forwarded", "for=127.0.0.1"), false},
		{"", nil, false},
	} {
		if got := FromThisMachine(&http.Request{RemoteAddr: row.peer, Header: row.header}); got != row.want {
			t.Errorf("%s with %v: %v", row.peer, row.header, got)
		}
	}
}
