package command

import (
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/setting"
)

// How many calls and bytes one account, and one application, may use on a node in a second. Each node counts for itself.
var (
	accountCalls = most("limit.account_calls", 5000, 1_000_000, "calls",
		"calls of one account in a second, over all its connections to a node")

	accountBytes = most("limit.account_bytes", 16<<20, 1<<30, "bytes",
		"bytes of one account's calls in a second, over all its connections to a node")

	appCalls = most("limit.app_calls", 0, 10_000_000, "calls",
		"calls of all the application's accounts and administrators in a second, on one node")

	appBytes = most("limit.app_bytes", 0, 1<<30, "bytes",
		"bytes of the calls of all the application's accounts and administrators in a second, on one node")
)

// restCalls is the rate of one command at the REST door, which the node has for all applications together with the interface.
var restCalls = setting.Int(setting.Spec[int]{
	Name: "limit.rest_calls", Default: 0, Low: 0, High: 1_000_000, Unit: "calls",
	Doc: "calls of one REST command in a second, on one node, but for commands with a lower documented rate; 0 takes the node's --rest-per-second",
})

// What is stored costs more than what is asked: it is written to the disk, kept, and read again by others.
var (
	accountMessages = most("limit.account_messages", 2000, 1_000_000, "messages",
		"messages that one account sends in a second, over all its connections to a node")

	accountWritten = most("limit.account_stored_bytes", 4<<20, 1<<30, "bytes",
		"bytes of messages that one account has stored in a second, over all its connections to a node")

	appMessages = most("limit.app_messages", 0, 10_000_000, "messages",
		"messages that all the application's accounts and administrators send in a second, on one node")

	appWritten = most("limit.app_stored_bytes", 0, 1<<30, "bytes",
		"bytes of messages that all the application's accounts and administrators have stored in a second, on one node")
)

// most declares how much may be used in a second.
func most(name string, usual, high int, unit, doc string) *setting.Setting[int] {
	return setting.Int(setting.Spec[int]{Name: name, Default: usual, Low: 0, High: high, Unit: unit, Doc: doc + "; 0 is no bound"})
}

// Settings lists what an operator may choose in this room.
func Settings() []setting.Declaration {
	return []setting.Declaration{
		restCalls, accountCalls, accountBytes, appCalls, appBytes, accountMessages, accountWritten, appMessages, appWritten,
	}
}

// usage is what is taken of a second, or the most that may be; of that, zero is no bound.
type usage struct{ calls, bytes, messages, written int }

func (u usage) plus(more usage) usage {
	return usage{u.calls + more.calls, u.bytes + more.bytes, u.messages + more.messages, u.written + more.written}
}

// above tells of what there is more than there may be, with the bound; "" when all is within.
func (u usage) above(most usage) (what string, bound int) {
	for _, one := range []struct {
		used, most int
		what       string
	}{
		{u.calls, most.calls, "calls"},
		{u.bytes, most.bytes, "bytes of calls"},
		{u.messages, most.messages, "messages"},
		{u.written, most.written, "bytes of messages"},
	} {
		if one.most > 0 && one.used > one.most {
			return one.what, one.most
		}
	}
	return "", 0
}

// share is a bound for everything that somebody does in a second.
type share struct {
	key  limitKey
	most usage
}

// shares are the bounds that a call counts against: that of its account, and that of its application.
func shares(call *Call) [2]share {
	var both [2]share
	app := call.App
	if call.Door == im.DoorClient && call.Account != 0 {
		both[0] = share{
			limitKey{app: app.ID, account: call.Account},
			usage{accountCalls.Of(app), accountBytes.Of(app), accountMessages.Of(app), accountWritten.Of(app)},
		}
	}
	both[1] = share{limitKey{app: app.ID}, usage{appCalls.Of(app), appBytes.Of(app), appMessages.Of(app), appWritten.Of(app)}}
	return both
}

// within counts what a call takes against its shares, or refuses it and counts nothing. What is more than a whole second's
// share at once, as a message for many receivers may be, goes when nothing of its kind was taken in the second yet: it
// could never go otherwise. The limiter's mutex is held.
func (l *limiter) within(call *Call, take usage) error {
	both := shares(call)
	for _, s := range both {
		if s.most == (usage{}) {
			continue
		}
		used := l.used[s.key]
		if take.messages > 0 && used.messages == 0 {
			continue
		}
		if what, most := used.plus(take).above(s.most); what != "" {
			return im.Errorf(tooMuch(call), "more than %d %s of %s in one second", most, what, s.whose())
		}
	}
	for _, s := range both {
		if s.most != (usage{}) {
			l.used[s.key] = l.used[s.key].plus(take)
		}
	}
	return nil
}

func (s *share) whose() string {
	if s.key.account == 0 {
		return "the application"
	}
	return "this account"
}

// tooMuch is the code by which a call is refused for what it would take.
func tooMuch(call *Call) im.Code {
	if call.Door == im.DoorClient {
		return im.CodeTooFrequent
	}
	return im.CodeRateExceeded
}

// Store counts messages that the call is about to send, and their bytes that are to be stored, against what its account and
// its application may take of a second, or refuses. A call that no door has let in is the server's own and has no bound.
func (c *Call) Store(messages, bytes int) error {
	if c.limiter == nil {
		return nil
	}
	c.limiter.mutex.Lock()
	defer c.limiter.mutex.Unlock()
	c.limiter.turn()
	take := usage{messages: messages, written: bytes}
	c.limiter.slow(c, take)
	return c.limiter.within(c, take)
}
