package client

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
)

func silent(*line, frame) {}

func TestCallRoundTrip(t *testing.T) {
	p := newPeer(t)
	p.script = func(l *line, f frame) { l.answer(f, `{"ErrorCode":0,"GroupId":"g","GroupID":"other"}`) }
	c := p.dial(p.options())
	var rep struct {
		GroupID string `json:"GroupId"`
	}
	body := struct{ Type string }{"Public"}
	if err := c.Call(testContext(t), "group_open_http_svc.create_group", body, &rep); err != nil || rep.GroupID != "g" {
		t.Fatalf("reply %+v: %v", rep, err)
	}
	f := p.frames("group_open_http_svc.create_group")[0]
	if string(f.Body) != `{"Type":"Public"}` || f.Head.CS != checksum(f.Body) {
		t.Errorf("request %s cs %d", f.Body, f.Head.CS)
	}
	var raw json.RawMessage
	if err := c.Call(testContext(t), "a.b", []byte(`{"raw":1}`), &raw); err != nil || !strings.Contains(string(raw), "other") {
		t.Errorf("raw %s: %v", raw, err)
	}
	if err := c.Call(testContext(t), "a.b", json.RawMessage(`{`), nil); err == nil {
		t.Error("a body that is no JSON was sent")
	}
}

func TestServerErrors(t *testing.T) {
	p := newPeer(t)
	p.script = func(l *line, f frame) { l.answer(f, `{"ActionStatus":"FAIL","ErrorCode":20006,"ErrorInfo":"vetoed"}`) }
	c := p.dial(p.options())
	_, err := c.Send(testContext(t), Outgoing{To: "bob", Elements: []Element{Text("hi")}})
	var refused *Error
	if !errors.As(err, &refused) || refused.Code != 20006 || refused.Info != "vetoed" {
		t.Errorf("error %v", err)
	}
}

func TestContextEndsACall(t *testing.T) {
	p := newPeer(t)
	p.script = silent
	c := p.dial(p.options())
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	sent, err := c.Send(ctx, Outgoing{To: "bob", Elements: []Element{Text("hi")}})
	if !errors.Is(err, context.DeadlineExceeded) || sent.Seq == 0 || sent.Random == 0 {
		t.Errorf("sent %+v: %v", sent, err)
	}
	if n := len(c.pending); n != 0 {
		t.Errorf("%d pending", n)
	}
}

