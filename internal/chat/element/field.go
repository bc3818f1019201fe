package element

import (
	"bytes"
	"math"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// str is a field that must be text.
type str struct {
	set  bool
	text string
}

func (s *str) read(p *normalizer) error {
	if err := p.expect("text", '"'); err != nil {
		return err
	}
	raw, err := p.dec.ReadValue()
	if err != nil {
		return err
	}
	s.set, s.text = true, string(unquoted(raw))
	p.out = appendString(p.out, raw)
	return nil
}

// num is a field that must be a number. The documentation says "Number" for every one of them, so fractions and signs
// are for the client to make sense of.
type num struct {
	set   bool
	value float64
}

func (n *num) read(p *normalizer) error {
	if err := p.expect("a number", '0', '"'); err != nil {
		return err
	}
	raw, err := p.dec.ReadValue()
	if err != nil {
		return err
	}
	if raw.Kind() == '"' {
		raw = unquoted(raw)
		if raw.Kind() != '0' || !raw.IsValid() || raw[len(raw)-1] <= ' ' {
			return faultf("is not a number")
		}
	}
	n.value, err = strconv.ParseFloat(string(raw), 64)
	if err != nil {
		return faultf("is too large a number")
	}
	n.set = true
	p.out = appendNumber(p.out, raw, n.value)
	return nil
}

// truth is a number that stands for yes or no, for which the official SDK writes true or false. It stays as it was written.
type truth struct{ num }

func (t *truth) read(p *normalizer) error {
	if kind := p.dec.PeekKind(); kind != 't' && kind != 'f' {
		return t.num.read(p)
	}
	raw, err := p.dec.ReadValue()
	if err != nil {
		return err
	}
	t.set = true
	if raw.Kind() == 't' {
		t.value = 1
	}
	p.out = append(p.out, raw...)
	return nil
}

// maxExact is the largest integer up to which a float64 holds every integer.
const maxExact = 1 << 53

// exactDigits is how many significant digits a float64 always tells apart.
const exactDigits = 15

// appendNumber writes a whole number as one, since clients that are strict about integers choke on 1.0. A number that
// the float64 may not hold exactly stays as it was spelled: digits are never changed.
func appendNumber(out []byte, raw jsontext.Value, value float64) []byte {
	if bytes.ContainsAny(raw, ".eE") && value == math.Trunc(value) && math.Abs(value) <= maxExact && exact(raw, value) {
		return strconv.AppendInt(out, int64(value), 10)
	}
	if string(raw) == "-0" {
		raw = raw[1:]
	}
	return append(out, raw...)
}

// exact reports whether a number's text says exactly what its value is, by the count of its significant digits. A text
// with such a digit and the value zero is one that was too small.
func exact(raw jsontext.Value, value float64) bool {
	mantissa := raw
	if at := bytes.IndexAny(raw, "eE"); at >= 0 {
		mantissa = raw[:at]
	}
	digits := bytes.Trim(bytes.ReplaceAll(bytes.TrimLeft(mantissa, "-"), []byte("."), nil), "0")
	return len(digits) <= exactDigits && (len(digits) == 0) == (value == 0)
}

// strs is a field that must be an array of texts.
type strs struct {
	set bool
}

func (s *strs) read(p *normalizer) error {
	s.set = true
	return p.array(func(i int) error { return inIndex(i, new(str).read(p)) })
}

// array is a field that must be an array, of anything.
type array struct {
	set bool
	n   int // how many
}

func (a *array) read(p *normalizer) error {
	a.set = true
	return p.array(func(int) error {
		a.n++
		return p.value()
	})
}

// need returns the fault of a required field that is missing or, where it is text, empty.
func (s *str) need(name string) error {
	switch {
	case !s.set:
		return inField(name, missing())
	case s.text == "":
		return inField(name, faultf("is empty"))
	}
	return nil
}

func (n *num) need(name string) error {
	if !n.set {
		return inField(name, missing())
	}
	return nil
}

// needDownload checks the mark that a file is fetched from its URL. The documentation knows no other value.
func (n *num) needDownload(name string) error {
	if n.set && n.value != 2 {
		return inField(name, faultf("is not 2"))
	}
	return n.need(name)
}

// firstOf returns the first error there is.
func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
