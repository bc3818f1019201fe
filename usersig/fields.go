package usersig

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// fields are the members of a signature's JSON object. Its readers return zero values after a failure and keep the first one
// in err, so that a format is read as a list of its fields.
//
// A struct would not do: encoding/json takes "tls.VER" for "TLS.ver" and the last of two equal names, and another reader may
// take the first.
type fields struct {
	members []member
	err     error
}

// member is a name and its value as it stands in the document. Signatures have seven or eight, so they are looked up one
// after the other.
type member struct {
	name  string
	value []byte
}

func readFields(document []byte) (*fields, error) {
	if !utf8.Valid(document) {
		return nil, malformed("not JSON in UTF-8")
	}
	// Names are compared here, and half a character behind a backslash is refused where it would be signed.
	d := jsontext.NewDecoder(bytes.NewBuffer(document), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if d.PeekKind() != '{' {
		return nil, malformed("not a JSON object")
	}
	_, _ = d.ReadToken() // the brace
	f := &fields{members: make([]member, 0, 8)}
	for d.PeekKind() == '"' {
		if err := f.read(d, document); err != nil {
			return nil, err
		}
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, malformed("not JSON in UTF-8")
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, malformed("not JSON in UTF-8")
	}
	return f, nil
}

// read reads the next member. Its value is kept as the part of the document that it is, because what the decoder returns
// is good only until it reads on.
func (f *fields) read(d *jsontext.Decoder, document []byte) error {
	name, err := d.ReadToken()
	if err != nil {
		return malformed("not JSON in UTF-8")
	}
	text := name.String()
	value, err := d.ReadValue()
	if err != nil {
		return malformed("not JSON in UTF-8")
	}
	if f.has(text) {
		return malformed("a member stands twice")
	}
	end := int(d.InputOffset())
	f.members = append(f.members, member{text, document[end-len(value) : end]})
	return nil
}

func (f *fields) fail(name, why string) {
	if f.err == nil {
		f.err = &FieldError{name, why}
	}
}

func (f *fields) has(name string) bool { return f.find(name) != nil }

// find returns a member's value, or nil.
func (f *fields) find(name string) []byte {
	for i := range f.members {
		if f.members[i].name == name {
			return f.members[i].value
		}
	}
	return nil
}

// text reads a JSON string that can stand in a line of the signed text.
func (f *fields) text(name string) string {
	value, ok := unquote(f.find(name))
	if !ok {
		f.fail(name, "is missing or not a string")
		return ""
	}
	if !fitsLine(value) {
		f.fail(name, "has characters that cannot be signed")
		return ""
	}
	return value
}

// unquote reads a JSON string, which as a rule has nothing to unescape.
func unquote(raw []byte) (value string, ok bool) {
	if len(raw) == 0 || raw[0] != '"' {
		return "", false
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1]), true
	}
	return value, json.Unmarshal(raw, &value) == nil
}

// textOrNumber is text, or the digits of a whole number: generators differ in whether they quote one.
func (f *fields) textOrNumber(name string) string {
	raw := f.find(name)
	if len(raw) > 0 && raw[0] != '"' {
		return decimal(f.number(name, 1<<53))
	}
	return f.text(name)
}

// number reads a whole number from 0 to most, quoted or not. It must be spelled the way the signed text spells it: no sign,
// no leading zero, no fraction, no exponent.
func (f *fields) number(name string, most int64) int64 {
	raw := f.find(name)
	digits := string(raw)
	if len(raw) > 0 && raw[0] == '"' {
		digits = f.text(name)
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 0 || n > most || decimal(n) != digits {
		f.fail(name, "is missing or not a whole number in range")
		return 0
	}
	return n
}

// seconds is number for a count of seconds. Generators that take it from a clock in milliseconds are the usual mistake.
func (f *fields) seconds(name string, most int64) int64 {
	n := f.number(name, 1<<63-1)
	if n > most {
		f.fail(name, "is too large for a number of seconds; is it in milliseconds?")
		return 0
	}
	return n
}

// signedBytes reads base64 that is itself part of the signed text, and so must be the one spelling of its bytes. The result
// is not nil unless it failed.
func (f *fields) signedBytes(name string) []byte {
	value := f.text(name)
	data, err := base64.StdEncoding.DecodeString(value)
	if err != nil || base64.StdEncoding.EncodeToString(data) != value {
		f.fail(name, "is not base64")
		return nil
	}
	return data
}

// proof reads the signature proper. Some old generators break its base64 into lines; the decoder skips the breaks.
func (f *fields) proof() []byte {
	value, ok := unquote(f.find(fieldProof))
	if !ok || value == "" {
		f.fail(fieldProof, "is missing or not a string")
		return nil
	}
	proof, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		f.fail(fieldProof, "is not base64")
	}
	return proof
}
