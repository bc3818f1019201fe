package listen

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"syscall"
	"time"
)

// acceptAgain is after what time a process is waited for again when that has failed.
const acceptAgain = 100 * time.Millisecond

// handoverWithin bounds one exchange of the processes.
const handoverWithin = 2 * time.Second

// Offer lets another process of the same user take the listener's socket over, at a path of the file system. It calls taken,
// once, when one has it: this process is to stop then. Until the offer is closed.
type Offer struct {
	socket *net.UnixListener
	given  syscall.RawConn
	ended  chan struct{}
}

// Offer begins to offer the socket. Whoever offered it at that path before is gone.
func (l *Listener) Offer(path string, taken func()) (*Offer, error) {
	tcp, ok := l.raw.(*net.TCPListener)
	if !ok {
		return nil, errors.New("only a TCP socket can be handed over")
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	socket, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, socket.Close())
	}
	given, err := tcp.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, socket.Close())
	}
	o := &Offer{socket, given, make(chan struct{})}
	go o.serve(taken)
	return o, nil
}

func (o *Offer) serve(taken func()) {
	defer close(o.ended)
	for {
		to, err := o.socket.AcceptUnix()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // no descriptor is left, say: there may be one later
			<-time.After(acceptAgain)
			continue
		}
		err = o.give(to)
		_ = to.Close()
		if err == nil {
			taken()
			return
		}
	}
}

// give sends the descriptor along with one byte. It is not copied into a file first, which would have its socket block, here too.
func (o *Offer) give(to *net.UnixConn) error {
	if err := to.SetDeadline(time.Now().Add(handoverWithin)); err != nil {
		return err
	}
	var sent error
	err := o.given.Control(func(descriptor uintptr) {
		_, _, sent = to.WriteMsgUnix([]byte{1}, syscall.UnixRights(int(descriptor)), nil)
	})
	return errors.Join(err, sent)
}

// Close ends the offer. A nil offer is closed.
func (o *Offer) Close() error {
	if o == nil {
		return nil
	}
	err := o.socket.Close()
	<-o.ended
	return err
}

// TakeOver asks whoever offers a socket at a path for it; nil when nobody does, when who did has begun to stop and has none to give, or
// when it is not the one of the address that is wanted. The other process stops in any case.
func TakeOver(ctx context.Context, path, address string) (net.Listener, error) {
	from, err := (&net.Dialer{Timeout: handoverWithin}).DialContext(ctx, "unix", path)
	if nobodyOffers(err) {
		return nil, nil //nolint:nilnil // nobody does
	}
	if err != nil {
		return nil, fmt.Errorf("take over: %w", err)
	}
	defer func() { _ = from.Close() }()
	if err := from.SetDeadline(time.Now().Add(handoverWithin)); err != nil {
		return nil, err
	}
	aside := make([]byte, syscall.CmsgSpace(4))
	_, n, _, _, err := from.(*net.UnixConn).ReadMsgUnix(make([]byte, 1), aside)
	if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) {
		return nil, nil //nolint:nilnil // it has closed its socket
	}
	if err != nil {
		return nil, fmt.Errorf("take over: %w", err)
	}
	descriptor, err := descriptorOf(aside[:n])
	if err != nil {
		return nil, fmt.Errorf("take over: %w", err)
	}
	taken, err := fromDescriptor(descriptor)
	if err == nil && !serves(taken, address) {
		return nil, taken.Close()
	}
	return taken, err
}

// nobodyOffers tells a path at which nobody offers a socket from trouble with one. A path that is too long for such a socket is none to
// offer one at either.
func nobodyOffers(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.EINVAL)
}

func descriptorOf(aside []byte) (int, error) {
	messages, err := syscall.ParseSocketControlMessage(aside)
	if err != nil {
		return 0, err
	}
	for i := range messages {
		if all, err := syscall.ParseUnixRights(&messages[i]); err == nil && len(all) == 1 {
			return all[0], nil
		}
	}
	return 0, errors.New("no socket came")
}

// serves reports whether a listener is at an address; port 0 is any.
func serves(l net.Listener, address string) bool {
	want, err := net.ResolveTCPAddr("tcp", address)
	has, ok := l.Addr().(*net.TCPAddr)
	if err != nil || !ok || want.Port != 0 && want.Port != has.Port {
		return false
	}
	return want.IP.Equal(has.IP) || (want.IP == nil || want.IP.IsUnspecified()) && has.IP.IsUnspecified()
}
