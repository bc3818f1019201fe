package bench

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/magpie-im/magpie/client"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/usersig"
)

// Kinds of devices of which an account may have one each at a time.
const (
	platformAndroid = 2
	platformWeb     = client.PlatformWeb
)

// login is one login of an account on a device, as the run knows it.
type login struct {
	platform int
	token    string
	tinyID   string
	instance int64
	expires  time.Time
	over     time.Time // when its end was acknowledged; zero while nothing has ended it
	why      string
	unsure   bool     // it met something that may have ended it: the store knows
	on       *session // the last connection that it was on
	at       []*session
}

// enter notes that the login is on a connection, which ends what it was on before.
func (l *login) enter(s *session) {
	s.expires = l.expires
	if l.on != nil {
		l.on.end(now(), "its return on another connection")
	}
	l.on, l.at = s, append(l.at, s)
	if !l.over.IsZero() { // an act at the same time has ended it
		s.end(l.over, l.why)
	}
}

// standing reports whether nothing has ended the login.
func (l *login) standing(at time.Time) bool { return l.over.IsZero() && at.Before(l.expires) }

func (l *login) end(at time.Time, why string) {
	if l.over.IsZero() {
		l.over, l.why = at, why
	}
	for _, s := range l.at {
		s.end(at, why)
	}
}

// byToken says who comes back.
func (l *login) byToken() map[string]any {
	return map[string]any{"a2": l.token, "tinyid": l.tinyID, "status_instid": l.instance}
}

// loginBook is what is known of one account whose logins come and end. Its acts are done one after the other, or two at
// once, which is told of them together; so it needs no lock.
type loginBook struct {
	user     string
	of       *torture
	chance   chance
	logins   []*login
	sessions []*session // connections, also those whose logins have ended

	refusals, served, returned, unserved []string // faults, as LoginTally has them
}

// act is something that is done to an account. do returns when it is acknowledged, and note writes down what that means:
// apart, because two acts may be done at once.
type act struct {
	name string
	do   func(ctx context.Context) error
	note func(err error)
	rank int    // acts that are done at once are noted by it: what ends all logins, what ends one, what ends none
	on   *login // which it treats; nil for none, or all
	made func() *login
}

// live does acts until ctx ends. An act that was begun is brought to its end.
func (b *loginBook) live(ctx context.Context) {
	const least, most = 20 * time.Millisecond, 200 * time.Millisecond
	for wait(ctx, b.chance.between(least, most)) == nil {
		acting, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
		if b.chance.one(4) {
			b.meet(acting, b.draw(), b.draw())
		} else {
			one := b.draw()
			one.note(b.counted(one, one.do(acting)))
		}
		cancel()
		b.prune()
	}
}

// meet does two acts at once. Where their order decides, only the store knows what came of it.
func (b *loginBook) meet(ctx context.Context, x, y *act) {
	if x.rank > y.rank {
		x, y = y, x
	}
	var other sync.WaitGroup
	var firstErr, secondErr error
	other.Go(func() { secondErr = y.do(ctx) })
	firstErr = x.do(ctx)
	other.Wait()
	x.note(b.counted(x, firstErr))
	y.note(b.counted(y, secondErr))
	for _, met := range []struct{ act, other *act }{{x, y}, {y, x}} {
		if met.act.made != nil && met.act.made() != nil && met.other.rank == endsMany {
			met.act.made().doubt()
		}
	}
	if x.on != nil && x.on == y.on && firstErr == nil && secondErr == nil {
		x.on.doubt()
	}
}

// Ranks of acts.
const (
	endsMany = iota
	endsOne
	endsNone
)

// doubt takes back what is known of the end of a login.
func (l *login) doubt() {
	l.over, l.why, l.unsure = time.Time{}, "", true
	for _, s := range l.at {
		s.over, s.why = time.Time{}, ""
	}
}

func (b *loginBook) counted(a *act, err error) error {
	if err != nil {
		b.of.failed(a.name, err)
	} else {
		b.of.acts.Add(1)
	}
	return err
}

