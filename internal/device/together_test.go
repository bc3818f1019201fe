package device_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/device"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/magpietest"
	"github.com/magpie-im/magpie/usersig"
)

// inOneCommit has n writes begun while the store is busy with another one, so that they gather for one commit.
func (r *room) inOneCommit(t *testing.T, n int, write func(i int)) {
	t.Helper()
	const busy = 2 // as many as there are committers on PostgreSQL
	begun, free := make(chan struct{}), make(chan struct{})
	begin, release := sync.OnceFunc(func() { close(begun) }), sync.OnceFunc(func() { close(free) })
	t.Cleanup(release) // before the store is closed, also when a wait fails
	var all sync.WaitGroup
	for i := range busy {
		all.Go(func() {
			err := r.store.Write(context.Background(), func(*db.Tx) error {
				begin()
				<-free
				return nil
			})
			if err != nil {
				t.Errorf("the write that keeps the store busy: %v", err)
			}
		})
		<-begun // one committer is busy now and takes no other write with it
		magpietest.Eventually(t, "the store is busy", func() bool { return r.store.Pending() == i+1 })
	}
	for i := range n {
		all.Go(func() { write(i) })
	}
	magpietest.Eventually(t, "all writes wait", func() bool { return r.store.Pending() == busy+n })
	release()
	all.Wait()
}

// tryLogIn is logIn that is not alone: three logins of each user have signatures of their own.
func (r *room) tryLogIn(t *testing.T, userID string, nth int) *device.Device {
	t.Helper()
	sig, err := usersig.Sign(magpietest.AppID, magpietest.Key, userID, time.Hour, time.Now().Add(time.Duration(nth)*time.Second))
	if err != nil {
		t.Errorf("sign for %s: %v", userID, err)
		return nil
	}
	d, err := r.LogIn(t.Context(), device.Login{Tenant: r.tenant, UserID: userID, UserSig: sig, Platform: im.PlatformWeb})
	if err != nil {
		t.Errorf("log %s in: %v", userID, err)
	}
	return d
}

// wantOneStands checks that of some devices of one account one stands, and the others gave way to it.
func (r *room) wantOneStands(t *testing.T, some []*device.Device) {
	t.Helper()
	stand := 0
	for _, d := range some {
		var kicked *device.KickedError
		switch err := r.Standing(t.Context(), d); {
		case err == nil:
			stand++
		case !errors.As(err, &kicked) || kicked.Reason != device.KickSamePlatform:
			t.Errorf("%s: a device does not stand because %v", d.Account.UserID, err)
		}
		if d.Account.ID != some[0].Account.ID || d.Account.UserID != some[0].Account.UserID {
			t.Errorf("%+v and %+v are of one name", d.Account, some[0].Account)
		}
	}
	if stand != 1 {
		t.Errorf("%s: %d devices stand, want 1", some[0].Account.UserID, stand)
	}
}

// Logins of many accounts in one commit, several of each: as if they came one after the other. The first time they make
// the accounts.
func TestLoginsInOneCommit(t *testing.T) {
	rooms(t, func(t *testing.T, r *room) {
		const users, each = 12, 3
		for range 2 {
			all := make([]*device.Device, users*each)
			r.inOneCommit(t, len(all), func(i int) { all[i] = r.tryLogIn(t, fmt.Sprint("user ", i/each), i%each) })
			if t.Failed() {
				return
			}
			for user := range users {
				r.wantOneStands(t, all[user*each:(user+1)*each])
			}
		}
	})
}

