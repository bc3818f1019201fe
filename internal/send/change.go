package send

import (
	"bytes"

	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/chat/element"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// Change is what a request makes of a stored message, in any kind of chat. A client also says which version it has.
type Change struct {
	Version   int64    `json:"MsgVersion"`
	Body      wire.Raw `json:"MsgBody"`
	CloudData *string  `json:"CloudCustomData"`
}

// Size is how many bytes the change brings that are to be stored.
func (r *Change) Size() int {
	size := len(r.Body)
	if r.CloudData != nil {
		size += len(*r.CloudData)
	}
	return size
}

// Changed is what a client is told of an edited message: also beside CodeEditConflict, where it is what others made of it.
type Changed struct {
	Body      wire.Raw `json:"MsgBody"`
	Version   int64    `json:"MsgVersion"`
	CloudData string   `json:"CloudCustomData"`
}

// ChangedTo is what the message says now.
func ChangedTo(m *chat.Message) *Changed { return &Changed{wire.Raw(m.Body), m.Version, m.CloudData} }

// Rewrite makes the edit of a request: of body, cloud custom data or both, within the bounds of a sent message. A
// client edits the version that it has seen, and is refused with CodeEditConflict if there is a later one.
func (r *Change) Rewrite(call *command.Call) (func(chat.Editable) (chat.Editable, error), error) {
	most := MaxBytes(call.App)
	withBody := given(r.Body, r.CloudData)
	if call.Admin() && r.CloudData != nil && *r.CloudData == "" {
		r.CloudData = nil // a typed language's back end that edits the body alone
	}
	if !withBody && r.CloudData == nil {
		return nil, im.Errorf(im.CodeMessageFormat, "neither MsgBody nor CloudCustomData is given")
	}
	var body []byte
	if withBody {
		parsed, err := element.Parse(r.Body, most)
		if err != nil {
			return nil, err
		}
		body = parsed.JSON()
	}
	return func(next chat.Editable) (chat.Editable, error) {
		if !call.Admin() && r.Version != next.Version {
			return next, im.Errorf(im.CodeEditConflict, "the message has version %d by now, not %d", next.Version, r.Version)
		}
		if withBody {
			next.Body = body
		}
		if r.CloudData != nil {
			next.CloudData = wire.Text(*r.CloudData)
		}
		if size := len(next.Body) + len(next.CloudData); size > most {
			return next, im.Errorf(im.CodeMessageTooLong, "MsgBody and CloudCustomData have %d bytes together, at most %d", size, most)
		}
		return next, nil
	}, nil
}

// given reports whether a body is there. Typed languages also write an empty list beside cloud data that is to change alone.
func given(body wire.Raw, cloudData *string) bool {
	switch {
	case len(body) == 0, body.Kind() == 'n':
		return false
	case body.Kind() == '[' && cloudData != nil:
		return len(bytes.TrimSpace(body[1:len(body)-1])) > 0
	}
	return true
}
