package attribute

import (
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/webhook"
)

// afterChange is told of attributes that have changed.
var afterChange = webhook.NewAfter[changedBody](webhook.Spec{
	Command: "Group.CallbackAfterGroupAttrChanged", Doc: "attributes of a group changed",
	Section: "webhooks.md#groupcallbackaftergroupattrchanged",
})

// Webhooks lists the callbacks that the room fires.
func (a *Attributes) Webhooks() []webhook.Declaration {
	return []webhook.Declaration{afterChange.Declaration()}
}

type changedBody struct {
	GroupID    string   `json:"GroupId"`
	Type       string   `json:"Type"`
	Operator   string   `json:"Operator_Account"`
	Option     string   `json:"OptionType"` // set, modify, clear or delete
	Attributes []keyVal `json:"GroupAttr"`
	EventTime  int64    `json:"EventTime"` // unix milliseconds
}

type keyVal struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// tell stores the callback of a change.
func (a *Attributes) tell(call *command.Call, h *group.Held, w *writing) error {
	return afterChange.Tell(h.Tx, a.hooks, &call.Actor, h.Group.ID, func() (changedBody, error) {
		body := changedBody{
			h.Group.GroupID, h.Group.Type.String(), call.UserID, w.option.String(), []keyVal{}, h.Tx.Now().UnixMilli(),
		}
		for _, one := range w.given {
			body.Attributes = append(body.Attributes, keyVal{one.Key, one.Value})
		}
		return body, nil
	})
}
