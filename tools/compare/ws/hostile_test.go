package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if lib := os.Getenv("SERVE"); lib != "" {
		fmt.Fprintln(os.Stderr, serve(options{lib: lib, readBuf: 512}))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func header(first byte, maskedLen byte, rest ...byte) string {
	return string(append([]byte{first, maskedLen}, rest...))
}

func length(n uint64) string { return string(binary.BigEndian.AppendUint64(nil, n)) }

var mask = "\x00\x00\x00\x00"

// big is a masked frame of 40,000 bytes: two of them are more than maxFrame.
func big(first byte) string {
	return header(first, 0xfe, 40000>>8, 40000&0xff) + mask + strings.Repeat("z", 40000)
}

var attacks = []struct{ name, bytes string }{
	{"sane echo", string(masked(0x82, []byte("hello")))},
	{"two fragments with a ping between", string(masked(0x02, []byte("he"))) + string(masked(0x89, []byte("p"))) + string(masked(0x80, []byte("llo")))},
	{"length with the top bit set", header(0x82, 0xff) + length(1<<63) + mask},
	{"length -1", header(0x82, 0xff) + length(1<<64-1) + mask},
	{"length just over the limit", header(0x82, 0xff) + length(maxFrame+1) + mask},
	{"fragments whose sum is over the limit", big(0x02) + big(0x00) + big(0x80)},
	{"length not in its shortest form", header(0x82, 0xfe, 0, 5) + mask + "hello"},
	{"not masked", "\x82\x05hello"},
	{"RSV1 without an extension", string(masked(0xc2, []byte("hello")))},
	{"RSV3", string(masked(0x92, []byte("hello")))},
	{"reserved data opcode 3", string(masked(0x83, []byte("hello")))},
	{"reserved control opcode 11", string(masked(0x8b, []byte("hello")))},
	{"continuation of nothing", string(masked(0x80, []byte("hello")))},
	{"new message inside a fragmented one", string(masked(0x02, []byte("he"))) + string(masked(0x82, []byte("llo")))},
	{"fragmented ping", string(masked(0x09, []byte("p")))},
	{"ping of 126 bytes", header(0x89, 0xfe, 0, 126) + mask + strings.Repeat("p", 126)},
	{"text that is not UTF-8", string(masked(0x81, []byte("a\xff\xfe")))},
	{"text cut inside a character by fragments", string(masked(0x01, []byte("\xe4\xb8"))) + string(masked(0x80, []byte("\xad")))},
	{"close with 1 byte", string(masked(0x88, []byte("x")))},
	{"close with code 1005", string(masked(0x88, []byte("\x03\xed")))},
	{"close with a reason that is not UTF-8", string(masked(0x88, []byte("\x03\xe8\xff\xfe")))},
}

// TestHostile asserts only that the server outlives each attack; what it answered is in the log. It fails for
// gws-norecover, and that is the finding.
func TestHostile(t *testing.T) {
	for _, lib := range []string{"gws-norecover", "gws", "coder", "gobwas"} {
		t.Run(lib, func(t *testing.T) {
			for _, a := range attacks {
				t.Run(a.name, func(t *testing.T) { attack(t, lib, a.bytes) })
			}
		})
	}
}

func attack(t *testing.T, lib, bytes string) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "SERVE="+lib)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	addr, _ := bufio.NewReader(out).ReadString('\n')
	c, err := dial(strings.TrimSpace(addr))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = c.Write([]byte(bytes))
	t.Log(hear(c))

	_, err = dial(strings.TrimSpace(addr))
	stop(cmd)
	if err != nil {
		line, _, _ := strings.Cut(stderr.String(), "\n")
		t.Errorf("THE SERVER IS GONE: %s", line)
	}
}

// hear describes what comes back within a moment.
func hear(c net.Conn) (said string) {
	_ = c.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
	for {
		var h [2]byte
		if _, err := io.ReadFull(c, h[:]); err != nil {
			if strings.Contains(err.Error(), "timeout") {
				return said + "still open"
			}
			return said + "closed"
		}
		n := int(h[1])
		if n == 126 {
			var l [2]byte
			_, _ = io.ReadFull(c, l[:])
			n = int(binary.BigEndian.Uint16(l[:]))
		}
		payload := make([]byte, n)
		_, _ = io.ReadFull(c, payload)
		if h[0] == 0x88 && n >= 2 {
			said += fmt.Sprintf("close %d %.50q; ", binary.BigEndian.Uint16(payload), payload[2:])
		} else {
			said += fmt.Sprintf("frame %#x %.20q; ", h[0], payload)
		}
	}
}
