package outbox

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/webhook"
)

// The waits double up to five minutes, and are never in step.
func TestBackOff(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	hook := &webhook.Hook{Retry: true, RetryFor: 24 * time.Hour}
	waits := map[int64]bool{}
	for attempts, most := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 5: 16 * time.Second, 9: 256 * time.Second, 10: retryMost, 1000: retryMost} {
		for range 50 {
			e := &waiting{attempts: attempts, since: now.UnixMilli()}
			if e.next(hook, now) != again {
				t.Fatalf("given up after %d attempts", attempts)
			}
			wait := time.Duration(e.nextAt-now.UnixMilli()) * time.Millisecond
			waits[e.nextAt] = true
			if wait < most/2-time.Millisecond || wait > most {
				t.Errorf("after %d attempts it waits %v, want %v to %v", attempts, wait, most/2, most)
			}
		}
	}
	if len(waits) < 50 {
		t.Errorf("only %d different waits", len(waits))
	}
	old := &waiting{attempts: 1, since: now.Add(-24 * time.Hour).UnixMilli()}
	if old.next(hook, now) != dead {
		t.Error("the time for trying does not end")
	}
	if once := (&waiting{attempts: 1, since: now.UnixMilli()}); once.next(&webhook.Hook{RetryFor: time.Hour}, now) != dead {
		t.Error("tried again though that is off")
	}
}

func TestBrief(t *testing.T) {
	for _, c := range []struct {
		body string
		err  error
		want string
	}{
		{"", nil, ""},
		{"fine", nil, "fine"},
		{"fine", errors.New("status"), "fine"},
		{"", errors.New("no route"), "no route"},
		{"a\x00b\xffc", nil, "abc"},
		{strings.Repeat("x", 1000), nil, strings.Repeat("x", keepReply)},
		{strings.Repeat("ü", 1000), nil, strings.Repeat("ü", keepReply/2)},
		{"x" + strings.Repeat("ü", 1000), nil, "x" + strings.Repeat("ü", keepReply/2-1)},
		{"", errors.New(strings.Repeat("é", 1000)), strings.Repeat("é", keepReply/2)},
	} {
		if got := brief([]byte(c.body), c.err); got != c.want {
			t.Errorf("%.20q, %.20v: %.30q, want %.30q", c.body, c.err, got, c.want)
		}
	}
}
