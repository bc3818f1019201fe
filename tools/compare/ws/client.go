package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
)

const handshake = "GET /binfo?sdkappid=1400000001&instanceid=0123456789abcdef0123456789abcdef&random=0.4036&platform=7" +
	"&host=unknown&version=-1&sdkversion=3.6.6&compress=gzip HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\n" +
	"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

// connect opens the connections, sends one frame on each and reads its echo, says so, then discards what it is sent.
func connect(o options) error {
	conns := make([]net.Conn, o.conns)
	var wait sync.WaitGroup
	failed := make(chan error, o.conns)
	for w := range 16 {
		wait.Go(func() {
			for i := w; i < o.conns; i += 16 {
				var err error
				if conns[i], err = dial(o.addr); err != nil {
					failed <- err
					return
				}
				if err := echo(conns[i]); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	wait.Wait()
	if len(failed) > 0 {
		return <-failed
	}
	in := bufio.NewReader(os.Stdin)
	fmt.Println("open")
	if _, err := in.ReadString('\n'); err != nil {
		return err
	}
	if err := pingPong(conns[:min(echoConns, o.conns)]); err != nil {
		return err
	}
	fmt.Println("echoed")
	for _, c := range conns {
		go func() {
			_, _ = io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{c}, make([]byte, 8<<10))
		}()
	}
	if line, _ := in.ReadString('\n'); line == "claim\n" {
		for _, c := range conns {
			_, _ = c.Write([]byte{0x82, 0xfe, 60000 >> 8, 60000 & 0xff, 0, 0, 0, 0})
		}
	}
	exitWithParent()
	return nil
}

const echoConns, echoRounds = 100, 500

// pingPong has each connection send a frame as long as a captured openim.sendmsg and wait for its echo, over and over.
func pingPong(conns []net.Conn) error {
	out := append([]byte{0x82, 0xfe, 822 >> 8, 822 & 0xff, 0, 0, 0, 0}, make([]byte, 822)...)
	var wait sync.WaitGroup
	failed := make(chan error, len(conns))
	for _, c := range conns {
		wait.Go(func() {
			back := make([]byte, 4+822)
			for range echoRounds {
				if _, err := c.Write(out); err != nil {
					failed <- err
					return
				}
				if _, err := io.ReadFull(c, back); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	wait.Wait()
	if len(failed) > 0 {
		return <-failed
	}
	return nil
}

func dial(addr string) (net.Conn, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintf(c, handshake, addr); err != nil {
		return nil, err
	}
	answer := make([]byte, 0, 512)
	for !bytes.HasSuffix(answer, []byte("\r\n\r\n")) {
		var b [1]byte
		if _, err := c.Read(b[:]); err != nil {
			return nil, err
		}
		answer = append(answer, b[0])
	}
	if !bytes.HasPrefix(answer, []byte("HTTP/1.1 101")) {
		return nil, fmt.Errorf("refused: %s", answer)
	}
	return c, nil
}

func echo(c net.Conn) error {
	payload := bytes.Repeat([]byte("e"), 100)
	if _, err := c.Write(masked(0x82, payload)); err != nil {
		return err
	}
	back := make([]byte, 2+len(payload))
	if _, err := io.ReadFull(c, back); err != nil {
		return err
	}
	if back[0] != 0x82 || !bytes.Equal(back[2:], payload) {
		return errors.New("the echo differs")
	}
	return nil
}

// masked builds a client frame of at most 125 bytes, with the mask 0 0 0 0.
func masked(first byte, payload []byte) []byte {
	return append([]byte{first, 0x80 | byte(len(payload)), 0, 0, 0, 0}, payload...)
}
