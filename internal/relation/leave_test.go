package relation_test

import (
	"log/slog"
	"slices"
	"testing"

	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/magpietest"
)

// A deleted account is gone from everybody's lists and counts, and comes back with none of its own.
func TestDeletedAccount(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		s.Configure(t, "follow.enabled", "on")
		comes(t, s, "sns/friend_add", asking("alice", "bob", "carol"), "bob 0, carol 0")
		s.MustREST(t, "sns/group_add", M{"From_Account": "alice", "GroupName": []string{"Pals"}}, nil)
		allows(t, s, "dave", "NeedConfirm")
		comes(t, s, "sns/friend_add", asking("alice", "dave"), "dave 30539")
		allows(t, s, "alice", "NeedConfirm")
		comes(t, s, "sns/friend_add", asking("dave", "alice"), "alice 0") // she has asked, so she agrees
		comes(t, s, "sns/friend_delete", M{"From_Account": "dave", "To_Account": []string{"alice"}, "DeleteType": "Delete_Type_Both"}, "alice 0")
		comes(t, s, "sns/friend_add", asking("dave", "alice"), "alice 30539")
		comes(t, s, "sns/black_list_add", M{"From_Account": "carol", "To_Account": []string{"alice"}}, "alice 0")
		comes(t, s, "follow/follow_add", follow("alice", "bob", "carol"), "bob 0, carol 0")
		comes(t, s, "follow/follow_add", follow("bob", "alice"), "alice 0")
		bob, carol, dave := s.Login(t, "bob"), s.Login(t, "carol"), s.Login(t, "dave")
		s.MustREST(t, "im_open_login_svc/account_delete", M{"DeleteItem": []M{{"UserID": "alice"}}}, nil)
		hears(t, bob, "2 alice", "alice (nick of alice) 2 0", "alice (nick of alice) 3 0", "alice (nick of alice) 1 0")
		hears(t, carol, "6 alice", "alice (nick of alice) 1 0")
		hears(t, dave, "4 dave asked: alice")
		has(t, s, "bob")
		waits(t, dave, 0)
		if got := blocklistOf(t, s, "carol", 100); len(got) != 0 {
			t.Errorf("carol's blocklist is %q", got)
		}
		s.Import(t, "alice")
		if got := counts(t, s, "alice", "bob", "carol"); !slices.Equal(got, []string{"alice 0 0 0 0", "bob 0 0 0 0", "carol 0 0 0 0"}) {
			t.Errorf("the counts are %q", got)
		}
		has(t, s, "alice")
		if got := groupsOf(t, s, M{"From_Account": "alice"}); len(got) != 0 {
			t.Errorf("alice's groups are %q", got)
		}
		waits(t, s.Login(t, "alice"), 0)
	})
}

// Lists that a server which stopped has not gone through yet are gone through when it starts again.
func TestDeletionGoesOn(t *testing.T) {
	var faults dbtest.Faults
	s := magpietest.Start(t, magpietest.Dir(t.TempDir()), magpietest.Faulty(&faults), magpietest.Log(slog.New(slog.DiscardHandler)))
	s.Import(t, "alice", "bob")
	comes(t, s, "sns/friend_add", asking("alice", "bob"), "bob 0")
	deletedButListed(t, s, &faults)
	has(t, s, "bob", "alice")
	s.Restart(t)
	has(t, s, "bob")
}

// deletedButListed deletes alice while others' lists cannot be gone through.
func deletedButListed(t *testing.T, s *Server, faults *dbtest.Faults) {
	t.Helper()
	faults.FailOf("FROM block WHERE blocked_id", dbtest.Refused)
	s.MustREST(t, "im_open_login_svc/account_delete", M{"DeleteItem": []M{{"UserID": "alice"}}}, nil)
	if !faults.Heal() {
		t.Fatal("nothing failed")
	}
}

// An account that is back before others' lists were gone through keeps its new relations when they are, and is freed of the old ones.
func TestDeletionGoesOnWhenTheAccountIsBack(t *testing.T) {
	var faults dbtest.Faults
	s := magpietest.Start(t, magpietest.Dir(t.TempDir()), magpietest.Faulty(&faults), magpietest.Log(slog.New(slog.DiscardHandler)))
	s.Configure(t, "follow.enabled", "on")
	s.Import(t, "alice", "bob", "carol")
	comes(t, s, "sns/friend_add", asking("alice", "bob", "carol"), "bob 0, carol 0")
	comes(t, s, "follow/follow_add", follow("bob", "alice"), "alice 0")
	deletedButListed(t, s, &faults)
	s.Import(t, "alice")
	comes(t, s, "sns/friend_add", asking("bob", "alice"), "alice 0")
	comes(t, s, "follow/follow_add", follow("carol", "alice"), "alice 0")
	s.Restart(t)
	has(t, s, "alice", "bob")
	has(t, s, "bob", "alice")
	has(t, s, "carol")
	if got := counts(t, s, "alice", "bob", "carol"); !slices.Equal(got, []string{"alice 1 0 0 0", "bob 0 0 0 0", "carol 0 1 0 0"}) {
		t.Errorf("the counts are %q", got)
	}
}
