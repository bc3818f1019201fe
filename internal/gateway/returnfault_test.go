package gateway_test

import (
	"testing"

	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/magpietest"
)

// A device comes back while the store fails, at any of the statements that this takes: it may be refused, and its token stays good.
func TestReturnWhileTheStoreFails(t *testing.T) {
	faulty(t, func(t *testing.T, s *magpietest.Server, faults *dbtest.Faults) {
		alice := s.Login(t, "alice")
		refused := 0
		for n := 1; ; n++ {
			const most = 50
			faults.Fail(n, dbtest.Refused)
			back := s.Connect(t).Resume(t, "alice", alice.Session)
			if !faults.Heal() || n > most {
				break
			}
			if back.ErrorCode != 0 {
				refused++
			}
			if again := s.Connect(t).Resume(t, "alice", alice.Session); again.ErrorCode != 0 {
				t.Fatalf("statement %d failed and answered %d; then the token is refused: %+v", n, back.ErrorCode, again)
			}
		}
		if refused == 0 {
			t.Error("no return met the store's failure")
		}
	})
}
