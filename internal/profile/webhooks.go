package profile

import (
	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/webhook"
	"github.com/magpie-im/magpie/internal/wire"
)

// portraitSet tells of changed profile fields.
var portraitSet = webhook.NewAfter[portraitBody](webhook.Spec{
	Command: "Profile.CallbackPortraitSet", Doc: "an account's profile changed",
	Section: "webhooks.md#profilecallbackportraitset",
})

type portraitBody struct {
	EventTime int64         `json:"EventTime"`
	From      string        `json:"From_Account"`
	Operator  string        `json:"Operator_Account"`
	Items     []ProfileItem `json:"ProfileItem"`
}

// Webhooks lists the callbacks that the room declares.
func (p *Profiles) Webhooks() []webhook.Declaration {
	return []webhook.Declaration{portraitSet.Declaration()}
}

// tell stores the callback of a change, in the transaction that makes it.
func (p *Profiles) tell(tx *db.Tx, call *command.Call, of account.Account, changes []change) error {
	return portraitSet.Tell(tx, p.hooks, &call.Actor, int64(of.ID), func() (portraitBody, error) {
		body := portraitBody{EventTime: tx.Now().UnixMilli(), From: of.UserID, Operator: call.UserID}
		for _, c := range changes {
			value := wire.Raw(c.value)
			if !c.number {
				text, err := wire.Marshal(c.value)
				if err != nil {
					return body, err
				}
				value = text
			}
			body.Items = append(body.Items, ProfileItem{c.tag, value})
		}
		return body, nil
	})
}
