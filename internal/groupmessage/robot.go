package groupmessage

import (
	"slices"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/webhook"
	"github.com/magpie-im/magpie/internal/wire"
)

var robotMentioned = webhook.NewAfter[sentParts](webhook.Spec{
	Command: "Bot.OnGroupMessage", Doc: "somebody mentioned a robot in a group", Section: "webhooks.md#botongroupmessage",
})

// mentionedRobot is a robot that a message mentions and that is a member.
type mentionedRobot struct {
	id     im.AccountID
	userID string
}

// addRobot notes an account that the message mentions, if it is a robot. Robots do not set each other off.
func (d *Draft) addRobot(id im.AccountID, userID string) {
	if account.IsRobot(userID) && !account.IsRobot(d.Sender.UserID) {
		d.robots = append(d.robots, mentionedRobot{id, userID})
	}
}

// robotEvents makes the callback of the robots that the message mentions; completeRobots completes it.
func (d *Draft) robotEvents(by *command.Call) ([]webhook.Callback, error) {
	if len(d.robots) == 0 {
		return nil, nil
	}
	return robotMentioned.Prepare(&by.Actor, d.callbackOrder(), func() (sentParts, error) { return d.parts(by), nil })
}

// mentionedRobots says which robots a message mentions.
type mentionedRobots struct {
	Robots []string `json:"AtRobots_Account"`
}

// completeRobots says where the message stands, and which of the robots are members still.
func (d *Draft) completeRobots(placed []byte) ([]webhook.Callback, error) {
	var still mentionedRobots
	for _, one := range d.robots {
		if slices.Contains(d.mentioned, one.id) {
			still.Robots = append(still.Robots, one.userID)
		}
	}
	if len(still.Robots) == 0 || len(d.toRobots) == 0 {
		return nil, nil
	}
	names, err := wire.Marshal(still)
	if err != nil {
		return nil, err
	}
	complete := make([]webhook.Callback, len(d.toRobots))
	for i, c := range d.toRobots {
		complete[i] = c.With(placed).With(names)
	}
	return complete, nil
}
