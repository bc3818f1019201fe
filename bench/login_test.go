package bench_test

import (
	"testing"
	"time"

	"github.com/magpie-im/magpie/bench"
)

func login(t *testing.T, exe string) {
	r, err := bench.Login(t.Context(), bench.LoginOptions{
		Setup: place(t, exe, bench.Setup{}), Users: 40, Clients: 4, Conversations: 30, Friends: 120, Duration: 300 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, rush := range map[string]bench.Rush{"first": r.First, "token": r.Token, "signed": r.Signed, "dropped": r.Dropped} {
		if rush.Seconds == 0 || rush.Login.Count != 40 || rush.Failed != 0 {
			t.Errorf("%s: %+v", name, rush)
		}
	}
	if r.Loop.PerSecond == 0 || r.Loop.Commits == 0 || len(r.Loop.Errors) != 0 {
		t.Errorf("%+v", r.Loop)
	}
	for name, asked := range map[string]bench.FewMany{"page": r.Lists.Page, "friends": r.Lists.FriendPage, "sync": r.Lists.Sync} {
		if asked.Few.Count != 200 || asked.Many.Count != 200 || asked.Times == 0 {
			t.Errorf("%s: %+v", name, asked)
		}
	}
	writes(t, r, "loop: logins", `"server_cpu_ms"`)
	keeps(t, r.Result(), "token_seconds", "logins_per_second", "page_times", "errors")
}
