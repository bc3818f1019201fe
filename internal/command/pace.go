package command

import (
	"time"

	"github.com/magpie-im/magpie/internal/im"
)

// Who uses his share of a second all at once holds up the others for as long as that takes, though he stays within it. So a
// door is told to let his next call wait: an account that asks without a pause is served at an even rate, and not refused.

// burst is how many calls like the last one an account may make at once before it is slowed down.
const burst = 64

// debts say how long, at an even rate, all that an account has taken takes yet, for each thing that is bounded: each is the
// moment at which it is all made up for.
type debts [4]time.Time

// slow notes what a call takes, be it refused or not, and has the call's session wait. The limiter's mutex is held. The moments
// are of the machine's own clock: an operator who sets the clock changes nothing of how long something takes.
func (l *limiter) slow(call *Call, take usage) {
	if call.Door != im.DoorClient || call.Account == 0 {
		return
	}
	var (
		key  = limitKey{app: call.App.ID, account: call.Account}
		most = shares(call)[0].most
		now  = time.Now()
		owed = l.owed(key)
	)
	for i, one := range [len(owed)][2]int{
		{take.calls, most.calls}, {take.bytes, most.bytes}, {take.messages, most.messages}, {take.written, most.written},
	} {
		if taken, share := one[0], one[1]; taken > 0 && share > 0 {
			cost := time.Duration(taken) * time.Second / time.Duration(share)
			cost += cost / 16 // so that some at once and an even rate are within the share of one second
			if owed[i].Before(now) {
				owed[i] = now
			}
			if owed[i] = owed[i].Add(cost); owed[i].Sub(now) > mostOwed {
				owed[i] = now.Add(mostOwed)
			}
			if ahead := owed[i].Sub(now); ahead > burst*cost {
				call.pause = max(call.pause, ahead-burst*cost/2)
			}
		}
	}
	l.debts[key] = owed
}

// mostOwed bounds what is owed, so that nobody pays tomorrow for a flood of today.
const mostOwed = time.Second

// owed is what an account owes. The mutex is held.
func (l *limiter) owed(key limitKey) debts {
	if owed, is := l.debts[key]; is {
		return owed
	}
	return l.older[key]
}

// forgive is called once a second. It forgets the debts of who took nothing in the whole second before: all of it is made up for.
// It looks at none of them, as there may be many. The mutex is held.
func (l *limiter) forgive() { l.older, l.debts = l.debts, map[limitKey]debts{} }

// longestPause bounds a pause: much was taken at once, as by a large message, or by many sessions of one account.
const longestPause = 250 * time.Millisecond

// Pause is how long the door is to wait before it serves the session's next call, once this one has begun; zero is not at all.
func (c *Call) Pause() time.Duration { return min(c.pause, longestPause) }
