package bench_test

import (
	"strings"
	"testing"
	"time"

	"github.com/magpie-im/magpie/bench"
	"github.com/magpie-im/magpie/magpietest"
)

// The checker of logins is worth something only if it fails when it should: each row makes the run believe, or the server
// do, what is not so.
func TestEveryFaultOfALoginIsFound(t *testing.T) {
	type M = magpietest.M
	for _, row := range []struct {
		name    string
		spoil   func(t *testing.T, s *magpietest.Server, l *bench.OneLogin)
		want    bench.LoginTally
		finding string
	}{
		{"nothing", func(*testing.T, *magpietest.Server, *bench.OneLogin) {}, bench.LoginTally{}, ""},
		{"served and back after its end", func(_ *testing.T, _ *magpietest.Server, l *bench.OneLogin) {
			l.End(time.Minute, "a kick")
		}, bench.LoginTally{Served: 1, Returned: 1}, "after a kick"},
		{"back after its end", func(_ *testing.T, _ *magpietest.Server, l *bench.OneLogin) {
			l.HangUp()
			l.End(0, "a kick")
		}, bench.LoginTally{Returned: 1}, "came back by its token after a kick"},
		{"served on the connection before", func(_ *testing.T, _ *magpietest.Server, l *bench.OneLogin) {
			l.EndHere(time.Minute, "a return") // there was none
		}, bench.LoginTally{Served: 1}, "after a return"},
		{"refused", func(t *testing.T, s *magpietest.Server, _ *bench.OneLogin) {
			s.MustREST(t, "im_open_login_svc/kick", M{"UserID": "alice"}, nil) // of which the run knows nothing
		}, bench.LoginTally{Refused: 1}, "its return was refused"},
		{"nobody to write to", func(t *testing.T, s *magpietest.Server, l *bench.OneLogin) {
			l.End(0, "a deletion")
			s.MustREST(t, "im_open_login_svc/account_delete", M{"DeleteItem": []M{{"UserID": "alice"}}}, nil)
		}, bench.LoginTally{Unserved: 1}, "could not be written to"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := magpietest.Enter(t)
			s.Import(t, "alice")
			l, err := bench.LogInOnce(t.Context(), bench.There{URL: s.URL}, s.AppID, s.Key)
			if err != nil {
				t.Fatal(err)
			}
			row.spoil(t, s, l)
			got, findings := l.Check(t.Context())
			if got != row.want || !strings.Contains(strings.Join(findings, "\n"), row.finding) {
				t.Errorf("found %+v and %q, want %+v and %q", got, findings, row.want, row.finding)
			}
		})
	}
}
