package live_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/magpie-im/magpie/magpietest"
)

// The ledger says of each message what became of it.
func TestLedger(t *testing.T) {
	story(t, func(t *testing.T, s *Server, id string) {
		s.Configure(t, "live.message_rate", "2")
		bob := enters(t, s, "bob", id)
		s.Pass(t, 5*time.Second)
		for i := range 10 {
			say(t, bob, says(id, fmt.Sprint(i), i, []string{"Low", "High"}[i%2]))
		}
		type ledger struct {
			Inside  int `json:"InsideNum"`
			Waiting int `json:"WaitingNum"`
			Total   []struct {
				Priority         string
				Received, Pushed int
				Dropped          map[string]int
			}
			Seconds []struct{ Time int64 }
		}
		var got ledger
		magpietest.Eventually(t, "all are settled", func() bool {
			s.Pass(t, 500*time.Millisecond)
			got = ledger{}
			s.MustREST(t, "magpie_live/get_ledger", M{"GroupId": id, "Seconds": 180}, &got)
			return got.Waiting == 0
		})
		received, ended := 0, 0
		for _, one := range got.Total {
			received += one.Received
			ended += one.Pushed + one.Dropped["rate"] + one.Dropped["crowded"]
			if one.Priority == "High" && one.Received != 5 || one.Priority == "Low" && one.Dropped["crowded"] == 0 {
				t.Errorf("of %s: %+v", one.Priority, one)
			}
		}
		if received != 10 || ended != 10 || got.Inside != 1 || len(got.Seconds) == 0 {
			t.Errorf("the ledger says %+v", got)
		}
		s.Refuses(t, "magpie_live/get_ledger", M{"GroupId": id, "Seconds": 181}, 10004)
		s.Refuses(t, "magpie_live/get_ledger", M{"GroupId": "none"}, 10010)
	}, magpietest.Set(t, "commands-per-second", "0"))
}
