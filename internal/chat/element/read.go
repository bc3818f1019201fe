package element

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/magpie-im/magpie/internal/im"
)

// reading reads a body once, from the decoder to the normal form.
type reading struct {
	normalizer
	elements []element
	customs  int
	maxBytes int
	lenient  bool // for stored bodies: take what could not be sent any more
}

func newReading(raw jsontext.Value) *reading {
	return &reading{normalizer: normalizer{out: make([]byte, 0, len(raw))}}
}

func (r *reading) read(raw jsontext.Value) error {
	return json.Unmarshal(raw, r, jsontext.AllowInvalidUTF8(true))
}

// UnmarshalJSONFrom reads the whole body. It exists so that json.Unmarshal lends its pooled decoder.
func (r *reading) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	r.dec = dec
	err := r.array(func(i int) error {
		if i == MaxElements && !r.lenient {
			return faultf("has more elements than a message may have")
		}
		return inIndex(i, r.element())
	})
	switch {
	case err != nil || r.lenient:
		return err
	case len(r.elements) == 0:
		return faultf("has no elements")
	case len(r.out) > r.maxBytes:
		return &fault{code: im.CodeMessageTooLong, what: "is too long"}
	}
	return nil
}

// parts is what has been read of one element.
type parts struct {
	element element
	done    bool           // its MsgContent was read and written
	held    jsontext.Value // a MsgContent that came before the MsgType
	rest    []byte         // members besides the two, each with a comma before it
}

// element reads {"MsgType":…,"MsgContent":{…}}, the two in either order, and writes them in this one.
func (r *reading) element() error {
	if err := r.open("an object", '{'); err != nil {
		return err
	}
	var e parts
	for r.dec.PeekKind() != '}' {
		if err := r.part(&e); err != nil {
			return err
		}
	}
	if _, err := r.dec.ReadToken(); err != nil {
		return err
	}
	return r.finish(&e)
}

func (r *reading) part(e *parts) error {
	name, err := r.dec.ReadValue()
	if err != nil {
		return err
	}
	switch string(unquoted(name)) {
	case "MsgType":
		return inField("MsgType", r.msgType(e))
	case "MsgContent":
		if err := r.expect("an object", '{'); err != nil {
			return inField("MsgContent", err)
		}
		if e.element != nil {
			return inField("MsgContent", r.msgContent(e))
		}
		held, err := r.dec.ReadValue()
		e.held = held.Clone()
		return err
	default:
		e.rest = append(appendString(append(e.rest, ','), name), ':')
		value, err := r.dec.ReadValue()
		if err == nil {
			e.rest, err = appendValue(e.rest, value)
		}
		return err
	}
}

func (r *reading) msgType(e *parts) error {
	if err := r.expect("text", '"'); err != nil {
		return err
	}
	raw, err := r.dec.ReadValue()
	if err != nil {
		return err
	}
	kind := unquoted(raw)
	if e.element = newElement(kind); e.element == nil {
		if !r.lenient {
			return faultf("%.40q is not a kind of element", kind)
		}
		e.element = opaque{}
	}
	if string(kind) == kindCustom {
		if r.customs++; r.customs > 1 && !r.lenient {
			return faultf("is a second %s, and a message may carry one", kindCustom)
		}
	}
	return nil
}

func (r *reading) msgContent(e *parts) error {
	e.done = true
	r.out = append(append(r.out, `{"MsgType":"`...), e.element.kind()...)
	r.out = append(r.out, `","MsgContent":`...)
	if err := r.object(e.element); err != nil {
		return inMsgContent(err)
	}
	if !r.lenient {
		return inMsgContent(e.element.validate())
	}
	return nil
}

func (r *reading) finish(e *parts) error {
	if e.element == nil {
		return inField("MsgType", missing())
	}
	if !e.done && e.held == nil {
		return inField("MsgContent", missing())
	}
	if !e.done {
		err := json.Unmarshal(e.held, &late{r, e}, jsontext.AllowInvalidUTF8(true))
		if err != nil {
			return inField("MsgContent", err)
		}
	}
	r.out = append(append(r.out, e.rest...), '}')
	r.elements = append(r.elements, e.element)
	return nil
}

// late reads a MsgContent that was held until its MsgType was known.
type late struct {
	r *reading
	e *parts
}

// UnmarshalJSONFrom reads the MsgContent with a decoder of its own.
func (l *late) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	outer := l.r.dec
	defer func() { l.r.dec = outer }()
	l.r.dec = dec
	return l.r.msgContent(l.e)
}

// deeperThan reports whether JSON text nests arrays and objects beyond a bound. It looks at the brackets outside strings
// only; text that is not JSON is for the decoder to refuse.
func deeperThan(raw []byte, limit int) bool {
	depth, quoted := 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '"':
			quoted = !quoted
		case quoted && c == '\\':
			i++
		case quoted:
		case c == '[' || c == '{':
			if depth++; depth > limit {
				return true
			}
		case c == ']' || c == '}':
			depth--
		}
	}
	return false
}
