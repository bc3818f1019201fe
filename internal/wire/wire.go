// Package wire is JSON as the interface has it: one set of rules for reading and writing, and errors that say which
// field was wrong.
//
// Rules: names are case-sensitive, unknown members are passed over, a member may stand once, nesting is bounded, and a
// lone half of a surrogate pair, which JavaScript clients send when they cut an emoji in two, becomes U+FFFD.
// It knows nothing of commands and doors.
package wire

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Raw is one JSON value as it came, or as it is to be sent.
type Raw = jsontext.Value

func options() json.Options {
	return jsontext.AllowInvalidUTF8(true)
}

// SyntaxError says that a text is not JSON.
type SyntaxError struct{ cause error }

// Error describes the first fault in the text.
func (e *SyntaxError) Error() string { return "not JSON: " + short(e.cause) }

// Unwrap gives the decoder's own error.
func (e *SyntaxError) Unwrap() error { return e.cause }

// FieldError says that a field has a value of the wrong type.
type FieldError struct {
	// Path names the field from the top, "MsgInfo.MsgSeq"; empty when the whole body has the wrong type.
	Path  string
	cause error
}

// Error names the field and what stands there.
func (e *FieldError) Error() string {
	if e.Path == "" {
		return "the body must be a JSON object"
	}
	return fmt.Sprintf("field %s has the wrong type or is out of range", e.Path)
}

// Unwrap gives the decoder's own error.
func (e *FieldError) Unwrap() error { return e.cause }

// Top is the outermost field's name.
func (e *FieldError) Top() string {
	top, _, _ := strings.Cut(e.Path, ".")
	return top
}

// Unmarshal reads data into a pointer. Nothing, blanks and null read as an empty object, as careless back ends send
// them. The error is a *SyntaxError or a *FieldError.
func Unmarshal(data []byte, into any) error {
	trimmed := bytes.TrimSpace(data)
	if len(trimmed) == 0 || bytes.Equal(trimmed, []byte("null")) {
		trimmed = []byte("{}")
	}
	err := json.Unmarshal(trimmed, into, options())
	if err == nil {
		return nil
	}
	var semantic *json.SemanticError
	if errors.As(err, &semantic) {
		return &FieldError{Path: path(semantic.JSONPointer), cause: err}
	}
	return &SyntaxError{cause: err}
}

func path(pointer jsontext.Pointer) string {
	return strings.Join(strings.FieldsFunc(string(pointer), func(r rune) bool { return r == '/' }), ".")
}

// short keeps a decoder's sentence to one line of bearable length.
func short(err error) string {
	text := strings.ReplaceAll(err.Error(), "\n", " ")
	const most = 160
	if len(text) > most {
		text = text[:most]
	}
	return text
}

// Marshal writes a value. Values of this program always can be written; the error is for values that hold Raw.
func Marshal(value any) ([]byte, error) {
	return json.Marshal(value, options())
}

// Join writes one object from the members of two: head must be an object with at least one member, rest any object.
func Join(head, rest []byte) []byte {
	if len(rest) <= len("{}") {
		return head
	}
	joined := make([]byte, 0, len(head)+len(rest))
	joined = append(joined, head[:len(head)-1]...)
	joined = append(joined, ',')
	return append(joined, rest[1:]...)
}

// Text makes text storable: PostgreSQL keeps no NUL, and the interface gives none a meaning.
func Text(text string) string { return strings.ReplaceAll(text, "\x00", "") }

// Number is a whole number that some callers write as text.
type Number int64

// UnmarshalJSON reads a number or text of digits.
func (n *Number) UnmarshalJSON(text []byte) error {
	digits := string(bytes.Trim(text, `"`))
	if digits == "null" || digits == "" {
		*n = 0
		return nil
	}
	value, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return errors.New("want a whole number")
	}
	*n = Number(value)
	return nil
}

// Bool is a truth written as the number 1 or 0.
type Bool bool

// MarshalJSON writes 1 or 0.
func (b Bool) MarshalJSON() ([]byte, error) {
	if b {
		return []byte("1"), nil
	}
	return []byte("0"), nil
}

// UnmarshalJSON reads a number, true or false; any number but 0 is true.
func (b *Bool) UnmarshalJSON(text []byte) error {
	switch {
	case bytes.Equal(text, []byte("0")), bytes.Equal(text, []byte("false")), bytes.Equal(text, []byte("null")):
		*b = false
	case bytes.Equal(text, []byte("true")), text[0] == '-', text[0] >= '1' && text[0] <= '9':
		*b = true
	default:
		return errors.New("want 0 or 1")
	}
	return nil
}
