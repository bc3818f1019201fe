package send

import (
	"slices"

	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/chat/element"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/wire"
)

// Fields is what the requests of every kind of chat say of a message, at either door.
type Fields struct {
	OnlineOnly   wire.Bool        `json:"OnlineOnlyFlag"`
	Control      []string         `json:"SendMsgControl"`
	Body         wire.Raw         `json:"MsgBody"`
	CloudData    string           `json:"CloudCustomData"`
	Extensible   wire.Bool        `json:"SupportMessageExtension"`
	Relayed      wire.Bool        `json:"IsRelayMsg"`
	OfflinePush  *offlinePushInfo `json:"OfflinePushInfo"`
	NoCallback   []string         `json:"ForbidCallbackControl"`
	ModerationID string           `json:"CustomModerationConfigID"`
}

// offlinePushInfo is checked for its form; there is no vendor push yet that would use it.
type offlinePushInfo struct {
	PushFlag int    `json:"PushFlag"`
	Title    string `json:"Title"`
	Desc     string `json:"Desc"`
	Ext      string `json:"Ext"`
}

// The values of ForbidCallbackControl.
const (
	noBeforeCallback = "ForbidBeforeSendMsgCallback"
	noAfterCallback  = "ForbidAfterSendMsgCallback"
)

// Parse checks the elements, which with the cloud custom data may be as large as the application allows, and gives their
// normal form.
func (c *Fields) Parse(call *command.Call) ([]byte, error) {
	parsed, err := element.Parse(c.Body, maxBytes.Of(call.App)-len(c.CloudData))
	if err != nil {
		return nil, err
	}
	return parsed.JSON(), nil
}

// Into says in a draft what the request says beside its elements.
func (c *Fields) Into(d *Draft, call *command.Call) {
	d.Flags, d.CloudData, d.OnlineOnly = c.flags(), wire.Text(c.CloudData), bool(c.OnlineOnly)
	// Only a back end may forbid a callback: for a client it would be the way around its back end's rules.
	d.Unasked = call.Admin() && slices.Contains(c.NoCallback, noBeforeCallback)
	d.Untold = call.Admin() && slices.Contains(c.NoCallback, noAfterCallback)
}

func (c *Fields) flags() chat.Flags {
	var f chat.Flags
	for flag, on := range map[chat.Flags]bool{
		chat.Extensible: bool(c.Extensible), chat.Relayed: bool(c.Relayed),
		chat.NoUnread: slices.Contains(c.Control, "NoUnread"), chat.NoLast: slices.Contains(c.Control, "NoLastMsg"),
	} {
		if on {
			f |= flag
		}
	}
	return f
}
