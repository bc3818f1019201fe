package live_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// What is pushed to a live room is written past the outboxes. Beside it sessions are answered, some read slowly, and some not at
// all for a while: no frame is torn, whoever reads gets all in order, and whoever falls behind misses some, but none twice.
func TestWalkBesideReplies(t *testing.T) {
	s := magpietest.Start(t, magpietest.Set(t, "commands-per-second", "0"), shapes())
	s.Configure(t, "live.message_rate", "10000", "live.grace_seconds", "600", "message.max_bytes", "65536")
	s.Import(t, "alice")
	id := create(t, s, M{})
	bob := enters(t, s, "bob", id)
	var readers, stalled []*Conn
	for i := range 8 {
		user := fmt.Sprintf("user%d", i)
		with := []magpietest.ConnOption{magpietest.SmallBuffer()}
		if i%2 == 0 {
			with = append(with, magpietest.Inflating())
		}
		c := s.Login(t, user, with...)
		join(t, c, id)
		if i < 4 {
			readers = append(readers, c)
		} else {
			stalled = append(stalled, c)
		}
	}
	var resume []func()
	for _, c := range stalled {
		resume = append(resume, c.Stall())
	}
	const messages = 150
	long := strings.Repeat("long ", 9000)
	for i := range messages {
		say(t, bob, says(id, fmt.Sprintf("%d %s", i, long), i, "Normal"))
		if i == messages*3/4 {
			for _, do := range resume {
				do()
			}
		}
		for _, c := range readers {
			c.MustCall(t, "heartbeat.alive", M{}, nil)
		}
	}
	say(t, bob, says(id, "the end", messages, "High"))
	for _, c := range append(readers, stalled...) {
		var got []int64
		c.Next(t, "the end", func(f *magpietest.Frame) bool {
			return contains(f, "the end")
		})
		c.Open(t)
		for _, p := range c.Pushes(t) {
			got = append(got, sequences(t, &p)...)
		}
		for i := range got {
			if i > 0 && got[i] <= got[i-1] {
				t.Fatalf("%s gets %d after %d", c.UserID, got[i], got[i-1])
			}
		}
		if c == readers[0] && len(got) < messages-messages/4 {
			t.Errorf("a reader gets %d of %d messages", len(got), messages)
		}
	}
}

// sequences are the numbers of the messages in a push.
func sequences(t *testing.T, p *magpietest.Push) (all []int64) {
	t.Helper()
	var of struct {
		All []struct {
			Sequence int64 `json:"MsgSeq"`
		} `json:"GroupMsgArray"`
	}
	if err := json.Unmarshal(p.Raw, &of); err != nil {
		t.Fatal(err)
	}
	for _, one := range of.All {
		all = append(all, one.Sequence)
	}
	return all
}
