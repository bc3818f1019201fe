package listen

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

const (
	v2 = "\r\n\r\n\x00\r\nQUIT\n"
	// Two addresses with two ports: 203.0.113.7:258 to 10.0.0.1:80, and 2001:db8::7 to ::1.
	four = "\xcb\x00\x71\x07\x0a\x00\x00\x01\x01\x02\x00\x50"
	six  = "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x01\x02\x00\x50"
)

func TestReadHeader(t *testing.T) {
	for name, row := range map[string]struct{ header, want string }{
		"version 1":               {"PROXY TCP4 203.0.113.7 10.0.0.1 258 80\r\n", "203.0.113.7:258"},
		"version 1, IPv6":         {"PROXY TCP6 2001:db8::7 ::1 258 80\r\n", "[2001:db8::7]:258"},
		"version 1, unknown":      {"PROXY UNKNOWN\r\n", "invalid AddrPort"},
		"version 1, unknown more": {"PROXY UNKNOWN ffff:f ffff:f 65535 65535\r\n", "invalid AddrPort"},
		"version 2":               {v2 + "\x21\x11\x00\x0c" + four, "203.0.113.7:258"},
		"version 2, IPv6":         {v2 + "\x21\x21\x00\x24" + six, "[2001:db8::7]:258"},
		"version 2, with more":    {v2 + "\x21\x11\x00\x10" + four + "\x03\x00\x01x", "203.0.113.7:258"},
		"version 2, a check":      {v2 + "\x20\x00\x00\x00", "invalid AddrPort"},
		"version 2, check of TCP": {v2 + "\x20\x11\x00\x0c" + four, "invalid AddrPort"},
		"version 2, unspecified":  {v2 + "\x21\x00\x00\x00", "invalid AddrPort"},
		"version 2, a UNIX one":   {v2 + "\x21\x31\x00\xd8" + strings.Repeat("x", 0xd8), "invalid AddrPort"},
	} {
		for _, r := range []io.Reader{strings.NewReader(row.header + "GET"), iotest.OneByteReader(strings.NewReader(row.header + "GET"))} {
			got, err := readHeader(r)
			rest, _ := io.ReadAll(r)
			if err != nil || got.String() != row.want || string(rest) != "GET" {
				t.Errorf("%s: %v, %v, and %q is left; want %s and GET", name, got, err, rest, row.want)
			}
		}
	}
}

func TestReadHeaderRefuses(t *testing.T) {
	for name, header := range map[string]string{
		"nothing":                   "",
		"HTTP":                      "GET / HTTP/1.1\r\n\r\n",
		"TLS":                       "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03xxxxx",
		"cut":                       "PROXY TCP4 203.0.113.7",
		"no end":                    "PROXY TCP4 " + strings.Repeat("1", 10_000),
		"no addresses":              "PROXY TCP4\r\n......",
		"nothing behind it":         "PROXY \r\n........",
		"another protocol":          "PROXY UDP4 203.0.113.7 10.0.0.1 258 80\r\n",
		"a name":                    "PROXY TCP4 localhost 10.0.0.1 258 80\r\n",
		"a zone":                    "PROXY TCP6 fe80::1%eth0 ::1 258 80\r\n",
		"IPv6 as IPv4":              "PROXY TCP4 ::1 ::1 258 80\r\n",
		"IPv4 as IPv6":              "PROXY TCP6 10.0.0.1 10.0.0.1 258 80\r\n",
		"a port too large":          "PROXY TCP4 203.0.113.7 10.0.0.1 65536 80\r\n",
		"two spaces":                "PROXY TCP4  203.0.113.7 10.0.0.1 258 80\r\n",
		"lower case":                "proxy tcp4 203.0.113.7 10.0.0.1 258 80\r\n",
		"version 2, cut":            v2 + "\x21\x11\x00",
		"version 2, addresses cut":  v2 + "\x21\x11\x00\x0c\xcb\x00",
		"version 2, too few":        v2 + "\x21\x11\x00\x04\xcb\x00\x71\x07",
		"version 2, too long":       v2 + "\x21\x11\xff\xff" + strings.Repeat("x", 70_000),
		"version 3":                 v2 + "\x31\x11\x00\x0c" + four,
		"version 2, other commands": v2 + "\x22\x11\x00\x0c" + four,
	} {
		if got, err := readHeader(strings.NewReader(header)); !errors.Is(err, errNoHeader) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func FuzzReadHeader(f *testing.F) {
	for _, seed := range []string{"PROXY TCP4 203.0.113.7 10.0.0.1 258 80\r\n", "PROXY UNKNOWN\r\n", v2 + "\x21\x11\x00\x0c" + four, v2 + "\x21\x21\x00\x24" + six} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r := strings.NewReader(text)
		at, err := readHeader(r)
		if err != nil && at.IsValid() || err == nil && len(text)-r.Len() < len("PROXY UNKNOWN\r\n") {
			t.Errorf("%v, %v after %d bytes", at, err, len(text)-r.Len())
		}
	})
}
