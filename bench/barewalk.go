package bench

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"syscall"

	"github.com/lxzan/gws"
)

// bareWalk is a server that writes each frame that it is sent to the connections of one room, by one goroutine and with one system call
// for each, and does nothing else: the least that a push to many can cost on this system.
type bareWalk struct {
	gws.BuiltinEventHandler
	frames chan bareFrame

	mutex sync.Mutex
	rooms map[uint32][]int // the descriptors of the connections
}

// bareFrame is a frame on the wire, and whom it is for.
type bareFrame struct {
	room uint32
	wire []byte
}

// ServeBareWalk runs such a server until ctx ends. It says "ready" at /readyz.
func ServeBareWalk(ctx context.Context, listen string) error {
	b := &bareWalk{frames: make(chan bareFrame, bareWaiting), rooms: map[uint32][]int{}}
	ctx, cancel := context.WithCancel(ctx)
	var walker sync.WaitGroup
	walker.Go(func() { b.walk(ctx) })
	err := serveBare(ctx, listen, b)
	cancel()
	walker.Wait()
	return err
}

// ServeHTTP upgrades every connection but one that asks whether the server is ready. One without a room only sends.
func (b *bareWalk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if saysReady(w, r) {
		return
	}
	socket, err := gws.NewUpgrader(b, nil).Upgrade(w, r)
	if err != nil {
		return
	}
	descriptor, err := descriptorOf(socket.NetConn())
	if room, e := strconv.ParseUint(r.URL.Query().Get("room"), 10, 32); err == nil && e == nil {
		b.keep(uint32(room), descriptor, true)
		defer b.keep(uint32(room), descriptor, false)
	}
	socket.ReadLoop()
}

func descriptorOf(c net.Conn) (descriptor int, err error) {
	with, ok := c.(syscall.Conn)
	if !ok {
		return 0, fmt.Errorf("%T has no descriptor", c)
	}
	raw, err := with.SyscallConn()
	if err != nil {
		return 0, err
	}
	return descriptor, raw.Control(func(number uintptr) { descriptor = int(number) })
}

func (b *bareWalk) keep(room uint32, descriptor int, there bool) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if there {
		b.rooms[room] = append(b.rooms[room], descriptor)
		return
	}
	b.rooms[room] = slices.DeleteFunc(b.rooms[room], func(one int) bool { return one == descriptor })
}

// OnMessage takes a frame: the number of a room, and the payload.
func (b *bareWalk) OnMessage(_ *gws.Conn, message *gws.Message) {
	defer func() { _ = message.Close() }()
	const number = 4
	text := message.Bytes()
	if len(text) < number {
		return
	}
	b.frames <- bareFrame{binary.BigEndian.Uint32(text), serversFrame(text[number:])}
}

// serversFrame is a binary frame as servers write it.
func serversFrame(payload []byte) []byte {
	const binaryFinal, long, longest, short, middle = 0x82, 126, 127, 126, 1 << 16
	var head []byte
	switch n := len(payload); {
	case n < short:
		head = []byte{binaryFinal, byte(n)}
	case n < middle:
		head = binary.BigEndian.AppendUint16([]byte{binaryFinal, long}, uint16(n))
	default:
		head = binary.BigEndian.AppendUint64([]byte{binaryFinal, longest}, uint64(n))
	}
	return append(head, payload...)
}

func (b *bareWalk) walk(ctx context.Context) {
	for {
		select {
		case one := <-b.frames:
			b.mutex.Lock()
			for _, descriptor := range b.rooms[one.room] {
				sendWhole(descriptor, one.wire)
			}
			b.mutex.Unlock()
		case <-ctx.Done():
			return
		}
	}
}

// askFor has a visitor ask for a room of a bareWalk.
func (v *visitor) askFor(room int) {
	v.handshake = bytes.Replace(v.handshake, []byte("?"), fmt.Appendf(nil, "?room=%d&", room), 1)
}

// bareCaster sends frames to a bareWalk.
type bareCaster struct{ socket *gws.Conn }

func newBareCaster(ctx context.Context, address string) (*bareCaster, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	socket, _, err := gws.NewClientFromConn(&gws.BuiltinEventHandler{}, //nolint:bodyclose // the answer to a handshake has no body
		&gws.ClientOption{Addr: "ws://" + address + "/"}, conn)
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("handshake: %w", err)
	}
	return &bareCaster{socket}, nil
}

func (c *bareCaster) cast(f *keptFrame) error {
	text := binary.BigEndian.AppendUint32(nil, uint32(f.Room))
	return c.socket.WriteMessage(gws.OpcodeBinary, append(text, f.Payload...))
}

func (c *bareCaster) close() { _ = c.socket.NetConn().Close() }
