package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/magpie-im/magpie/client"
	"github.com/magpie-im/magpie/internal/im"
)

// servedAfter bounds how long a login may be served after its end, whatever the bus has lost: every node holds its sessions
// against the store each half minute.
const servedAfter = 35 * time.Second

// LoginTally counts what a run found of logins. All but the first two must be zero.
type LoginTally struct {
	// Acts were done to accounts and acknowledged: logins, returns, logouts, kicks, deletions, messages. Logins are those that
	// were made.
	Acts   int64 `json:"acts"`
	Logins int   `json:"logins"`
	// Served connections were answered or given a message more than 35 s after their logins had ended.
	Served int `json:"served_after_end"`
	// Returned logins came back by their token though their end had been acknowledged.
	Returned int `json:"returned_after_end"`
	// Refused logins were not taken back though nothing had ended them; Unserved ones are connected and were not given a message.
	Refused  int `json:"refused_without_end"`
	Unserved int `json:"unserved"`
}

func (l *LoginTally) faults() int { return l.Served + l.Returned + l.Refused + l.Unserved }

// checkLogins holds what is served on the nodes, as a client sees it, against what the store says and what was acknowledged.
func (t *torture) checkLogins(ctx context.Context) {
	t.report.Acts = t.acts.Load()
	var group sync.WaitGroup
	for _, b := range t.accounts {
		group.Go(func() { b.check(ctx) })
	}
	group.Wait()
	for _, b := range t.accounts {
		t.report.Logins += len(b.logins)
		t.report.findMany(&t.report.Refused, len(b.refusals), "%s: %s", b.user, first(b.refusals))
		t.report.findMany(&t.report.Served, len(b.served), "%s: %s", b.user, first(b.served))
		t.report.findMany(&t.report.Returned, len(b.returned), "%s: %s", b.user, first(b.returned))
		t.report.findMany(&t.report.Unserved, len(b.unserved), "%s: %s", b.user, first(b.unserved))
	}
}

func first(some []string) string {
	if len(some) == 0 {
		return ""
	}
	return some[0]
}

// check looks at one account's logins when nothing is done to it any more.
func (b *loginBook) check(ctx context.Context) {
	defer func() {
		for _, s := range b.sessions {
			s.close()
		}
	}()
	b.endServed(ctx)
	b.ask(ctx)
	b.endServed(ctx) // also of those that the store did not know
	b.ended(ctx)
	b.probe(ctx)
}

// endServed waits until nothing is served on connections whose logins have ended. Those that are served for longer than
// servedAfter are a fault.
func (b *loginBook) endServed(ctx context.Context) {
	const pause = 100 * time.Millisecond
	for {
		left := 0
		for _, s := range b.sessions {
			end, why := s.ended(now())
			if end.IsZero() || s.found || !s.served(ctx) {
				continue
			}
			left++
			if now().Sub(end) > servedAfter {
				b.find(s, "answered %v after %s", now().Sub(end).Round(time.Second), why)
			}
		}
		if left == 0 || wait(ctx, pause) != nil {
			return
		}
	}
}

// ended is when and by what the session's being served had to end; zero if it had not.
func (s *session) ended(at time.Time) (end time.Time, why string) {
	switch {
	case !s.over.IsZero():
		return s.over, s.why
	case !s.expires.IsZero() && at.After(s.expires.Add(time.Second)):
		return s.expires, "the end of its UserSig"
	}
	return time.Time{}, ""
}

// ask asks the store of every login that may stand, by coming back with its token.
func (b *loginBook) ask(ctx context.Context) {
	for i, l := range b.standing() {
		fresh, err := b.resume(ctx, l, i)
		if err != nil {
			b.refused(l, err)
			continue
		}
		for _, s := range l.at {
			s.end(now(), "its return on another connection")
		}
		l.enter(fresh)
		b.sessions = append(b.sessions, fresh)
	}
}

// ended tries to come back with the tokens of logins whose end was acknowledged.
func (b *loginBook) ended(ctx context.Context) {
	const newest = 20
	for i, l := range b.logins[max(0, len(b.logins)-newest):] {
		if l.over.IsZero() {
			continue
		}
		fresh, err := b.resume(ctx, l, i)
		if err == nil {
			fresh.close()
			b.returned = append(b.returned, "came back by its token after "+l.why)
		}
	}
}

// probe has the back end write to the account: who stands is given the message, and nobody else.
func (b *loginBook) probe(ctx context.Context) {
	const patience, rest = 10 * time.Second, 300 * time.Millisecond
	var standing []*session
	for _, l := range b.standing() {
		if l.on.there() && l.expires.Sub(now()) > patience {
			standing = append(standing, l.on)
		}
	}
	began := now()
	if err := b.tell(0).do(ctx); err != nil {
		b.unserved = append(b.unserved, fmt.Sprintf("could not be written to: %v", err))
		return
	}
	given := func(s *session) bool { return !s.lastPush().Before(began) }
	for _, s := range standing {
		if !until(ctx, patience, func() bool { return given(s) || !s.there() }) || !given(s) {
			b.unserved = append(b.unserved, "a connection on which nothing has ended the login was not given a message")
		}
	}
	_ = wait(ctx, rest) // for what should not come
	for _, s := range b.sessions {
		end, why := s.ended(began)
		// That calls are refused says that the server knows of the end, unless they are for the end of the UserSig.
		late := s.lastPush().Sub(end) > servedAfter || !s.over.IsZero() && began.Before(s.expires) && given(s)
		if !end.IsZero() && late {
			b.find(s, "given a message %v after %s", s.lastPush().Sub(end).Round(time.Second), why)
		}
	}
}

// find notes once that a session is served after its login's end.
func (b *loginBook) find(s *session, format string, args ...any) {
	if !s.found {
		s.found = true
		b.served = append(b.served, fmt.Sprintf(format, args...))
	}
}

// refused notes that a login was not taken back.
func (b *loginBook) refused(l *login, err error) {
	var refusal *client.Error
	if !errors.As(err, &refusal) || refusal.Code == int(im.CodeAccountInternal) { // a fault says nothing of the login
		l.unsure = true
		return
	}
	if !l.unsure && l.standing(now().Add(time.Second)) {
		b.refusals = append(b.refusals, fmt.Sprintf("nothing has ended a login on platform %d, and its return was refused: %v", l.platform, err))
	}
	l.end(now(), "the refusal of its return")
}
