package element

import (
	"math"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// str is a field that must be text.
type str struct {
	set  bool
	text string
}

func (s *str) read(p *pass) error {
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

func (n *num) read(p *pass) error {
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

// maxExact is the largest integer up to which a float64 holds every integer, and a JavaScript client with it.
const maxExact = 1 << 53

// appendNumber writes a whole number as one: clients that are strict about integers choke on 1.0.
func appendNumber(out []byte, raw jsontext.Value, value float64) []byte {
	if math.Abs(value) <= maxExact && value == math.Trunc(value) {
		return strconv.AppendInt(out, int64(value), 10)
	}
	return append(out, raw...)
}

// strs is a field that must be an array of texts.
type strs struct {
	set bool
}

func (s *strs) read(p *pass) error {
	s.set = true
	return p.array(func(i int) error { return inIndex(i, new(str).read(p)) })
}

// array is a field that must be an array, of anything.
type array struct {
	set bool
	n   int // how many
}

func (a *array) read(p *pass) error {
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
