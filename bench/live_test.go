package bench_test

import (
	"testing"
	"time"

	"github.com/magpie-im/magpie/bench"
)

func TestLiveOptionsThatCannotBeRun(t *testing.T) {
	usual := func() bench.LiveOptions {
		return bench.LiveOptions{Members: 10, Rooms: 1, Rates: [4]float64{0, 40, 0, 0}, Turns: 1, Size: 160, Duration: time.Second}
	}
	if o := usual(); o.Validate() != nil {
		t.Fatal(o.Validate())
	}
	for name, spoil := range map[string]func(*bench.LiveOptions){
		"nobody inside":                      func(o *bench.LiveOptions) { o.Members = 0 },
		"more inside than a run can have":    func(o *bench.LiveOptions) { o.Members = 500_001 },
		"no room":                            func(o *bench.LiveOptions) { o.Rooms = 0 },
		"a room without a member":            func(o *bench.LiveOptions) { o.Rooms = 11 },
		"nothing to hear":                    func(o *bench.LiveOptions) { o.Rates = [4]float64{} },
		"a rate below zero":                  func(o *bench.LiveOptions) { o.Rates[2] = -1 },
		"nobody who reads":                   func(o *bench.LiveOptions) { o.Slow = 10 },
		"no turn":                            func(o *bench.LiveOptions) { o.Turns = 0 },
		"a body without room for the moment": func(o *bench.LiveOptions) { o.Size = 20 },
		"too short":                          func(o *bench.LiveOptions) { o.Duration = time.Millisecond },
	} {
		o := usual()
		spoil(&o)
		if o.Validate() == nil {
			t.Errorf("%s is not refused", name)
		}
	}
}

// More members than a process may open files are several servers, which share a database and a bus.
func TestLiveInOneProcessWithoutABus(t *testing.T) {
	o := bench.LiveOptions{Members: 500_000, Rooms: 1, Rates: [4]float64{1, 0, 0, 0}, Turns: 1, Size: 160, Duration: time.Second}
	if each, err := bench.MembersOfProcess(); err != nil || each >= o.Members {
		t.Skip("a process may open that many files here")
	}
	if _, err := bench.Live(t.Context(), o); err == nil {
		t.Error("it is not refused")
	}
}
