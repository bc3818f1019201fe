// Package element holds the kinds of message element: what a MsgBody may carry, how it is checked when it comes in, the
// form in which it is stored and pushed, and the text that an offline push shows for it.
//
// One file is one kind: a struct with the documented fields of its MsgContent, the fields it cannot do without, and its
// digest. A new kind is one file and one line in newElement.
//
// The package knows JSON and the error codes. It does not know senders, chats, storage or the door a body came through,
// and it never calls the network: whether a URL can be downloaded is not asked.
package element

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/magpie-im/magpie/internal/im"
)

// MaxDepth bounds nested arrays and objects in a body, counted from the body's own array. A picture is 5 deep, and each
// level of merging that is sent inline adds 5, so five levels of merged messages fit.
const MaxDepth = 32

// MaxElements bounds the elements of a body.
const MaxElements = 100

// Body is a MsgBody that Parse accepted. The zero Body holds nothing and is not a valid message.
type Body struct {
	json     jsontext.Value
	elements []element
}

// Parse checks a MsgBody as it came and returns the form that is stored and delivered (docs/protocol/wire.md#elements).
//
// Every documented field is checked for its type and every required one for its presence. Tolerated, and put right in the
// result: a null field counts as absent; a number may be written 1.0 or 1e3, or as text ("62351", as some back ends do);
// invalid UTF-8 becomes U+FFFD. Members that are not documented are kept, as newer clients carry more than is known here;
// two members of one name are refused, since nobody could say which of them other readers would see.
//
// maxBytes bounds the returned form, not the spelling it came in. Every error is an *im.Error: CodeMessageBodyArray when
// raw is not an array, CodeMessageBody for a fault of the body or of an element as such, CodeMessageFormat for a fault
// inside a MsgContent, CodeMessageTooLong for the length, CodeMessageBadJSON when raw is not JSON at all.
func Parse(raw jsontext.Value, maxBytes int) (Body, error) {
	if raw.Kind() != '[' {
		return Body{}, im.Errorf(im.CodeMessageBodyArray, "MsgBody is not an array of elements")
	}
	if deeperThan(raw, MaxDepth) {
		return Body{}, im.Errorf(im.CodeMessageBody, "MsgBody is nested deeper than %d levels", MaxDepth)
	}
	r := newReading(raw)
	r.maxBytes = maxBytes
	if err := r.read(raw); err != nil {
		return Body{}, refusal(err)
	}
	return Body{json: r.out, elements: r.elements}, nil
}

// JSON returns the body as it is stored and delivered: an array, compact, valid UTF-8, with a NUL always written \u0000.
// Parse takes it again and returns the same bytes. The caller must not change it.
func (b Body) JSON() jsontext.Value { return b.json }

// Kinds returns the MsgType of every element, in order.
func (b Body) Kinds() []string {
	kinds := make([]string, len(b.elements))
	for i, c := range b.elements {
		kinds[i] = c.kind()
	}
	return kinds
}

// Digest returns the text that an offline push shows: the texts of the elements, one after the other with nothing between
// them (docs/protocol/limits.md#10-message-elements). It is empty for a message that makes no push of its own, such as a
// custom element without Desc. Only the first language counts; without one it is English.
func (b Body) Digest(lang ...Language) string {
	if len(b.elements) == 1 {
		return b.elements[0].digest(first(lang))
	}
	var text strings.Builder
	for _, c := range b.elements {
		text.WriteString(c.digest(first(lang)))
	}
	return text.String()
}

// Digest is Body.Digest for a stored body. Elements that this version does not know contribute nothing, and a body that
// cannot be read gives what comes before the fault.
func Digest(raw jsontext.Value, lang ...Language) string {
	r := newReading(raw)
	r.lenient = true
	_ = r.read(raw)
	return Body{elements: r.elements}.Digest(lang...)
}

// Language picks the words that stand for an element without a text of its own.
type Language int

// The languages. To add one, name it here and give each call of say its word.
const (
	English Language = iota
	Chinese
)

// say picks between the words for one thing.
func (l Language) say(english, chinese string) string {
	if l == Chinese {
		return chinese
	}
	return english
}

func first(langs []Language) Language {
	if len(langs) == 0 {
		return English
	}
	return langs[0]
}
