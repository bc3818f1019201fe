package device_test

import (
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/app"
	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/internal/device"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/setting"
	"github.com/magpie-im/magpie/magpietest"
	"github.com/magpie-im/magpie/usersig"
)

// room is the room on a store of its own, without doors.
type room struct {
	*device.Devices
	store  *db.DB
	clock  *clock.Manual
	bus    bus.Bus
	tenant *app.Tenant
}

// rooms opens the room on each database.
func rooms(t *testing.T, test func(t *testing.T, r *room)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		r := &room{store: dbtest.Open(t, o), clock: clock.NewManual(time.Now())}
		log, b := slog.New(slog.DiscardHandler), bus.NewMemory()
		r.bus = b
		router := event.NewRouter(b)
		apps, err := app.Open(t.Context(), r.store, setting.NewTable((&device.Devices{}).Settings()), log)
		must(t, err)
		must(t, apps.Ensure(t.Context(), magpietest.AppID, magpietest.Key))
		accounts, err := account.Open(account.Parts{DB: r.store, Bus: b, Router: router, Log: log, Clock: r.clock.Clock()})
		must(t, err)
		r.tenant = apps.Find(magpietest.AppID)
		r.Devices, err = device.Open(t.Context(), device.Parts{
			DB: r.store, Accounts: accounts, Router: router, Log: log, Clock: r.clock.Clock(),
		})
		must(t, err)
		must(t, r.Join(t.Context()))
		test(t, r)
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (r *room) logIn(t *testing.T, userID string) *device.Device {
	t.Helper()
	sig, err := usersig.Sign(magpietest.AppID, magpietest.Key, userID, time.Hour, time.Now())
	must(t, err)
	d, err := r.LogIn(t.Context(), device.Login{Tenant: r.tenant, UserID: userID, UserSig: sig, Platform: im.PlatformWeb})
	must(t, err)
	return d
}

func (r *room) exec(t *testing.T, statement string, args ...any) {
	t.Helper()
	must(t, r.store.Write(t.Context(), func(tx *db.Tx) error {
		n, err := tx.Exec(statement, args...)
		if err == nil && n == 0 {
			err = errors.New("it changed nothing")
		}
		return err
	}))
}

// Devices that stand are left alone, however many are asked for; of the others each comes with its reason.
func TestHoldAgainst(t *testing.T) {
	rooms(t, func(t *testing.T, r *room) {
		bound := make([]*device.Device, 23)
		for i := range bound {
			bound[i] = r.logIn(t, fmt.Sprint("user ", i))
		}
		fallen, err := r.HoldAgainst(t.Context(), bound)
		if err != nil || len(fallen) != 0 {
			t.Fatalf("all stand: %v (%v)", fallen, err)
		}
		r.logIn(t, "user 3") // on another device of the same kind
		back, err := r.Resume(t.Context(), r.tenant, bound[9].Token, "")
		must(t, err)
		must(t, r.LogOut(t.Context(), bound[15]))
		r.exec(t, `DELETE FROM device WHERE instance_id = $1`, int64(bound[22].ID))
		fallen, err = r.HoldAgainst(t.Context(), append([]*device.Device{back}, bound[1:]...))
		must(t, err)
		got := map[string]string{}
		for _, f := range fallen {
			got[f.Device.Account.UserID] = f.Why.Error()
			if standing := r.Standing(t.Context(), f.Device); standing == nil || standing.Error() != f.Why.Error() {
				t.Errorf("%s: %v, asked alone %v", f.Device.Account.UserID, f.Why, standing)
			}
		}
		want := map[string]string{
			"user 3": "the device was logged out (reason 1)", "user 9": device.ErrReplaced.Error(),
			"user 15": "the device was logged out (reason 9)", "user 22": im.Errorf(im.CodeSigExpired, "the session has ended, log in again").Error(),
		}
		if fmt.Sprint(got) != fmt.Sprint(want) || len(fallen) != len(want) {
			t.Errorf("%d have fallen, %q, want %q", len(fallen), got, want)
		}
		if none, err := r.HoldAgainst(t.Context(), nil); none != nil || err != nil {
			t.Errorf("of no devices %v (%v)", none, err)
		}
		if err := r.Standing(t.Context(), back); err != nil {
			t.Errorf("the one that came back: %v", err)
		}
	})
}

// A device that was ended does not come back, and its row is not moved by trying.
func TestResumeOfTheEnded(t *testing.T) {
	rooms(t, func(t *testing.T, r *room) {
		d := r.logIn(t, "alice")
		must(t, r.LogOut(t.Context(), d))
		var kicked *device.KickedError
		if _, err := r.Resume(t.Context(), r.tenant, d.Token, ""); !errors.As(err, &kicked) || kicked.Reason != device.LoggedOut {
			t.Errorf("logged out: %v", err)
		}
		online, err := db.One(t.Context(), r.store, db.Number, `SELECT COUNT(*) FROM device WHERE online_on <> 0`)
		if err != nil || online != 0 {
			t.Errorf("%d devices are connected (%v)", online, err)
		}
		r.exec(t, `DELETE FROM device`)
		refusal := &im.Error{}
		if _, err := r.Resume(t.Context(), r.tenant, d.Token, ""); !errors.As(err, &refusal) || refusal.Code != im.CodeSigExpired {
			t.Errorf("forgotten: %v", err)
		}
	})
}

// The lease is renewed every five seconds of the clock, also when it has run out. A node that finds it taken takes another
// and says so.
func TestLease(t *testing.T) {
	rooms(t, func(t *testing.T, r *room) {
		lost := make(chan struct{})
		go r.Hold(t.Context(), func() { close(lost) })
		magpietest.Eventually(t, "the node waits for its time to renew", func() bool { return r.clock.Waiting() == 1 })
		until := func() int64 {
			n, err := db.One(t.Context(), r.store, db.Number, `SELECT lease_until FROM node WHERE id = $1`, r.Node())
			must(t, err)
			return n
		}
		r.exec(t, `UPDATE node SET lease_until = lease_until - 1000`)
		before := until()
		r.clock.Advance(5 * time.Second)
		magpietest.Eventually(t, "the lease is renewed", func() bool { return until() > before })
		before = until()
		r.clock.Advance(time.Hour) // nobody took the number meanwhile
		magpietest.Eventually(t, "the lease goes on", func() bool { return until() > before })
		select {
		case <-lost:
			t.Error("a lease that nobody took was lost")
		default:
		}
		before = r.Node()
		r.exec(t, `UPDATE node SET started_at = started_at + 1`) // another node took the number
		r.clock.Advance(5 * time.Second)
		<-lost
		if r.Node() == before {
			t.Errorf("the node is still number %d", before)
		}
	})
}
