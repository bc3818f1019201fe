package bench_test

import (
	"testing"
	"time"

	"github.com/magpie-im/magpie/bench"
)

func TestGroupOptionsThatCannotBeRun(t *testing.T) {
	usual := func() bench.GroupOptions {
		return bench.GroupOptions{Connections: 10, Members: 5000, Turns: 1, Size: 300, Online: 10, Rate: 40, Duration: time.Second}
	}
	if o := usual(); o.Validate() != nil {
		t.Fatal(o.Validate())
	}
	for name, spoil := range map[string]func(*bench.GroupOptions){
		"connections that make no groups and pairs": func(o *bench.GroupOptions) { o.Connections = 15 },
		"no connections":                     func(o *bench.GroupOptions) { o.Connections = 0 },
		"a large group that is small":        func(o *bench.GroupOptions) { o.Members = 5 },
		"more members than any group has":    func(o *bench.GroupOptions) { o.Members = 1_000_001 },
		"no turn":                            func(o *bench.GroupOptions) { o.Turns = 0 },
		"too much in flight":                 func(o *bench.GroupOptions) { o.InFlight = 513 },
		"a body without room for the moment": func(o *bench.GroupOptions) { o.Size = 20 },
		"too few to hear":                    func(o *bench.GroupOptions) { o.Online = 3 },
		"too many to hear":                   func(o *bench.GroupOptions) { o.Online = 20_001 },
		"nothing to hear":                    func(o *bench.GroupOptions) { o.Rate = 0 },
		"too short":                          func(o *bench.GroupOptions) { o.Duration = time.Millisecond },
	} {
		o := usual()
		spoil(&o)
		if o.Validate() == nil {
			t.Errorf("%s is not refused", name)
		}
	}
}
