package robot

import (
	"bytes"
	"errors"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/magpie-im/magpie/internal/wire"
)

// chunk is a piece of an answer's text. A back end that cuts its text by UTF-16 units, as JavaScript does, cuts a character
// outside the basic plane in two: low is the half at the piece's begin, high the one at its end; 0 is none.
type chunk struct {
	text      string
	low, high rune
}

// escapeBytes is the length of \u and four digits.
const escapeBytes = 6

// UnmarshalJSON reads text, and its halves from their escapes: they have no other form in JSON.
func (c *chunk) UnmarshalJSON(raw []byte) error {
	if len(raw) < len(`""`) || raw[0] != '"' {
		return errors.New("want text")
	}
	inner := raw[1 : len(raw)-1]
	if r := escaped(inner); r >= firstLow && r <= lastLow {
		c.low, inner = r, inner[escapeBytes:]
	}
	if at := len(inner) - escapeBytes; at >= 0 && !quoted(inner, at) {
		if r := escaped(inner[at:]); r >= firstHigh && r < firstLow {
			c.high, inner = r, inner[:at]
		}
	}
	return wire.Unmarshal(append(append([]byte{'"'}, inner...), '"'), &c.text)
}

// The ranges of the two halves.
const (
	firstHigh = 0xd800
	firstLow  = 0xdc00
	lastLow   = 0xdfff
)

// escaped reads the escape that the text begins with; 0 is none.
func escaped(text []byte) rune {
	digits, ok := bytes.CutPrefix(text, []byte(`\u`))
	if !ok || len(text) < escapeBytes {
		return 0
	}
	r, err := strconv.ParseUint(string(digits[:escapeBytes-len(`\u`)]), 16, 16)
	if err != nil {
		return 0
	}
	return rune(r)
}

// quoted tells whether the backslash at a place is the second of an escaped one.
func quoted(text []byte, at int) bool {
	before := text[:at]
	return (len(before)-len(bytes.TrimRight(before, `\`)))%2 == 1
}

// behind is the piece's text behind a half that an earlier piece ended with. A half without its other half becomes U+FFFD,
// as everywhere.
func (c *chunk) behind(half rune) string {
	switch {
	case half != 0 && c.low != 0:
		return string(utf16.DecodeRune(half, c.low)) + c.text
	case half != 0, c.low != 0:
		return string(utf8.RuneError) + c.text
	}
	return c.text
}
