package outbox

import (
	"slices"

	"github.com/magpie-im/magpie/internal/telemetry"
)

const (
	// trialAfter is how often the first callback of a lane must have failed for those behind it to be tried. Its failures
	// are answers that say so; where none came it is trialUnanswered, because the back end may just be coming back.
	trialAfter      = 4
	trialUnanswered = 8
	// trialMost is how many of those behind it are tried after one more failure of the first. They are few, for they
	// overtake the first if the back end comes back just then.
	trialMost = 2
)

// trial finds out whether a callback fails again and again because of itself.
//
// A back end that is away must get everything, in order, when it is back. But there are callbacks that a back end
// can never take, and behind one of these its lane would wait until the time for trying is over. The two differ in what
// happens to the callbacks behind it. So when the first callback of a lane has just failed, and not for the first time, some
// behind it are tried at once. If one arrives, the first is called once more, and when that fails too,
// it becomes a dead letter and those behind it go on. As long as none arrives the lane waits, and loses nothing.
type trial struct {
	tried int // which callback of the lane goes out next; 0 but in a trial
	calls int // of those behind the first, in this trial
}

// least is how many failures it takes, the last of which was answered or not.
func least(answered bool) int {
	if answered {
		return trialAfter
	}
	return trialUnanswered
}

// failedAgain is for a callback that is to be tried again.
func (q *queue) failedAgain(l *lane, r finished) {
	answered := r.status > 0
	if r.callback.id < l.passed && r.callback.attempts > least(answered) {
		r.then = dead
		q.bury(l, r)
		return
	}
	*l.callbacks[l.tried] = r.callback
	q.keep(r)
	if !l.tryBehind(answered) {
		q.park(l)
		return
	}
	// At once: what happens to the back end meanwhile would falsify what is learnt.
	l.state = ready
	q.ready = slices.Insert(q.ready, 0, l)
}

// tryBehind chooses the next callback to be tried in place of the first: of those behind it the one that was tried least,
// since what stands next to it may be of the same kind. After one that was not answered it ends the trial.
func (l *lane) tryBehind(answered bool) bool {
	if l.callbacks[0].attempts < least(answered) || l.calls == trialMost || l.calls > 0 && !answered {
		return false
	}
	if len(l.callbacks) == 1 {
		return false
	}
	l.tried, l.calls = 1, l.calls+1
	for at, e := range l.callbacks {
		if at > 0 && e.attempts < l.callbacks[l.tried].attempts {
			l.tried = at
		}
	}
	return true
}

// delivered is for a callback that the back end has taken.
func (q *queue) delivered(l *lane, r finished) {
	if l.tried > 0 {
		l.passed = max(l.passed, r.callback.id)
	}
	q.remove(l, r)
	l.trial = trial{}
	q.next(l)
}

// bury makes a callback a dead letter.
func (q *queue) bury(l *lane, r finished) {
	q.o.Metrics.WebhookDead.Inc()
	about := []any{
		telemetry.FieldWebhook, r.callback.command, telemetry.FieldApp, q.key.app, telemetry.FieldEventID, formatID(r.callback.id),
		telemetry.FieldStatus, r.status, telemetry.FieldHost, r.host,
	}
	if r.status == 0 {
		about = append(about, telemetry.FieldReason, r.reply)
	}
	q.o.Log.Warn("callback is a dead letter", about...)
	behind := l.tried > 0
	q.remove(l, r)
	if behind {
		q.park(l)
		return
	}
	l.trial = trial{}
	q.next(l)
}

// goBack is for a callback that could not be called now: its turn comes again, or that of the first before it.
func (q *queue) goBack(l *lane) {
	if l.tried > 0 {
		q.park(l)
		return
	}
	q.next(l)
}
