package gateway

import (
	"encoding/binary"
	"math"
)

// opcode says what a WebSocket frame is (RFC 6455 section 5.2).
type opcode byte

const (
	continuation opcode = 0x0 // the next piece of a message
	textFrame    opcode = 0x1
	binaryFrame  opcode = 0x2
	closeFrame   opcode = 0x8
	pingFrame    opcode = 0x9
	pongFrame    opcode = 0xa
)

// control tells the frames of WebSocket's own, of those that exist, from the pieces of messages.
func (o opcode) control() bool { return o >= closeFrame }

func (o opcode) known() bool { return o <= binaryFrame || o >= closeFrame && o <= pongFrame }

// The close codes that the standard gives a meaning (RFC 6455 section 7.4.1).
const (
	closeNormal   uint16 = 1000
	closeProtocol uint16 = 1002
	closeInvalid  uint16 = 1007
	closeTooLarge uint16 = 1009
	firstOwnCode  uint16 = 3000 // from here on codes are libraries' and applications'
	lastOwnCode   uint16 = 4999
)

// mayClose reports whether a client may send a close code. Of the standard's, some stand for what no frame has said.
func mayClose(code uint16) bool {
	switch {
	case code >= firstOwnCode:
		return code <= lastOwnCode
	case code == 1004, code == 1005, code == 1006:
		return false
	default:
		return code >= closeNormal && code <= 1013
	}
}

// maxControl is the largest payload of a frame of WebSocket's own.
const maxControl = 125

const (
	finalBit     = 0x80
	reservedBits = 0x70
	opcodeBits   = 0x0f
	maskBit      = 0x80
	lengthBits   = 0x7f
	length16     = 126 // the length stands in the next two bytes
	length64     = 127 // in the next eight
	keyBytes     = 4
)

// header is what stands before a frame's payload.
type header struct {
	kind     opcode
	final    bool // the last piece of its message
	reserved bool // a bit is set that only extensions give a meaning
	masked   bool
	length   uint64 // of the payload
	key      [keyBytes]byte
}

// headerSize is the size of the header whose second byte is given.
func headerSize(second byte) int {
	size := 2
	switch second & lengthBits {
	case length16:
		size += 2
	case length64:
		size += 8
	}
	if second&maskBit != 0 {
		size += keyBytes
	}
	return size
}

// parseHeader reads a whole header.
func parseHeader(b []byte) header {
	h := header{
		kind: opcode(b[0] & opcodeBits), final: b[0]&finalBit != 0, reserved: b[0]&reservedBits != 0, masked: b[1]&maskBit != 0,
	}
	rest := b[2:]
	switch short := b[1] & lengthBits; short {
	case length16:
		h.length, rest = uint64(binary.BigEndian.Uint16(rest)), rest[2:]
	case length64:
		h.length, rest = binary.BigEndian.Uint64(rest), rest[8:]
	default:
		h.length = uint64(short)
	}
	copy(h.key[:], rest)
	return h
}

// check holds a client's frame against the standard; inside tells that a message has begun and is not whole.
func (h *header) check(inside bool) error {
	switch {
	case h.reserved:
		return unlawful("a reserved bit is set")
	case !h.kind.known():
		return unlawful("a frame of no known kind")
	case !h.masked:
		return unlawful("a frame that is not masked")
	case h.length > math.MaxInt64:
		return unlawful("a length with its top bit set")
	case h.kind.control() && (!h.final || h.length > maxControl):
		return unlawful("a control frame in pieces or too long")
	case h.kind == continuation && !inside:
		return unlawful("a continuation of nothing")
	case h.kind != continuation && !h.kind.control() && inside:
		return unlawful("a new message inside another")
	}
	return nil
}

// unmask undoes a client's masking of a payload.
func unmask(p []byte, key [keyBytes]byte) {
	four := binary.LittleEndian.Uint32(key[:])
	eight := uint64(four)<<32 | uint64(four)
	for len(p) >= 8 {
		binary.LittleEndian.PutUint64(p, binary.LittleEndian.Uint64(p)^eight)
		p = p[8:]
	}
	for i := range p {
		p[i] ^= key[i%keyBytes]
	}
}
