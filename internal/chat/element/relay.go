package element

import (
	"errors"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/magpie-im/magpie/internal/im"
)

const kindRelay = "TIMRelayElem"

// maxMerged is how many messages one merged message may hold (docs/protocol/limits.md#3-sizes-and-counts).
const maxMerged = 300

// relay is a merged message: other messages forwarded as one. It carries them inline, or keys to fetch them by when they
// are too long for that.
type relay struct {
	Title, CompatibleText str
	AbstractList          strs // a line for each of the first few
	Version               num
	MsgNum                num
	LayersOverLimit       truth // merged too often to be shown
	MsgList               array
	JSONKey, PBKey        str // JsonMsgKey, PbMsgKey
}

func (*relay) kind() string { return kindRelay }

func (r *relay) field(name []byte) field {
	switch string(name) {
	case "Title":
		return &r.Title
	case "CompatibleText":
		return &r.CompatibleText
	case "AbstractList":
		return &r.AbstractList
	case "Version":
		return &r.Version
	case "MsgNum":
		return &r.MsgNum
	case "LayersOverLimit":
		return &r.LayersOverLimit
	case "MsgList":
		return &r.MsgList
	case "JsonMsgKey":
		return &r.JSONKey
	case "PbMsgKey":
		return &r.PBKey
	}
	return nil
}

// validate looks for the messages or a way to them. What is inside MsgList was checked when it was first sent, and is
// only shown.
func (r *relay) validate() error {
	switch {
	case r.MsgList.n > maxMerged:
		return inField("MsgList", faultf("has more than %d messages", maxMerged))
	case r.MsgNum.value > maxMerged:
		return inField("MsgNum", faultf("is more than %d", maxMerged))
	case !r.MsgList.set && r.JSONKey.text == "" && r.PBKey.text == "" && r.LayersOverLimit.value != 1:
		return inField("MsgList", faultf("is missing, and so are JsonMsgKey and PbMsgKey"))
	}
	return nil
}

// digest has no word in the documentation; it follows the form of those that have one.
func (*relay) digest(l Language) string { return l.say("[Chat History]", "[聊天记录]") }

// ParseMerged checks the messages of a merged message that is too large to carry them, and gives the form that is stored: an array of
// objects, compact and in valid UTF-8, that says what was said. What is inside a message was checked when it was first sent, and is
// only shown. Every error is an *im.Error: CodeMessageTooLong for the length, CodeMessageFormat for anything else.
func ParseMerged(raw jsontext.Value, maxBytes int) (jsontext.Value, error) {
	switch {
	case raw.Kind() != '[':
		return nil, im.Errorf(im.CodeMessageFormat, "MsgList is not an array of messages")
	case deeperThan(raw, MaxDepth):
		return nil, im.Errorf(im.CodeMessageFormat, "MsgList is nested deeper than %d levels", MaxDepth)
	}
	m := &merged{normalizer: normalizer{out: make([]byte, 0, len(raw))}}
	err := json.Unmarshal(raw, m, jsontext.AllowInvalidUTF8(true))
	var f *fault
	switch {
	case errors.As(err, &f):
		return nil, im.Errorf(im.CodeMessageFormat, "MsgList%s %s", f.path, f.what)
	case err != nil:
		return nil, im.Errorf(im.CodeMessageFormat, "MsgList is not JSON, or has two members of one name in an object")
	case m.n == 0:
		return nil, im.Errorf(im.CodeMessageFormat, "MsgList has no messages")
	case len(m.out) > maxBytes:
		return nil, im.Errorf(im.CodeMessageTooLong, "MsgList has %d bytes, at most %d: send fewer messages together", len(m.out), maxBytes)
	}
	return m.out, nil
}

// merged reads the messages of a merged message.
type merged struct {
	normalizer
	n int // how many
}

// UnmarshalJSONFrom reads the whole list.
func (m *merged) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	m.dec = dec
	return m.array(func(i int) error {
		if m.n++; m.n > maxMerged {
			return faultf("has more than %d messages", maxMerged)
		}
		if err := m.expect("a message", '{'); err != nil {
			return inIndex(i, err)
		}
		return m.value()
	})
}