// draw draws the next act. All that is drawn for it is drawn here.
func (b *loginBook) draw() *act {
	first := b.chance.IntN(len(b.of.stage.nodes))
	var l *login
	if standing := b.standing(); len(standing) > 0 {
		l = of(b.chance, standing)
	}
	switch draw := b.chance.IntN(20); {
	case draw < 8 || l == nil && draw < 14:
		return b.comeIn(first)
	case draw < 12:
		if b.chance.one(2) {
			l.on.close() // else it comes back beside its former connection
		}
		return b.comeBack(l, first)
	case draw < 13:
		return b.leave(l)
	case draw < 14:
		l.on.close()
		return b.comeBack(l, first)
	case draw < 16:
		return b.tell(first)
	case draw < 18:
		return b.kick(first)
	default:
		return b.remove(first)
	}
}

func (b *loginBook) standing() []*login {
	var some []*login
	at := now()
	for _, l := range b.logins {
		if l.standing(at) {
			some = append(some, l)
		}
	}
	return some
}

// comeIn logs the account in with a new UserSig, which for some ends soon. It ends a login on the same kind of device.
func (b *loginBook) comeIn(first int) *act {
	const short, long = 4, 24 * 3600
	platform := of(b.chance, []int{platformWeb, platformWeb, platformAndroid})
	lifetime := time.Duration(long+b.chance.IntN(long)) * time.Second // no two signatures of one second are the same
	if b.chance.one(6) && b.of.ClockSteps == 0 {                      // else only the server knows when it ends
		lifetime = time.Duration(2+b.chance.IntN(short)) * time.Second
	}
	var fresh *login
	return &act{
		name: "login", rank: endsMany, made: func() *login { return fresh },
		do: func(ctx context.Context) error {
			return b.insist(ctx, first, func(ctx context.Context, n *node) (err error) {
				fresh, err = b.logIn(ctx, n, platform, lifetime)
				return err
			})
		},
		note: func(err error) {
			for _, l := range b.standing() {
				switch {
				case err != nil: // an attempt without an answer may have succeeded
					l.unsure = true
				case l.platform == platform:
					l.end(now(), "another login on the same kind of device")
				}
			}
			if err != nil {
				return
			}
			b.logins, b.sessions = append(b.logins, fresh), append(b.sessions, fresh.on)
		},
	}
}

func (b *loginBook) logIn(ctx context.Context, n *node, platform int, lifetime time.Duration) (*login, error) {
	there := b.of.stage.target()
	at := now()
	sig, err := usersig.Sign(there.app, there.key, b.user, lifetime, at)
	if err != nil {
		return nil, err
	}
	s, err := there.open(ctx, n.address, platform, nil)
	if err != nil {
		return nil, err
	}
	a, err := s.logIn(ctx, map[string]any{"identifier": b.user, "usersig": sig, "platform": platform})
	if err != nil {
		s.close()
		return nil, err
	}
	l := &login{platform: platform, token: a.Token, tinyID: a.TinyID, instance: a.Instance, expires: at.Add(lifetime).Truncate(time.Second)}
	l.enter(s)
	return l, nil
}

// comeBack brings a login to another connection by its token. The former connection ends by it.
func (b *loginBook) comeBack(l *login, first int) *act {
	var fresh *session
	return &act{
		name: "return", rank: endsNone, on: l,
		do: func(ctx context.Context) (err error) {
			fresh, err = b.resume(ctx, l, first)
			return err
		},
		note: func(err error) {
			if err != nil {
				b.refused(l, err)
				return
			}
			l.enter(fresh)
			b.sessions = append(b.sessions, fresh)
		},
	}
}

// resume returns the connection to which the login came back.
func (b *loginBook) resume(ctx context.Context, l *login, first int) (fresh *session, err error) {
	err = b.insist(ctx, first, func(ctx context.Context, n *node) error {
		there := b.of.stage.target()
		s, err := there.open(ctx, n.address, l.platform, nil)
		if err != nil {
			return err
		}
		if _, err := s.logIn(ctx, l.byToken()); err != nil {
			s.close()
			return err
		}
		fresh = s
		return nil
	})
	return fresh, err
}

