package client

import (
	"errors"
	"strings"
	"testing"
)

// What a send to a group says, and what its answer brings.
func TestGroupSend(t *testing.T) {
	p := newPeer(t)
	p.script = func(l *line, f frame) {
		l.answer(f, `{"ErrorCode":0,"MsgTime":7,"MsgSeq":3,"MsgDropReason":"rate"}`)
	}
	c := p.dial(p.options())
	out := Outgoing{
		Group: "@TGS#_team", Elements: []Element{Text("hi")}, Seq: 5, Random: 6, ClientTime: 4, CloudCustomData: "own",
		Priority: "High", OnlineOnly: true, NeedReadReceipt: true,
	}
	sent, err := c.Send(testContext(t), out)
	if want := (Sent{From: "alice", Group: "@TGS#_team", Seq: 5, Random: 6, Time: 7, ClientTime: 4, Sequence: 3, Dropped: "rate"}); err != nil || sent != want {
		t.Errorf("sent %+v, %v", sent, err)
	}
	const want = `{"From_Account":"alice","GroupId":"@TGS#_team","Random":6,"ClientSeq":5,"MsgPriority":"High",` +
		`"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hi"}}],"CloudCustomData":"own","MsgClientTime":4,` +
		`"NeedReadReceipt":1,"SupportMessageExtension":0,"IsRelayMsg":0,"OnlineOnlyFlag":1}`
	if asked := p.wait("million_group_open_http_svc.send_group_msg", 1); string(asked[0].Body) != want {
		t.Errorf("request %s", asked[0].Body)
	}
	out.To = "bob"
	if _, err := c.Send(testContext(t), out); !errors.Is(err, errEmpty) {
		t.Errorf("a message to two receivers: %v", err)
	}
}

// A page has messages, those that are not there any more, and tips, whose body is no list.
func TestGroupHistoryPages(t *testing.T) {
	p := newPeer(t)
	p.script = func(l *line, f frame) {
		if !strings.Contains(string(f.Body), `"ReqMsgSeq"`) {
			l.answer(f, `{"IsFinished":0,"NextReqMsgSeq":2,"RspMsgList":[
				{"GroupId":"g","MsgSeq":4,"Event":4,"MsgBody":{"OpType":1}},
				{"GroupId":"g","MsgSeq":3,"MsgBody":[],"IsPlaceMsg":2}]}`)
			return
		}
		l.answer(f, `{"IsFinished":2,"NextReqMsgSeq":0,"RspMsgList":[
			{"GroupId":"g","MsgSeq":2,"MsgBody":[],"IsPlaceMsg":1},
			{"GroupId":"g","MsgSeq":1,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hi"}}],"MsgPriority":2}]}`)
	}
	c := p.dial(p.options())
	var all []GroupMessage
	for m, err := range c.GroupMessages(testContext(t), "g", GroupQuery{Limit: 2}) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	if len(all) != 4 || string(all[0].Tip) != `{"OpType":1}` || !all[1].Recalled || !all[2].Hidden || all[3].Text() != "hi" {
		t.Errorf("messages %+v", all)
	}
	const second = `{"GroupId":"g","ReqMsgNumber":2,"ReqMsgSeq":2,"WithRecalledMsg":1}`
	if asked := p.frames("group_open_http_svc.group_msg_get"); len(asked) != 2 || string(asked[1].Body) != second {
		t.Errorf("requests %+v", asked)
	}
}

// A group's messages go to their callback, or with everything else to OnPush if there is none.
func TestGroupPushes(t *testing.T) {
	const event = `{"EventArray":[{"Event":3,"GroupMsgArray":[{"GroupId":"g","MsgSeq":8,"From_Account":"bob","GroupInfo":{"From_AccountNick":"Bob",` +
		`"MsgFrom_AccountExtraInfo":{"NameCard":"B"}},"MsgPriority":"Normal","MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hi"}}]}]}]}`
	p := newPeer(t)
	messages, others := make(chan GroupMessage, 9), make(chan RawEvent, 9)
	o := p.options()
	o.OnPush = func(e RawEvent) { others <- RawEvent{ServCmd: e.ServCmd, Event: e.Event, Data: e.Data.Clone()} }
	p.dial(o)
	p.line(0).push(event)
	if got := receive(t, others); got.Event != 3 || !strings.Contains(string(got.Data), `"GroupMsgArray"`) {
		t.Errorf("event %+v", got)
	}
	o.OnGroupMessage = func(m GroupMessage) { messages <- m }
	p.dial(o)
	p.line(1).push(event)
	if got := receive(t, messages); got.Sequence != 8 || got.From != "bob" || got.FromNick != "Bob" || got.NameCard != "B" || got.Text() != "hi" {
		t.Errorf("message %+v", got)
	}
	p.line(1).push(event) // as a server does whose node died before it answered the sender
	p.line(1).push(strings.Replace(event, `"MsgSeq":8`, `"MsgSeq":9`, 1))
	if got := receive(t, messages); got.Sequence != 9 {
		t.Errorf("message %+v", got)
	}
	if len(others) != 0 {
		t.Error("the message went to OnPush too")
	}
}