// A login that is refused costs the others of its commit nothing.
func TestRefusedInOneCommit(t *testing.T) {
	rooms(t, func(t *testing.T, r *room) {
		const users = 9
		for i := range users {
			r.logIn(t, fmt.Sprint("user ", i))
		}
		r.exec(t, `UPDATE account SET valid_after = $1 WHERE user_id IN ($2...)`, time.Now().Add(time.Minute).Unix(), db.Texts([]string{"user 1", "user 4"}))
		failures := make([]error, users)
		r.inOneCommit(t, users, func(i int) {
			userID := fmt.Sprint("user ", i)
			sig, err := usersig.Sign(magpietest.AppID, magpietest.Key, userID, time.Hour, time.Now())
			if err == nil {
				_, err = r.LogIn(t.Context(), device.Login{Tenant: r.tenant, UserID: userID, UserSig: sig, Platform: im.PlatformWeb})
			}
			failures[i] = err
		})
		for i, err := range failures {
			refusal, refused := im.Refusal(err)
			if void := i == 1 || i == 4; void && (!refused || refusal.Code != im.CodeSigRevoked) || !void && err != nil {
				t.Errorf("user %d, whose signature is void: %t: %v", i, void, err)
			}
		}
	})
}

// Devices that come back in one commit, one of them twice and some that may not.
func TestReturnsInOneCommit(t *testing.T) {
	rooms(t, func(t *testing.T, r *room) {
		const users = 9
		before, after, failures := make([]*device.Device, users), make([]*device.Device, users+1), make([]error, users+1)
		for i := range before {
			before[i] = r.logIn(t, fmt.Sprint("user ", i))
		}
		must(t, r.LogOut(t.Context(), before[2]))
		r.exec(t, `UPDATE device SET revoked = 3 WHERE account_id = $1`, int64(before[5].Account.ID))
		r.exec(t, `DELETE FROM device WHERE account_id = $1`, int64(before[6].Account.ID))
		r.inOneCommit(t, users+1, func(i int) {
			after[i], failures[i] = r.Resume(t.Context(), r.tenant, before[i%users].Token, "192.0.2.1")
		})
		for i, reason := range map[int]device.KickType{2: device.LoggedOut, 5: device.KickREST} {
			var kicked *device.KickedError
			if !errors.As(failures[i], &kicked) || kicked.Reason != reason {
				t.Errorf("user %d, who was logged out for reason %d: %v", i, reason, failures[i])
			}
		}
		if refusal, ok := im.Refusal(failures[6]); !ok || refusal.Code != im.CodeSigExpired {
			t.Errorf("user 6, whom the store does not know: %v", failures[6])
		}
		for _, i := range []int{1, 3, 4, 7, 8} {
			if failures[i] != nil || after[i].ID != before[i].ID || after[i].Account != before[i].Account || after[i].Platform != im.PlatformWeb {
				t.Errorf("user %d came back as %+v (%v), was %+v", i, after[i], failures[i], before[i])
				continue
			}
			must(t, r.Standing(t.Context(), after[i]))
		}
		must(t, errors.Join(failures[0], failures[users]))
		one, other := r.Standing(t.Context(), after[0]), r.Standing(t.Context(), after[users])
		if (one == nil) == (other == nil) || !errors.Is(errors.Join(one, other), device.ErrReplaced) {
			t.Errorf("of two returns of one device: %v and %v, want one replaced", one, other)
		}
	})
}

// Devices that are lost in one commit are offline, but for one that has come back since.
func TestLossesInOneCommit(t *testing.T) {
	rooms(t, func(t *testing.T, r *room) {
		const users = 9
		all := make([]*device.Device, users)
		for i := range all {
			all[i] = r.logIn(t, fmt.Sprint("user ", i))
		}
		back, err := r.Resume(t.Context(), r.tenant, all[4].Token, "")
		must(t, err)
		r.inOneCommit(t, users+1, func(i int) {
			if err := r.Lost(t.Context(), all[i%users], false); err != nil {
				t.Errorf("lose user %d: %v", i, err)
			}
		})
		must(t, r.Standing(t.Context(), back))
		online, err := db.All(t.Context(), r.store, db.Number, `SELECT account_id FROM device WHERE online_on <> 0`)
		if err != nil || len(online) != 1 || online[0] != int64(back.Account.ID) {
			t.Errorf("online are %v (%v), want %d", online, err, back.Account.ID)
		}
	})
}