// leave logs a device out by itself.
func (b *loginBook) leave(l *login) *act {
	return &act{
		name: "logout", rank: endsOne, on: l,
		do: func(ctx context.Context) error {
			_, err := l.on.call(ctx, nil, "im_open_status.wslogout", map[string]any{"wslogout_type": 0, "is_web_uniapp": 0})
			return err
		},
		note: func(err error) {
			if err != nil || l.unsure { // its connection may have been lost before, or be another by now
				l.unsure = true
				return
			}
			l.end(now(), "its logout")
		},
	}
}

// tell has the back end write to the account, which its devices are pushed.
func (b *loginBook) tell(first int) *act {
	random := b.chance.Uint32()
	return &act{
		name: "sendmsg", rank: endsNone,
		do: func(ctx context.Context) error {
			return b.rest(ctx, first, "openim/sendmsg", map[string]any{
				"From_Account": im.DefaultAdmin, "To_Account": b.user, "MsgRandom": random, "SyncOtherMachine": 2,
				"MsgBody": []any{map[string]any{"MsgType": "TIMTextElem", "MsgContent": map[string]any{"Text": "are you there"}}},
			})
		},
		note: func(error) {},
	}
}

// kick has the back end end all logins of the account.
func (b *loginBook) kick(first int) *act {
	return &act{
		name: "kick", rank: endsMany,
		do: func(ctx context.Context) error {
			return b.rest(ctx, first, "im_open_login_svc/kick", map[string]any{"UserID": b.user})
		},
		note: func(err error) { b.endAll(err, "a kick") },
	}
}

// remove deletes the account, and makes it again.
func (b *loginBook) remove(first int) *act {
	return &act{
		name: "deletion", rank: endsMany,
		do: func(ctx context.Context) error {
			err := b.rest(ctx, first, "im_open_login_svc/account_delete", map[string]any{"DeleteItem": []any{map[string]any{"UserID": b.user}}})
			if err != nil {
				return err
			}
			return b.rest(ctx, first, "im_open_login_svc/account_import", map[string]any{"UserID": b.user})
		},
		note: func(err error) { b.endAll(err, "the account's deletion") },
	}
}

// endAll notes that what ends all logins was acknowledged, or that nobody knows.
func (b *loginBook) endAll(err error, why string) {
	for _, l := range b.standing() {
		if err != nil {
			l.unsure = true
		} else {
			l.end(now(), why)
		}
	}
}

// rest calls the REST door of one node after the other until it is answered.
func (b *loginBook) rest(ctx context.Context, first int, command string, body any) error {
	return b.insist(ctx, first, func(ctx context.Context, n *node) error {
		admin, err := b.of.stage.backEnd(n)
		if err != nil {
			return err
		}
		var ignored struct{}
		return admin.call(ctx, command, body, &ignored)
	})
}

// insist makes a call until it is answered, at one node after the other: one that was killed answers nothing.
func (b *loginBook) insist(ctx context.Context, first int, call func(ctx context.Context, n *node) error) error {
	return insist(ctx, b.of.stage.nodes, first, call)
}

func insist(ctx context.Context, nodes []*node, first int, call func(ctx context.Context, n *node) error) error {
	const pause = 20 * time.Millisecond
	for try := first; ; try++ {
		calling, cancel := context.WithTimeout(ctx, sessionPatience)
		err := call(calling, nodes[try%len(nodes)])
		cancel()
		var refusal *client.Error
		if err == nil || errors.As(err, &refusal) {
			return err
		}
		if wait(ctx, pause) != nil {
			return err
		}
	}
}

// prune lets go of the oldest connections.
func (b *loginBook) prune() {
	const most = 64
	for len(b.sessions) > most {
		b.sessions[0].close()
		b.sessions = b.sessions[1:]
	}
}
