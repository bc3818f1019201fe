package client

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestDialLogsIn(t *testing.T) {
	p := newPeer(t)
	c := p.dial(p.options())
	login := p.frames(cmdLogin)[0]
	if login.Head.UserSig != "sig" || login.Head.Identifier != "alice" || login.Head.A2 != "" {
		t.Errorf("login %+v", login.Head)
	}
	for _, want := range []string{"sdkappid=1400000001", "platform=7", "compress=gzip", "instanceid=", "sdkversion=3.6.6"} {
		if query := p.line(0).query; !strings.Contains(query, want) {
			t.Errorf("query %s: no %s", query, want)
		}
	}
	p.wait(cmdAlive, 1)
	if c.TinyID() != "1441152" || c.State() != Connected || c.Stats().Connects != 1 {
		t.Errorf("tiny ID %s, state %v, stats %+v", c.TinyID(), c.State(), c.Stats())
	}
}

func TestDialFails(t *testing.T) {
	p := newPeer(t)
	p.onLogin = func(l *line, f frame) { l.answer(f, `{"ErrorCode":70003,"ErrorInfo":"bad sig"}`) }
	var refused *Error
	if _, err := Dial(t.Context(), p.options()); !errors.As(err, &refused) || refused.Code != 70003 {
		t.Errorf("error %v", err)
	}
	p.onLogin = func(l *line, f frame) { l.answer(f, `{"ErrorCode":70001}`) }
	o := p.options()
	o.OnKicked = func(KickReason) { t.Error("kicked") }
	if _, err := Dial(t.Context(), o); !errors.As(err, &refused) || refused.Code != 70001 {
		t.Errorf("error %v", err)
	}
	p.onLogin = func(*line, frame) {}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := Dial(ctx, p.options()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	if _, err := Dial(t.Context(), Options{URL: p.url}); err == nil {
		t.Error("no user and no error")
	}
}

func TestDialTriesEveryURL(t *testing.T) {
	p := newPeer(t)
	o := p.options()
	o.URL, o.URLs = "ws://127.0.0.1:1", []string{"http://no.websocket", p.url + "/"}
	p.dial(o)
	o.URLs = nil
	if _, err := Dial(t.Context(), o); err == nil {
		t.Error("connected to nothing")
	}
}

func TestSendIsResentUnchanged(t *testing.T) {
	p := newPeer(t)
	p.onLogin = func(l *line, f frame) {
		if l.index == 0 { // later logins are not answered before the send has come
			l.accept(f)
		}
	}
	p.script = func(l *line, f frame) {
		if l.index == 0 {
			l.drop()
			return
		}
		l.answer(f, `{"ErrorCode":0,"MsgTime":1795238919}`)
	}
	c := p.dial(p.options())
	sent, err := c.Send(testContext(t), Outgoing{To: "bob", Elements: []Element{Text("hi")}})
	if err != nil || sent.Time != 1795238919 || sent.To != "bob" || sent.From != "alice" {
		t.Fatalf("sent %+v: %v", sent, err)
	}
	sends, logins := p.frames(cmdSend), p.frames(cmdLogin)
	first, again := sends[0], sends[1]
	if first.Head.Seq != again.Head.Seq || string(first.Body) != string(again.Body) || first.Head.ReqTime != again.Head.ReqTime {
		t.Errorf("changed:\n%+v\n%+v", first, again)
	}
	if again.Head.A2 != "a2-0" || logins[1].Head.A2 != "a2-0" || logins[1].Head.UserSig != "" || logins[1].Head.InstID != 1001 {
		t.Errorf("login %+v", logins[1].Head)
	}
	if got := c.Stats().Resent; got != 1 {
		t.Errorf("resent %d", got)
	}
}

func TestPendingSendsKeepTheirOrder(t *testing.T) {
	p := newPeer(t)
	p.script = func(l *line, f frame) {
		if l.index > 0 {
			l.answer(f, `{"ErrorCode":0,"MsgTime":1}`)
		}
	}
	c := p.dial(p.options())
	const many = 200
	var done sync.WaitGroup
	send := func(from, to int) {
		for i := from; i < to; i++ {
			done.Add(1)
			err := c.SendAsync(Outgoing{To: "bob", Elements: []Element{Text("x")}, Seq: uint32(i + 1)}, func(_ Sent, err error) {
				if err != nil {
					t.Error(err)
				}
				done.Done()
			})
			if err != nil {
				t.Error(err)
			}
		}
	}
	send(0, many/2)
	p.wait(cmdSend, many/2)
	p.line(0).drop()
	send(many/2, many)
	done.Wait()
	next := 1
	for _, f := range p.frames(cmdSend) {
		if f.Line == 0 {
			continue
		}
		if want := fmt.Sprintf(`"MsgSeq":%d,`, next); !strings.Contains(string(f.Body), want) {
			t.Fatalf("%s: want %s", f.Body, want)
		}
		next++
	}
	if next != many+1 {
		t.Errorf("%d sends came", next-1)
	}
}

func TestNextURLAfterLoss(t *testing.T) {
	first, second := newPeer(t), newPeer(t)
	o := first.options()
	o.URLs = []string{second.url}
	c := first.dial(o)
	first.server.Listener.Close()
	first.dropAll()
	second.wait(cmdLogin, 1)
	if err := c.Call(testContext(t), "a.b", nil, nil); err != nil {
		t.Error(err)
	}
}

func TestNoReconnect(t *testing.T) {
	p := newPeer(t)
	o := p.options()
	o.NoReconnect = true
	p.script = func(l *line, f frame) { l.drop() }
	c := p.dial(o)
	if _, err := c.Send(testContext(t), Outgoing{To: "bob", Elements: []Element{Text("hi")}}); !errors.Is(err, ErrDisconnected) {
		t.Errorf("error %v", err)
	}
	receive(t, c.Done())
	if err := c.Call(testContext(t), "a.b", nil, nil); !errors.Is(err, ErrDisconnected) {
		t.Errorf("error %v", err)
	}
}

func TestExpiredSession(t *testing.T) {
	for _, where := range []string{"at login", "in an answer", "in an answer to a hello"} {
		t.Run(where, func(t *testing.T) {
			p := newPeer(t)
			p.onLogin = func(l *line, f frame) {
				if where == "at login" && f.Head.A2 != "" {
					l.answer(f, `{"ErrorCode":70001}`)
					return
				}
				l.accept(f)
			}
			p.script = func(l *line, f frame) {
				if l.index == 0 && where == "at login" {
					l.drop()
				} else if l.index == 0 && where == "in an answer" {
					l.answer(f, `{"ErrorCode":20002}`)
				} else if l.index == 0 {
					f.Head.ServCmd = cmdHello
					l.answer(f, `{"ErrorCode":70001}`)
				} else if f.Head.A2 != "a2-0" {
					l.answer(f, `{"ErrorCode":0,"MsgTime":5}`)
				}
			}
			var asked atomic.Int32
			o := p.options()
			o.UserSigFunc = func(context.Context) (string, error) { return fmt.Sprintf("sig-%d", asked.Add(1)), nil }
			c := p.dial(o)
			sent, err := c.Send(testContext(t), Outgoing{To: "bob", Elements: []Element{Text("hi")}})
			if err != nil || sent.Time != 5 || asked.Load() != 2 {
				t.Errorf("sent %+v, asked %d: %v", sent, asked.Load(), err)
			}
			logins := p.frames(cmdLogin)
			if last := logins[len(logins)-1]; last.Head.UserSig != "sig-2" {
				t.Errorf("login %+v", last.Head)
			}
		})
	}
}

func TestExpiredSessionWithoutAnotherSignature(t *testing.T) {
	p := newPeer(t)
	p.onLogin = func(l *line, f frame) {
		if f.Head.A2 != "" {
			l.answer(f, `{"ErrorCode":70001}`)
			return
		}
		l.accept(f)
	}
	kicked := make(chan KickReason, 2)
	o := p.options()
	o.OnKicked = func(r KickReason) { kicked <- r }
	c := p.dial(o)
	p.line(0).drop()
	if r := receive(t, kicked); r != KickedBySignature {
		t.Errorf("reason %v", r)
	}
	receive(t, c.Done())
	var reason KickReason
	if err := c.Call(testContext(t), "a.b", nil, nil); !errors.As(err, &reason) || reason != KickedBySignature {
		t.Errorf("error %v", err)
	}
}

func TestKicked(t *testing.T) {
	for reason, logouts := range map[KickReason]int{KickedByDevice: 1, KickedByPlatform: 1, KickedByAdmin: 0} {
		p := newPeer(t)
		p.script = func(l *line, f frame) {
			if f.Head.ServCmd == cmdLogout {
				l.answer(f, `{}`)
			}
		}
		kicked := make(chan KickReason, 2)
		o := p.options()
		o.OnKicked = func(r KickReason) { kicked <- r }
		c := p.dial(o)
		p.line(0).raw(fmt.Sprintf(`{"head":{"servcmd":"im_open_status.stat_forceoffline","seq":1},"body":{"EventArray":[
			{"Event":15,"C2cNotifyMsgArray":[{"KickoutMsgNotify":{"KickType":%d,"NewInstInfo":{"InstId":7}}}]}]}}`, reason))
		if r := receive(t, kicked); r != reason {
			t.Errorf("reason %v", r)
		}
		receive(t, c.Done())
		bodies := p.frames(cmdLogout)
		if len(bodies) != logouts || logouts == 1 && !strings.Contains(string(bodies[0].Body), `"wslogout_type":1`) {
			t.Errorf("%v: logouts %v", reason, bodies)
		}
		if len(p.frames(cmdLogin)) != 1 || len(kicked) != 0 || !errors.Is(c.Err(), reason) {
			t.Errorf("%v: %d logins, %v", reason, len(p.frames(cmdLogin)), c.Err())
		}
	}
}

func TestSilentServerIsLeft(t *testing.T) {
	p := newPeer(t)
	p.mute = true
	o := p.options()
	o.Heartbeat, o.HeartbeatTimeout = 20*time.Millisecond, 20*time.Millisecond
	p.dial(o)
	if alive := p.wait(cmdAlive, 3); string(alive[1].Body) != `{}` || alive[1].Head.CS != 0 {
		t.Errorf("heartbeat %+v", alive[1])
	}
	p.wait(cmdLogin, 2)
}

func TestHeartbeatKeepsTheConnection(t *testing.T) {
	p := newPeer(t)
	o := p.options()
	o.Heartbeat, o.HeartbeatTimeout = 10*time.Millisecond, 2*time.Second
	p.dial(o)
	p.wait(cmdAlive, 5)
	if n := len(p.frames(cmdLogin)); n != 1 {
		t.Errorf("%d logins", n)
	}
}

func TestHeartbeatSaysStayAway(t *testing.T) {
	p := newPeer(t)
	p.mute = true
	c := p.dial(p.options())
	p.line(0).answer(p.wait(cmdAlive, 1)[0], `{"ErrorCode":60002}`)
	receive(t, c.Done())
	if !errors.Is(c.Err(), KickedByServer) {
		t.Error(c.Err())
	}
}

func TestStates(t *testing.T) {
	p := newPeer(t)
	states := make(chan State, 10)
	o := p.options()
	o.OnState = func(s State) { states <- s }
	c := p.dial(o)
	p.line(0).drop()
	want := []State{Connecting, Connected, Disconnected, Connecting, Connected}
	for _, state := range want {
		if got := receive(t, states); got != state {
			t.Fatalf("state %v, want %v", got, state)
		}
	}
	if err := c.Logout(testContext(t)); err != nil {
		t.Error(err)
	}
	if got := receive(t, states); got != Disconnected || !errors.Is(c.Err(), ErrClosed) {
		t.Errorf("state %v, %v", got, c.Err())
	}
}

func TestOneGoroutineEach(t *testing.T) {
	p := newPeer(t)
	const many = 50
	before := runtime.NumGoroutine()
	for range many {
		p.dial(p.options())
	}
	p.wait(cmdAlive, many)
	// Two more for each are the peer's: the connection's own and that of net/http.
	deadline := now().Add(5 * time.Second)
	for runtime.NumGoroutine()-before > 2*many+5 && now().Before(deadline) {
		time.Sleep(10 * time.Millisecond)
	}
	if more := runtime.NumGoroutine() - before; more > 2*many+5 {
		t.Errorf("%d goroutines for %d clients and as many connections of the peer", more, many)
	}
}
