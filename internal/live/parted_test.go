package live

import (
	"log/slog"
	"testing"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
)

// The store is asked once for the names of all that logged out of a room, and not by whoever ends their logins, which may be the bus.
func TestNamesOfWhoParted(t *testing.T) {
	faults := &dbtest.Faults{}
	l := alone(t, faults.Into(db.Options{Dir: t.TempDir()}))
	accounts, err := account.Open(account.Parts{DB: l.db, Bus: bus.NewMemory(), Router: l.router, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	l.accounts = accounts
	const crowd = 50
	r := l.open(&im.App{ID: 1}, &group.Group{ID: 7, App: 1})
	for n := range crowd {
		who := account.Account{ID: im.AccountID(n + 1)}
		l.admit(r, &who, seat{connection: uint64(n), device: im.DeviceID(n + 1)})
	}
	faults.Seen()
	for n := range crowd {
		l.Parted(event.LiveRoom(7).Subject(), im.AccountID(n+1), uint64(n), false)
	}
	if asked := faults.Seen("account"); asked != 0 || l.Online(7) != 0 {
		t.Errorf("the store is asked %d times by those who end logins, and %d are inside", asked, l.Online(7))
	}
	l.endGraces()
	if asked := faults.Seen("account"); asked != 1 {
		t.Errorf("the store is asked %d times for the names of %d accounts", asked, crowd)
	}
	if told := len(r.news.left.who); told != crowd {
		t.Errorf("%d are told of, want %d", told, crowd)
	}
}
