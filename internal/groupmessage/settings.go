package groupmessage

import (
	"cmp"
	"slices"

	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/setting"
)

var (
	messageRate = setting.Int(setting.Spec[int]{
		Name: "group.message_rate", Default: 40, Low: 1, High: 100_000, Unit: "messages per second",
		Doc: "messages that a node takes for one group in a second; their senders are told success of those above it, which are dropped",
	})

	pinners = setting.Choice(setting.Spec[membersChoice]{
		Name: "group.pin_who", Default: everyMember, Doc: "who pins and unpins messages: every member, or owner and administrators",
	}, everyMember, adminsOnly)

	editors = setting.Choice(setting.Spec[membersChoice]{
		Name: "group.edit_who", Default: everyMember,
		Doc: "who edits messages of groups by a client: every member whom the type lets edit, or a message's sender only",
	}, everyMember, senderOnly)

	receiptMembers = setting.Int(setting.Spec[int]{
		Name: "group.receipt_members", Default: 200, Low: 1, High: 10_000, Unit: "members",
		Doc: "largest group in which a message may ask for receipts",
	})
)

// What an application chooses for a type of groups.
var (
	typeRates = group.EachType(func(word string) *setting.Setting[int] {
		return setting.Int(setting.Spec[int]{
			Name: "group." + word + ".rate", Default: 0, Low: 0, High: 100_000, Unit: "messages per second",
			Doc: "messages that a node takes for one " + word + " group in a second; 0 is what group.message_rate says",
		})
	})

	receiptTypes = group.EachType(func(word string) *setting.Setting[bool] {
		if word == "community" {
			return nil
		}
		return setting.Bool(setting.Spec[bool]{
			Name: "group." + word + ".receipts", Default: true, Doc: "messages of " + word + " groups may ask for receipts",
		})
	})

	recallTypes = group.EachType(func(word string) *setting.Setting[bool] {
		return setting.Bool(setting.Spec[bool]{
			Name: "group." + word + ".recall", Default: true, Doc: "messages of " + word + " groups are recalled",
		})
	})

	mentionsOfAll = group.EachType(func(word string) *setting.Setting[bool] {
		if word != "community" {
			return nil
		}
		return setting.Bool(setting.Spec[bool]{
			Name: "group." + word + ".at_all", Default: false, Doc: "messages of " + word + " groups may mention all members",
		})
	})

	mentioners = group.EachType(func(word string) *setting.Setting[membersChoice] {
		return setting.Choice(setting.Spec[membersChoice]{
			Name: "group." + word + ".at_all_who", Default: everyMember,
			Doc: "who mentions all members of " + word + " groups: every member, or owner and administrators",
		}, everyMember, adminsOnly)
	})
)

// rateOf is how many messages of a group of the type a node takes in a second.
func rateOf(app *im.App, t group.Type) int {
	return cmp.Or(typeRates.Of(app, t, 0), messageRate.Of(app))
}

// receiptsOn reports whether messages of groups of the type may ask for receipts.
func receiptsOn(app *im.App, t group.Type) bool {
	return t.Yes("receipt.supported") && receiptTypes.Of(app, t, true)
}

// Settings lists what an operator may choose in this room.
func (g *GroupMessages) Settings() []setting.Declaration {
	return slices.Concat(
		[]setting.Declaration{messageRate}, typeRates.List(), []setting.Declaration{pinners, editors, receiptMembers},
		receiptTypes.List(), recallTypes.List(), mentionsOfAll.List(), mentioners.List(),
	)
}

// membersChoice is which members may do something.
type membersChoice string

const (
	everyMember membersChoice = "member"
	adminsOnly  membersChoice = "admin"
	senderOnly  membersChoice = "sender"
)
