package live

import (
	"encoding/json"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// lateAnswers is another node, on which the accounts with even numbers are inside. It answers when two calls have asked.
type lateAnswers struct {
	to    *Rooms
	mutex sync.Mutex
	asked []*ask
}

// Receive implements [bus.Handler].
func (n *lateAnswers) Receive(_ bus.Subject, message []byte) {
	var p presence
	if json.Unmarshal(message, &p) != nil || p.Ask == nil {
		return
	}
	n.mutex.Lock()
	defer n.mutex.Unlock()
	if n.asked = append(n.asked, p.Ask); len(n.asked) < 2 {
		return
	}
	for _, one := range n.asked {
		inside := slices.DeleteFunc(slices.Clone(one.Accounts), func(who im.AccountID) bool { return who%2 != 0 })
		n.to.hearAnswer(&answer{Room: one.Room, To: 1, Call: one.Call, Inside: inside, Last: true})
	}
}

// Two calls that ask other nodes about one room at the same time are each told what they have asked for.
func TestAskAtTheSameTime(t *testing.T) {
	t.Parallel()
	l := alone(t, db.Options{Dir: t.TempDir()})
	l.alone = false
	l.others.rooms[7] = map[int64]elsewhere{2: {online: 2, until: time.Now().Add(time.Hour)}}
	if err := l.bus.Subscribe(bus.Subject{Kind: bus.KindPresence}, &lateAnswers{to: l}); err != nil {
		t.Fatal(err)
	}
	var calls sync.WaitGroup
	for first := range im.AccountID(2) {
		calls.Go(func() {
			asked := []im.AccountID{10*first + 1, 10*first + 2}
			if got := l.insideOf(t.Context(), 7, asked); len(got) != 1 || !got[asked[1]] {
				t.Errorf("of %v are inside %v", asked, got)
			}
		})
	}
	calls.Wait()
}
