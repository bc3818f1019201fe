package bench

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/magpie-im/magpie/client"
)

// A bench message is one text element. Its text begins with the moment at which it was, or should have been, sent, in
// nanoseconds of the run's stopwatch, so that the receiver can tell how long it took.
const (
	payloadHead = `[{"MsgType":"TIMTextElem","MsgContent":{"Text":"`
	payloadTail = `"}}]`
	stampDigits = 19
	// minSize is the smallest MsgBody that holds a moment.
	minSize = len(payloadHead) + stampDigits + len(payloadTail)
)

// newPayload makes a MsgBody of size bytes, or as small as can be.
func newPayload(size int) []byte {
	filler := strings.Repeat("x", max(size-minSize, 0))
	return fmt.Appendf(nil, "%s%0*d%s%s", payloadHead, stampDigits, 0, filler, payloadTail)
}

// stamp writes the moment into a payload.
func stamp(payload []byte, ns int64) { stampAt(payload[len(payloadHead):], ns) }

// stampAt writes the moment into the digits with which a text begins.
func stampAt(digits []byte, ns int64) {
	for i := stampDigits - 1; i >= 0; i-- {
		digits[i] = byte('0' + ns%10)
		ns /= 10
	}
}

// readStamp finds the moment in a message that arrived. It does not decode: that would be measured too.
func readStamp(elements []client.Element) (ns int64, ok bool) {
	if len(elements) == 0 {
		return 0, false
	}
	_, digits, found := bytes.Cut(elements[0].Content, []byte(stampMark))
	if !found {
		return 0, false
	}
	return parseStamp(digits)
}

// stampMark stands before a moment.
const stampMark = `"Text":"`

// parseStamp reads the moment with which a text begins.
func parseStamp(digits []byte) (ns int64, ok bool) {
	if len(digits) < stampDigits {
		return 0, false
	}
	for _, digit := range digits[:stampDigits] {
		if digit < '0' || digit > '9' {
			return 0, false
		}
		ns = ns*10 + int64(digit-'0')
	}
	return ns, true
}
