package live

import (
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/live/window"
	"github.com/magpie-im/magpie/internal/setting"
)

// rateMost bounds rates.
const rateMost = 10_000

var (
	messageRate = setting.Int(setting.Spec[int]{
		Name: "live.message_rate", Default: 40, Low: 1, High: rateMost, Unit: "messages per second",
		Doc: "messages that are pushed into one live room in a second, shared out over the nodes to which they come; above it the lowest priorities are dropped, and their senders " +
			"are told of success",
	})

	highRate = setting.Int(setting.Spec[int]{
		Name: "live.high_rate", Default: 0, Low: 0, High: rateMost, Unit: "messages per second",
		Doc: "of live.message_rate, how many are for messages of the priority High alone",
	})

	graceSeconds = setting.Int(setting.Spec[int]{
		Name: "live.grace_seconds", Default: 20, Low: 0, High: 600, Unit: "seconds",
		Doc: "time in which a device whose connection broke may come back into its live rooms before it has left them",
	})

	backlogOf = setting.Int(setting.Spec[int]{
		Name: "live.backlog", Default: 0, Low: 0, High: backlogMost, Unit: "messages",
		Doc: "how many of the newest messages of a live room, of the last day, who enters is given; they are in memory alone",
	})

	broadcastRate = setting.Int(setting.Spec[int]{
		Name: "live.broadcast_rate", Default: 1, Low: 0, High: 5, Unit: "messages per second",
		Doc: "messages to all live rooms that a node takes from the back end in a second; 0 switches them off",
	})

	guestsEnter = setting.Bool(setting.Spec[bool]{
		Name: "live.guests", Default: true, Doc: "whether clients hear what is said in live rooms without a login",
	})

	guestsCount = setting.Bool(setting.Spec[bool]{
		Name: "live.count_guests", Default: true, Doc: "whether guests count among those who are inside a live room",
	})

	guestsMost = setting.Int(setting.Spec[int]{
		Name: "live.max_guests", Default: 10_000, Low: 0, High: 1_000_000,
		Doc: "guests that are inside live rooms on one node, each as often as he is",
	})

	guestsOfAddress = setting.Int(setting.Spec[int]{
		Name: "live.max_guests_per_address", Default: 100, Low: 0, High: 1_000_000,
		Doc: "guests of one address that are inside live rooms on one node, each as often as he is",
	})

	listedMost = setting.Int(setting.Spec[int]{
		Name: "live.listed_members", Default: 30, Low: 0, High: newestMost,
		Doc: "how many of those who entered a live room last are listed",
	})
)

// rateOf is the rate of an application's live rooms.
func rateOf(app *im.App) window.Rate {
	return window.Rate{PerSecond: messageRate.Of(app), Reserved: highRate.Of(app)}
}

// Settings lists what an operator may choose in this room.
func (l *Rooms) Settings() []setting.Declaration {
	return []setting.Declaration{messageRate, highRate, graceSeconds, listedMost, backlogOf, broadcastRate,
		guestsEnter, guestsCount, guestsMost, guestsOfAddress}
}
