package group_test

import (
	"testing"
	"time"

	"github.com/magpie-im/magpie/magpietest"
)

// An application with a bound for the groups of a day is refused those above it, but for types that do not count and imported
// groups; destroyed ones make room, the next day begins anew, and the back end is told when the bound comes near.
func TestDailyGrowth(t *testing.T) {
	magpietest.Scenario(t, func(t *testing.T, s *Server) {
		s.Import(t, "alice", "bob", "carol", "dave")
		back := s.BackEnd(t, "Group.CallbackOnDailyGroupQuotaAlarm")
		s.Configure(t, "group.daily_new", "5")
		alice := by(s.Login(t, "alice"))
		var first string
		for _, kind := range types(t) {
			if !kind.Yes("create.quota.daily_net_counts") {
				continue
			}
			first = create(t, s, kind.String(), nil)
		}
		alice.must(t, "create_group", M{"Type": "Public", "Name": "n"}, nil)
		alice.must(t, "create_group", M{"Type": "Public", "Name": "n"}, nil)
		public := M{"Type": "Public", "Name": "n"}
		alice.refuses(t, "create_group", public, 10006)
		byREST(s).refuses(t, "create_group", public, 10006)
		create(t, s, "Community", nil)
		byREST(s).must(t, "import_group", public, nil)
		s.MustREST(t, rest+"destroy_group", M{"GroupId": first}, nil)
		byREST(s).must(t, "create_group", public, nil)
		byREST(s).refuses(t, "create_group", public, 10006)
		s.Pass(t, 24*time.Hour)
		byREST(s).must(t, "create_group", public, nil)
		for i, c := range back.Gets(t, "Group.CallbackOnDailyGroupQuotaAlarm", 3) {
			var body struct{ QuotaUsed, Quota int }
			c.Into(t, &body)
			if want := []int{4, 5, 5}[i]; body.QuotaUsed != want || body.Quota != 5 {
				t.Errorf("the back end was told %+v, want %d of 5", body, want)
			}
		}
	}, magpietest.Timed(), magpietest.Set(t, "idle-timeout", "100h"))
}
