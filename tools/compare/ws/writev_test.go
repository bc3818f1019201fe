package main

import (
	"io"
	"net"
	"strings"
	"testing"
)

// BenchmarkTenFrames writes ten waiting frames to one socket; an op is all ten.
func BenchmarkTenFrames(b *testing.B) {
	one := compile([]byte(strings.Repeat("x", 300)))
	ways := []struct {
		name  string
		write func(net.Conn, []byte)
	}{
		{"ten writes", func(c net.Conn, _ []byte) {
			for range 10 {
				_, _ = c.Write(one)
			}
		}},
		{"net.Buffers", func(c net.Conn, _ []byte) {
			all := make(net.Buffers, 0, 10)
			for range 10 {
				all = append(all, one)
			}
			_, _ = all.WriteTo(c)
		}},
		{"joined in a borrowed buffer", func(c net.Conn, buf []byte) {
			for range 10 {
				buf = append(buf, one...)
			}
			_, _ = c.Write(buf)
		}},
	}
	for _, way := range ways {
		b.Run(way.name, func(b *testing.B) {
			c := drained(b)
			buf := make([]byte, 0, 4096)
			b.ReportAllocs()
			for b.Loop() {
				way.write(c, buf)
			}
		})
	}
}

func drained(b *testing.B) net.Conn {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go func() {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		_, _ = io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{c}, make([]byte, 64<<10))
	}()
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Close(); _ = ln.Close() })
	return c
}
