package rest

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/magpie-im/magpie/internal/im"
)

const (
	// maxBodyBytes bounds the body of one request.
	maxBodyBytes = 1 << 20
	// firstBytes is the space that a body begins with when it does not say that it needs less. It grows with what comes,
	// so that a caller does not get memory for a promise.
	firstBytes = 4 << 10
	// addressShare is the part of all bodies' memory that one address gets.
	addressShare = 4
	// skipBytes and skipWithin bound what is read of a body that no handler gets.
	skipBytes  = 256 << 10
	skipWithin = 5 * time.Second
	// hurryWithin is what is left to a body when the node stops.
	hurryWithin = time.Second
)

// bodies is the memory that requests' bodies take, in all and by address. It is safe for concurrent use.
type bodies struct {
	within time.Duration
	most   int

	mutex   sync.Mutex
	held    int
	of      map[string]int // by address; there is none without bytes
	reading map[*http.ResponseController]struct{}
	hurried bool
}

func newBodies(within time.Duration, most int) *bodies {
	return &bodies{within: within, most: most, of: map[string]int{}, reading: map[*http.ResponseController]struct{}{}}
}

// take reserves bytes for an address, and reports whether there is room.
func (b *bodies) take(address string, n int) bool {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if b.held+n > b.most || b.of[address]+n > b.most/addressShare {
		return false
	}
	b.held += n
	b.of[address] += n
	return true
}

func (b *bodies) give(address string, n int) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.held -= n
	if b.of[address] -= n; b.of[address] <= 0 {
		delete(b.of, address)
	}
}

// begin bounds the time of reading.
func (b *bodies) begin(of *http.ResponseController, within time.Duration) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.reading[of] = struct{}{}
	if b.hurried {
		within = min(within, hurryWithin)
	}
	_ = of.SetReadDeadline(time.Now().Add(within))
}

// end takes the bound away from a body that was read whole, because the connection is watched while the call is served.
// For another one it stays: net/http reads on before it closes the connection.
func (b *bodies) end(of *http.ResponseController, whole bool) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	delete(b.reading, of)
	if whole {
		_ = of.SetReadDeadline(time.Time{})
	}
}

func (b *bodies) hurry() {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.hurried = true
	until := time.Now().Add(hurryWithin)
	for of := range b.reading {
		_ = of.SetReadDeadline(until)
	}
}

// skip passes over a body, and reports whether the connection can be used on.
func (b *bodies) skip(w http.ResponseWriter, r *http.Request) bool {
	if r.ContentLength == 0 {
		return true
	}
	if r.ContentLength > skipBytes || r.Header.Get("Expect") != "" { // who expects to be asked has not sent it yet
		return false
	}
	on := http.NewResponseController(w)
	b.begin(on, skipWithin)
	n, err := io.Copy(io.Discard, io.LimitReader(r.Body, skipBytes+1))
	whole := err == nil && n <= skipBytes
	b.end(on, whole)
	return whole
}

// body is one request's, and the bytes that are reserved for it.
type body struct {
	of      *bodies
	on      *http.ResponseController
	address string
	bytes   []byte
	held    int
}

func (b *bodies) open(w http.ResponseWriter, r *http.Request) *body {
	return &body{of: b, on: http.NewResponseController(w), address: address(r)}
}

func (b *body) close() { b.of.give(b.address, b.held) }

// bodyError is a refusal that the metric counts under a reason of its own.
type bodyError struct {
	reason  string
	refusal *im.Error
}

// Error says what is wrong.
func (e *bodyError) Error() string { return e.refusal.Error() }

// Unwrap gives the refusal.
func (e *bodyError) Unwrap() error { return e.refusal }

// read reads the whole body. Its errors are refusals.
func (b *body) read(r *http.Request) error {
	if r.ContentLength > maxBodyBytes {
		return errTooLong()
	}
	b.of.begin(b.on, b.of.within)
	err := b.fill(r)
	b.of.end(b.on, err == nil)
	return err
}

func (b *body) fill(r *http.Request) error {
	for {
		if len(b.bytes) == cap(b.bytes) && !b.grow(r.ContentLength) {
			return &bodyError{"body-memory", im.Errorf(im.CodeTooFrequent, "too many bodies are being read, try again")}
		}
		n, err := r.Body.Read(b.bytes[len(b.bytes):cap(b.bytes)])
		b.bytes = b.bytes[:len(b.bytes)+n]
		switch {
		case len(b.bytes) > maxBodyBytes:
			return errTooLong()
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, os.ErrDeadlineExceeded):
			return &bodyError{"body-slow", im.Errorf(im.CodeBadHTTP, "the body did not arrive within %s", b.of.within)}
		case err != nil:
			return &bodyError{"body-cut", im.Errorf(im.CodeBadHTTP, "the body could not be read")}
		}
	}
}

func errTooLong() error {
	return fmt.Errorf("read the body: %w", im.Errorf(im.CodeBodyTooLong, "the body has more than %d bytes", maxBodyBytes))
}

// grow makes the space twice as large, or as large as the body says that it is, and reports whether there is room. One
// byte is there for the end to be seen.
func (b *body) grow(length int64) bool {
	size, end := max(2*cap(b.bytes), firstBytes), maxBodyBytes+1
	if length >= 0 {
		end = int(length) + 1
	}
	size = min(size, max(end, cap(b.bytes)+1))
	if !b.of.take(b.address, size) {
		return false
	}
	larger := make([]byte, len(b.bytes), size)
	copy(larger, b.bytes)
	b.of.give(b.address, b.held)
	b.bytes, b.held = larger, size
	return true
}
