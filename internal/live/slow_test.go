package live_test

import (
	"fmt"
	"io"
	"net/http"
	"runtime/pprof"
	"strconv"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// ledger is what a back end reads of a live room's messages.
type ledger struct {
	Inside  int `json:"InsideNum"`
	Waiting int `json:"WaitingNum"`
	Total   []became
	Seconds []struct {
		Time int64
		Sums []became
	}
}

type became struct {
	Priority                         string
	Received, Pushed, Given, Skipped int
	Dropped                          map[string]int
}

func readLedger(t *testing.T, s *Server, id string) (l ledger) {
	t.Helper()
	s.MustREST(t, "magpie_live/get_ledger", M{"GroupId": id, "Seconds": 180}, &l)
	return l
}

// all adds up the priorities.
func all(some []became) (sum became) {
	for _, one := range some {
		sum.Received += one.Received
		sum.Pushed += one.Pushed
		sum.Given += one.Given
		sum.Skipped += one.Skipped
	}
	return sum
}

// Members who do not read hold no goroutine and little memory, whatever is said meanwhile. What they skip is counted to the message: each
// message that was pushed was given to a member or skipped by him, and what was given has come when they have read again.
func TestMembersWhoDoNotRead(t *testing.T) {
	const slow, messages = 24, 60
	s := magpietest.Start(t, magpietest.Set(t, "commands-per-second", "0"), shapes())
	s.Configure(t, "live.message_rate", "10000", "message.max_bytes", "65536")
	s.Import(t, "alice")
	id := create(t, s, M{})
	bob := enters(t, s, "bob", id)
	members := []*Conn{bob}
	var resume []func()
	for i := range slow {
		c := s.Login(t, fmt.Sprint("slow", i), magpietest.SmallBuffer())
		join(t, c, id)
		members, resume = append(members, c), append(resume, c.Stall())
	}
	long := strings.Repeat("long ", 8000)
	for i := range messages {
		say(t, bob, says(id, long, i, "Normal"))
		bob.Next(t, "the message", func(f *magpietest.Frame) bool { return contains(f, long) })
	}
	var total became
	magpietest.Eventually(t, "every message is given to every member or skipped", func() bool {
		total = all(readLedger(t, s, id).Total)
		return total.Pushed == messages && total.Given+total.Skipped == messages*len(members)
	})
	if total.Skipped < messages*slow/2 {
		t.Errorf("%d are skipped of %d", total.Skipped, messages*slow)
	}
	magpietest.Eventually(t, "nobody writes to those who do not read", func() bool { return goroutinesAt("outbox).flush") == 0 })
	if most := slow * len(long) * 3 / 2; metric(t, s, "magpie_writer_queue_bytes") > most {
		t.Errorf("%d bytes wait, want %d at most", metric(t, s, "magpie_writer_queue_bytes"), most)
	}
	for _, do := range resume {
		do()
	}
	more := 0
	magpietest.Eventually(t, "all hear again what is said", func() bool {
		say(t, bob, says(id, "the end", messages+more, "High"))
		more++
		for _, c := range members {
			if c.Arrived(func(f *magpietest.Frame) bool { return contains(f, "the end") }) == 0 {
				return false
			}
		}
		return true
	})
	magpietest.Eventually(t, "that is counted too", func() bool {
		total = all(readLedger(t, s, id).Total)
		return total.Pushed == messages+more && total.Given+total.Skipped == total.Pushed*len(members)
	})
	came := messages // bob has heard them
	for _, c := range members {
		c.Open(t)
		for _, p := range c.Pushes(t) {
			came += len(sequences(t, &p))
		}
	}
	if came != total.Given {
		t.Errorf("%d came, and %d were given", came, total.Given)
	}
}

// goroutinesAt is how many goroutines of this process are in a function.
func goroutinesAt(function string) (n int) {
	var stacks strings.Builder
	if pprof.Lookup("goroutine").WriteTo(&stacks, 2) != nil {
		return 0
	}
	for one := range strings.SplitSeq(stacks.String(), "\n\n") {
		if strings.Contains(one, function) {
			n++
		}
	}
	return n
}

// metric reads a number of the server's metrics.
func metric(t *testing.T, s *Server, name string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(page)) {
		if value, found := strings.CutPrefix(line, name+" "); found {
			number, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				t.Fatal(err)
			}
			return int(number)
		}
	}
	t.Fatalf("there is no %s", name)
	return 0
}
