package gateway_test

import (
	"testing"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/magpietest"
)

// faulty runs a scenario, on each database, in which alice has an account and the store fails as the test says.
func faulty(t *testing.T, tell func(t *testing.T, s *magpietest.Server, faults *dbtest.Faults)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		faults := &dbtest.Faults{}
		with := []magpietest.Option{magpietest.Timed(), magpietest.Faulty(faults), magpietest.Database(o.URL)}
		if o.URL == "" {
			with = append(with, magpietest.Dir(o.Dir))
		}
		s := magpietest.Start(t, with...)
		s.Import(t, "alice")
		tell(t, s, faults)
	})
}

// A logout that is answered as done is done: the token brings nobody back. When the store fails the client is told so, is still
// logged in, and may log out again.
func TestLogoutWhileTheStoreFails(t *testing.T) {
	faulty(t, func(t *testing.T, s *magpietest.Server, faults *dbtest.Faults) {
		for _, how := range []dbtest.Mode{dbtest.Refused, dbtest.Down} {
			alice := s.Login(t, "alice")
			faults.Fail(1, how)
			out := alice.Call(t, "im_open_status.wslogout", M{"wslogout_type": 1}, nil)
			if !faults.Heal() {
				t.Fatalf("%v: nothing failed", how)
			}
			if out.ErrorCode == 0 {
				if back := s.Connect(t).Resume(t, "alice", alice.Session); back.ErrorCode == 0 {
					t.Errorf("%v: the logout is answered as done, and the token brings alice back", how)
				}
				continue
			}
			alice.MustCall(t, "openim.sendmsg", magpietest.Message("alice", "alice", "still here"), nil)
			alice.MustCall(t, "im_open_status.wslogout", M{"wslogout_type": 1}, nil)
			if back := s.Connect(t).Resume(t, "alice", alice.Session); back.ErrorCode == 0 {
				t.Errorf("%v: the token brings alice back after her logout", how)
			}
		}
	})
}