func TestPendingIsBounded(t *testing.T) {
	p := newPeer(t)
	p.script = silent
	o := p.options()
	o.MaxPending, o.MaxFrame, o.CallTimeout = 2, 1000, 50*time.Millisecond
	c := p.dial(o)
	out := Outgoing{To: "bob", Elements: []Element{Text("hi")}}
	late := make(chan error, 2)
	for range 2 {
		if err := c.SendAsync(out, func(_ Sent, err error) { late <- err }); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.SendAsync(out, nil); !errors.Is(err, ErrBusy) {
		t.Errorf("third: %v", err)
	}
	for range 2 {
		if err := receive(t, late); !errors.Is(err, ErrTimeout) {
			t.Errorf("late: %v", err)
		}
	}
	out.Elements = []Element{Text(strings.Repeat("x", 1000))}
	if err := c.SendAsync(out, nil); !errors.Is(err, ErrTooLarge) {
		t.Errorf("large: %v", err)
	}
}

func TestCloseFailsPendingCalls(t *testing.T) {
	p := newPeer(t)
	p.script = silent
	c := p.dial(p.options())
	failed := make(chan error, 1)
	go func() {
		_, err := c.Send(context.Background(), Outgoing{To: "bob", Elements: []Element{Text("hi")}})
		failed <- err
	}()
	p.wait(cmdSend, 1)
	_ = c.Close()
	if err := receive(t, failed); !errors.Is(err, ErrClosed) {
		t.Errorf("error %v", err)
	}
	receive(t, c.Done())
	if err := c.Sync(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("error %v", err)
	}
}

func TestOverloadedCommandIsSpared(t *testing.T) {
	p := newPeer(t)
	c := p.dial(p.options())
	p.line(0).raw(`{"head":{"servcmd":"OverLoadPush.notify2","seq":1},"body":{"OverLoadServCmd":"a.b","DelaySecs":60}}`)
	if err := c.Call(testContext(t), "c.d", nil, nil); err != nil { // its answer comes after the push
		t.Fatal(err)
	}
	var refused *Error
	if err := c.Call(testContext(t), "a.b", nil, nil); !errors.As(err, &refused) || refused.Code != codeOverload {
		t.Errorf("error %v", err)
	}
}

func TestManySendersAtOnce(t *testing.T) {
	p := newPeer(t)
	p.script = func(l *line, f frame) {
		if f.Head.Seq%97 == 0 && l.index < 5 {
			l.drop()
			return
		}
		l.answer(f, `{"ErrorCode":0,"MsgTime":1}`)
	}
	c := p.dial(p.options())
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 100 {
				if _, err := c.Send(testContext(t), Outgoing{To: "bob", Elements: []Element{Text("hi")}}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	distinct := make(map[string]bool)
	for _, f := range p.frames(cmdSend) {
		distinct[string(f.Body)] = true
	}
	if len(distinct) != 800 {
		t.Errorf("%d different sends", len(distinct))
	}
}

func TestHistoryPages(t *testing.T) {
	p := newPeer(t)
	p.script = func(l *line, f frame) {
		if strings.Contains(string(f.Body), `"MsgKey":""`) {
			l.answer(f, `{"Complete":0,"MsgList":[{"MsgSeq":3},{"MsgSeq":4}],"LastMsgTime":30,"MsgKey":"3_1_30"}`)
			return
		}
		l.answer(f, `{"Complete":1,"MsgList":[{"MsgSeq":1},{"MsgSeq":2}],"LastMsgTime":10,"MsgKey":"1_1_10"}`)
	}
	c := p.dial(p.options())
	want := uint32(4)
	for m, err := range c.Messages(testContext(t), "bob", HistoryQuery{}) {
		if err != nil || m.Seq != want {
			t.Fatalf("message %d, want %d: %v", m.Seq, want, err)
		}
		want--
	}
	requests := p.frames("openim.getroammsg")
	const second = `{"Peer_Account":"bob","MaxCnt":15,"LastMsgTime":30,"MsgKey":"3_1_30","WithRecalledMsg":1,"GetDirection":0}`
	if len(requests) != 2 || string(requests[1].Body) != second {
		t.Errorf("requests %s", requests[1].Body)
	}
}

func TestSmallCalls(t *testing.T) {
	p := newPeer(t)
	answers := map[string]string{
		"openim.getmsg":             `{"Cookie":"c","SyncFlag":2,"C2CPairUnreadCount":[{"From_Account":"bob","UnreadCount":3},{"From_Account":"eve","UnreadCount":0}]}`,
		"openim.get_peer_read_time": `{"ReadTime":[77]}`,
		"profile.portrait_get_all": `{"UserProfileItem":[{"To_Account":"bob","ProfileItem":[{"Tag":"Tag_Profile_IM_Nick","Value":"Bob"},
			{"Tag":"Tag_Profile_IM_Level","Value":3}]},{"To_Account":"@TLS#NOT_FOUND"}]}`,
		"recentcontact.page_get": `{"CompleteFlag":1,"SessionItem":[{"Type":1,"To_Account":"bob","C2cNick":"Bob","UnreadMsgCount":1,"MsgSeq":3529300001},
			{"Type":2,"ToAccount":"g","UnreadMsgCount":5,"GroupIgnoredUnreadSeqCount":2}]}`,
	}
	p.script = func(l *line, f frame) {
		if body, known := answers[f.Head.ServCmd]; known {
			l.answer(f, body)
			return
		}
		l.answer(f, `{"ErrorCode":0}`)
	}
	c, ctx := p.dial(p.options()), testContext(t)
	if unread, err := c.Unread(ctx); err != nil || len(unread) != 1 || unread["bob"] != 3 {
		t.Errorf("unread %v: %v", unread, err)
	}
	if at, err := c.PeerReadTime(ctx, "bob"); err != nil || at != 77 {
		t.Errorf("read time %d: %v", at, err)
	}
	users, err := c.Profile(ctx, "bob", "nobody")
	if err != nil || len(users) != 1 || users[0].Nick() != "Bob" || users[0].Fields[TagLevel] != int64(3) {
		t.Errorf("profiles %v: %v", users, err)
	}
	list, err := c.Conversations(ctx)
	if err != nil || len(list) != 2 || list[0].ID != "bob" || list[1].ID != "g" || list[1].Unread != 3 {
		t.Errorf("conversations %+v: %v", list, err)
	}
	if err := errors.Join(c.MarkRead(ctx, "bob", 9), c.Recall(ctx, Sent{From: "alice", To: "bob", Seq: 1, Random: 2, Time: 3}.Message()),
		c.SetProfile(ctx, map[string]any{TagNick: "Al"})); err != nil {
		t.Error(err)
	}
	for cmd, want := range map[string]string{
		"openim.msgreaded":     `{"C2CMsgReaded":{"Cookie":"","C2CMsgReadedItem":[{"To_Account":"bob","LastedMsgTime":9,"Receipt":1}]}}`,
		"openim.msgwithdraw":   `{"MsgInfo":{"From_Account":"alice","To_Account":"bob","MsgTimeStamp":3,"MsgSeq":1,"MsgRandom":2}}`,
		"profile.portrait_set": `{"ProfileItem":[{"Tag":"Tag_Profile_IM_Nick","Value":"Al"}]}`,
		"openim.getmsg":        `{"Cookie":"","SyncFlag":0,"NeedAbstract":1,"IsOnlineSync":0,"NeedSignaling":1,"NeedCachedMsg":1}`,
	} {
		if got := p.frames(cmd); len(got) != 1 || string(got[0].Body) != want {
			t.Errorf("%s: %s", cmd, got[0].Body)
		}
	}
}
