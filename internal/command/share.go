package command

import (
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/setting"
)

// How many calls and bytes one account, and one application, may use on a node in a second. Each node counts for itself.
var (
	accountCalls = setting.Int(setting.Spec[int]{
		Name: "limit.account_calls", Default: 5000, Low: 0, High: 1_000_000, Unit: "calls",
		Doc: "calls of one account in a second, over all its connections to a node; 0 is no bound",
	})

	accountBytes = setting.Int(setting.Spec[int]{
		Name: "limit.account_bytes", Default: 16 << 20, Low: 0, High: 1 << 30, Unit: "bytes",
		Doc: "bytes of one account's calls in a second, over all its connections to a node; 0 is no bound",
	})

	appCalls = setting.Int(setting.Spec[int]{
		Name: "limit.app_calls", Default: 0, Low: 0, High: 10_000_000, Unit: "calls",
		Doc: "calls of all the application's accounts and administrators in a second, on one node; 0 is no bound",
	})

	appBytes = setting.Int(setting.Spec[int]{
		Name: "limit.app_bytes", Default: 0, Low: 0, High: 1 << 30, Unit: "bytes",
		Doc: "bytes of the calls of all the application's accounts and administrators in a second, on one node; 0 is no bound",
	})
)

// Settings lists what an operator may choose in this room.
func Settings() []setting.Declaration {
	return []setting.Declaration{accountCalls, accountBytes, appCalls, appBytes}
}

// share is a bound for everything that somebody calls in a second.
type share struct {
	key   limitKey
	calls int // zero is no bound
	bytes int
}

// shares are the bounds that a call counts against: that of its account, and that of its application.
func shares(call *Call) [2]share {
	var both [2]share
	if call.Door == im.DoorClient && call.Account != 0 {
		both[0] = share{limitKey{app: call.App.ID, account: call.Account}, accountCalls.Of(call.App), accountBytes.Of(call.App)}
	}
	both[1] = share{limitKey{app: call.App.ID}, appCalls.Of(call.App), appBytes.Of(call.App)}
	return both
}

// within counts a call with a body of so many bytes against the share, and refuses it above. The limiter's mutex is held.
func (l *limiter) within(s share, size int, code im.Code) error {
	if s.calls == 0 && s.bytes == 0 {
		return nil
	}
	used := l.used[s.key]
	used.calls++
	used.bytes += size
	l.used[s.key] = used
	whose := "this account"
	if s.key.account == 0 {
		whose = "the application"
	}
	switch {
	case s.calls > 0 && used.calls > s.calls:
		return im.Errorf(code, "more than %d calls of %s in one second", s.calls, whose)
	case s.bytes > 0 && used.bytes > s.bytes:
		return im.Errorf(code, "more than %d bytes of %s in one second", s.bytes, whose)
	}
	return nil
}
