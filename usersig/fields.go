package usersig

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"unicode/utf8"
)

// fields are the members of a signature's JSON object. Its readers return zero values after a failure and keep the first one
// in err, so that a format is read as a list of its fields.
//
// A struct would not do: encoding/json takes "tls.VER" for "TLS.ver" and the last of two equal names, and another reader may
// take the first.
type fields struct {
	members map[string]json.RawMessage
	err     error
}

func readFields(document []byte) (*fields, error) {
	if !utf8.Valid(document) || !json.Valid(document) {
		return nil, malformed("not JSON in UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(document))
	if open, _ := d.Token(); open != json.Delim('{') {
		return nil, malformed("not a JSON object")
	}
	members := make(map[string]json.RawMessage, 8)
	for d.More() {
		token, err := d.Token()
		name, _ := token.(string)
		var value json.RawMessage
		if err != nil || d.Decode(&value) != nil {
			return nil, malformed("not JSON")
		}
		if _, twice := members[name]; twice {
			return nil, malformed("a member stands twice")
		}
		members[name] = value
	}
	return &fields{members: members}, nil
}

func (f *fields) fail(name, why string) {
	if f.err == nil {
		f.err = &FieldError{name, why}
	}
}

func (f *fields) has(name string) bool {
	_, ok := f.members[name]
	return ok
}

// text reads a JSON string that can stand in a line of the signed text.
func (f *fields) text(name string) string {
	raw := f.members[name]
	var value string
	if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &value) != nil {
		f.fail(name, "is missing or not a string")
		return ""
	}
	if !fitsLine(value) {
		f.fail(name, "has characters that cannot be signed")
		return ""
	}
	return value
}

// textOrNumber is text, or the digits of a whole number: generators differ in whether they quote one.
func (f *fields) textOrNumber(name string) string {
	raw := f.members[name]
	if len(raw) > 0 && raw[0] != '"' {
		return decimal(f.number(name, 1<<53))
	}
	return f.text(name)
}

// number reads a whole number from 0 to most, quoted or not. It must be spelled the way the signed text spells it: no sign,
// no leading zero, no fraction, no exponent.
func (f *fields) number(name string, most int64) int64 {
	raw := f.members[name]
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
	var value string
	if json.Unmarshal(f.members[fieldProof], &value) != nil || value == "" {
		f.fail(fieldProof, "is missing or not a string")
		return nil
	}
	proof, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		f.fail(fieldProof, "is not base64")
	}
	return proof
}
