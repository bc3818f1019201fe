package element

import (
	"bytes"
	"slices"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// normalizer reads values from dec and appends their normal form to out.
type normalizer struct {
	dec *jsontext.Decoder
	out []byte
}

// object is a JSON object of which some members are documented.
type object interface {
	// field says where the member of this name goes; nil means that it is not documented.
	field(name []byte) field
}

// field reads one value of a documented member and writes it.
type field interface {
	read(p *normalizer) error
}

// expect returns a fault unless the next value is of one of the kinds. What is not JSON is the decoder's to name.
func (p *normalizer) expect(what string, kinds ...jsontext.Kind) error {
	kind := p.dec.PeekKind()
	if slices.Contains(kinds, kind) {
		return nil
	}
	if kind == jsontext.KindInvalid {
		return p.dec.SkipValue()
	}
	return faultf("is not %s", what)
}

// open reads the bracket that begins an array or an object.
func (p *normalizer) open(what string, bracket jsontext.Kind) error {
	if err := p.expect(what, bracket); err != nil {
		return err
	}
	_, err := p.dec.ReadToken()
	return err
}

// object reads one object. Documented members go through their fields, the others are kept as they are.
func (p *normalizer) object(o object) error {
	if err := p.open("an object", '{'); err != nil {
		return err
	}
	p.out = append(p.out, '{')
	for p.dec.PeekKind() != '}' {
		if err := p.member(o); err != nil {
			return err
		}
	}
	p.out = append(p.out, '}')
	_, err := p.dec.ReadToken()
	return err
}

func (p *normalizer) member(o object) error {
	raw, err := p.dec.ReadValue()
	if err != nil {
		return err
	}
	start := len(p.out)
	if p.out[start-1] != '{' {
		p.out = append(p.out, ',')
	}
	nameAt := len(p.out)
	f := o.field(unquoted(raw))
	p.out = append(appendString(p.out, raw), ':')
	valueAt := len(p.out)
	switch {
	case f == nil:
		return p.value()
	case p.dec.PeekKind() == 'n': // a null field is an absent one
		p.out = p.out[:start]
		return p.dec.SkipValue()
	}
	if err := f.read(p); err != nil {
		return inField(string(unquoted(p.out[nameAt:valueAt-1])), err)
	}
	return nil
}

// array reads one array; each reads one value of it.
func (p *normalizer) array(each func(i int) error) error {
	if err := p.open("an array", '['); err != nil {
		return err
	}
	p.out = append(p.out, '[')
	for i := 0; p.dec.PeekKind() != ']'; i++ {
		if i > 0 {
			p.out = append(p.out, ',')
		}
		if err := each(i); err != nil {
			return err
		}
	}
	p.out = append(p.out, ']')
	_, err := p.dec.ReadToken()
	return err
}

// value reads any one value.
func (p *normalizer) value() error {
	raw, err := p.dec.ReadValue()
	if err == nil {
		p.out, err = appendValue(p.out, raw)
	}
	return err
}

// appendValue appends a value compact, in valid UTF-8, its numbers as they were spelled.
func appendValue(out []byte, raw jsontext.Value) ([]byte, error) {
	return jsontext.AppendFormat(out, raw, jsontext.AllowInvalidUTF8(true))
}

// appendString appends a JSON string in its shortest spelling. Most are in it already.
func appendString(out []byte, raw jsontext.Value) []byte {
	if plain(raw) {
		return append(out, raw...)
	}
	// The error of either call only says that U+FFFD was put in for what was not UTF-8.
	text, _ := jsontext.AppendUnquote(nil, raw)
	out, _ = jsontext.AppendQuote(out, text)
	return out
}

// unquoted returns what a JSON string says. The result may share raw's memory.
func unquoted(raw jsontext.Value) []byte {
	if plain(raw) {
		return raw[1 : len(raw)-1]
	}
	text, _ := jsontext.AppendUnquote(nil, raw)
	return text
}

// plain reports whether a valid JSON string has neither escapes nor invalid UTF-8.
func plain(raw jsontext.Value) bool {
	return bytes.IndexByte(raw, '\\') < 0 && utf8.Valid(raw)
}
