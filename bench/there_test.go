package bench_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/magpie-im/magpie/bench"
	"github.com/magpie-im/magpie/magpietest"
)

// At a server that runs already all is measured that needs neither its disk nor its settings, and what the server used is
// shared out over the sends that the server counts.
func TestThere(t *testing.T) {
	s := magpietest.Start(t)
	report, err := bench.C2C(t.Context(), bench.C2COptions{
		Setup:       bench.Setup{Progress: t.Output()},
		There:       bench.There{URL: s.WebSocketURL, App: "1400000001:" + magpietest.Key, First: 70_000},
		Connections: 4, Chats: 6, InFlight: 2, Rates: []int{50}, Size: 300, Duration: 300 * time.Millisecond, Repeat: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	run := report.Runs[0]
	if run.Alone.Count != 200 || run.Main.Acked == 0 || run.Main.Disordered != 0 || run.Fixed[0].Phase == nil || run.Main.Used.PerCommit == 0 {
		t.Errorf("%+v", run)
	}
	response, err := http.Get(s.URL + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{bench.AckedMetric, bench.CommitsMetric, "process_cpu_seconds_total"} {
		if !strings.Contains(string(page), "\n"+name+" ") {
			t.Errorf("the server tells no %s", name)
		}
	}
}
