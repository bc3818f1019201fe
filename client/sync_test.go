package client

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
)

// onePush is a pushed message as a server sends it.
const onePush = `{"EventArray":[{"Event":9,"C2cMsgArray":[{"From_Account":"bob","To_Account":"alice","MsgSeq":3526390001,` +
	`"MsgRandom":31622982,"MsgTimeStamp":1795238799,"MsgClientTime":1795238798,"TinyId":"144115227431211544",` +
	`"ClientSeq":3526390001,"From_AccountNick":"nick_bob","From_AccountHeadurl":"http://x/bob.png","MsgBody":[` +
	`{"MsgType":"TIMTextElem","MsgContent":{"Text":"hi alice"}}],"CloudCustomData":"","IsNeedReadReceipt":0,` +
	`"IsPeerRead":0,"SupportMessageExtension":0,"MsgVersion":0}]}]}`

func wire(from, to string, seq int) string {
	return fmt.Sprintf(`{"From_Account":%q,"To_Account":%q,"MsgSeq":%d,"MsgRandom":7,"MsgTimeStamp":100,
		"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"m%d"}}]}`, from, to, seq, seq)
}

func pushOf(messages ...string) string {
	return `{"EventArray":[{"Event":9,"C2cMsgArray":[` + strings.Join(messages, ",") + `]}]}`
}

// inbox is options that put what arrives into a channel as text.
func inbox(o Options) (Options, chan string) {
	arrived := make(chan string, 100)
	o.NoSync = false
	o.OnMessage = func(m Message) { arrived <- m.From + ">" + m.To + " " + m.Text() }
	o.OnRecalled = func(r Recalled) { arrived <- "recalled " + r.Key.String() + " by " + r.Revoker }
	o.OnEdited = func(m Message) {
		arrived <- fmt.Sprintf("edited %s>%s %s v%d %s", m.From, m.To, m.Key(), m.Version, m.Text())
	}
	o.OnReadByPeer = func(r ReadMark) { arrived <- fmt.Sprint("read by ", r.Peer, " ", r.Time) }
	o.OnPush = func(i RawEvent) { arrived <- fmt.Sprint("raw ", i.ServCmd, " ", i.Event, " ", string(i.Data)) }
	return o, arrived
}

func expect(t *testing.T, arrived chan string, want ...string) {
	t.Helper()
	for _, text := range want {
		if got := receive(t, arrived); got != text {
			t.Fatalf("arrived %q, want %q", got, text)
		}
	}
}

func TestMissedMessagesArriveOnce(t *testing.T) {
	p := newPeer(t)
	p.script = func(l *line, f frame) {
		switch body := string(f.Body); {
		case f.Head.ServCmd != cmdGetMsg:
			l.answer(f, `{"ErrorCode":0,"MsgTime":100}`)
		case strings.Contains(body, `"Cookie":""`):
			l.answer(f, `{"Cookie":"c1","SyncFlag":2,"MsgList":[`+wire("bob", "alice", 1)+`]}`)
		case l.index == 0:
			l.answer(f, `{"Cookie":"c1","SyncFlag":2,"MsgList":[`+wire("alice", "bob", 60)+`]}`)
		case strings.Contains(body, `"Cookie":"c1"`):
			l.answer(f, `{"Cookie":"c2","SyncFlag":1,"MsgList":[`+wire("bob", "alice", 2)+`,`+wire("bob", "alice", 3)+`]}`)
		case strings.Contains(body, `"Cookie":"c2","SyncFlag":1`):
			l.answer(f, `{"Cookie":"c3","SyncFlag":2,"MsgList":[`+wire("alice", "bob", 50)+`,`+wire("alice", "bob", 60)+`,
				{"From_Account":"bob","EventArray":[{"Event":10,"C2cNotifyMsgArray":[{"WithdrawC2cMsgNotify":{"C2cWithdrawInfoArray":[
				{"MsgSeq":9,"MsgRandom":8,"MsgTimeStamp":7,"RevokerInfo":{"Revoker_Account":"bob"}}]}}]},{"Event":18,"C2cMsgModNotifys":[`+
				strings.Replace(wire("bob", "alice", 3), `"MsgTimeStamp":100`, `"MsgTime":100,"MsgVersion":2`, 1)+`]}]},`+
				wire("bob", "alice", 4)+`],"EventArray":[{"Event":5,"GroupTips":[]}]}`)
		default:
			l.answer(f, `{"Cookie":"c3","SyncFlag":2,"MsgList":[]}`)
		}
	}
	o, arrived := inbox(p.options())
	c := p.dial(o)
	p.line(0).push(pushOf(wire("bob", "alice", 2)))
	// But not m1, which waited at the first login, nor m60, which another device had sent just before.
	expect(t, arrived, "bob>alice m2")
	// Our own message comes back in the sync below.
	if _, err := c.Send(testContext(t), Outgoing{To: "bob", Elements: []Element{Text("x")}, Seq: 50, Random: 7}); err != nil {
		t.Fatal(err)
	}
	p.line(0).drop()
	expect(t, arrived, "bob>alice m3", "recalled 9_8_7 by bob", "edited bob>alice 3_7_100 v2 m3", "bob>alice m4",
		`raw openim.getmsg 5 {"Event":5,"GroupTips":[]}`)
	if err := c.Sync(testContext(t)); err != nil || c.Cookie() != "c3" || len(arrived) != 0 {
		t.Errorf("cookie %s, %d more: %v", c.Cookie(), len(arrived), err)
	}
	if s := c.Stats(); s.Received != 3 || s.Duplicates != 2 {
		t.Errorf("stats %+v", s)
	}
}

func TestWhatWaitedAtLoginIsNoNewsLater(t *testing.T) {
	p := newPeer(t)
	p.script = func(l *line, f frame) {
		list := wire("bob", "alice", 1)
		if l.index > 0 {
			list += "," + wire("bob", "alice", 2)
		}
		l.answer(f, `{"Cookie":"c1","SyncFlag":2,"MsgList":[`+list+`]}`)
	}
	o, arrived := inbox(p.options())
	p.dial(o)
	p.line(0).drop()
	expect(t, arrived, "bob>alice m2")
	p.wait(cmdLogin, 2)
	p.line(1).push(pushOf(wire("bob", "alice", 1))) // sent after the login and before the sync: pushed too
	expect(t, arrived, "bob>alice m1")
}

func TestResumeFromCookieAndOffline(t *testing.T) {
	p := newPeer(t)
	p.script = func(l *line, f frame) {
		l.answer(f, `{"Cookie":"c1","SyncFlag":2,"MsgList":[`+wire("bob", "alice", 1)+`]}`)
	}
	o, arrived := inbox(p.options())
	o.Cookie = "c0"
	p.dial(o)
	expect(t, arrived, "bob>alice m1")
	if f := p.frames(cmdGetMsg)[0]; !strings.Contains(string(f.Body), `"Cookie":"c0"`) {
		t.Errorf("request %s", f.Body)
	}
	o.Cookie, o.DeliverOffline = "", true
	p.dial(o)
	expect(t, arrived, "bob>alice m1")
}

func TestFlagAsksForASync(t *testing.T) {
	p := newPeer(t)
	p.script = func(l *line, f frame) { l.answer(f, `{"Cookie":"c1","SyncFlag":2}`) }
	o, arrived := inbox(p.options())
	p.dial(o)
	p.line(0).push(`{"Flag":1,"EventArray":[{"Event":9,"C2cMsgArray":[` + wire("bob", "alice", 1) + `]}],"NeedAck":1,"SessionData":"s\"d"}`)
	expect(t, arrived, "bob>alice m1")
	if f := p.wait(cmdGetMsg, 3)[2]; !strings.Contains(string(f.Body), `"Cookie":"c1","SyncFlag":0,"NeedAbstract":1,"IsOnlineSync":1`) {
		t.Errorf("sync %s", f.Body)
	}
	if f := p.wait(cmdPushAck, 1)[0]; string(f.Body) != `{"SessionData":"s\"d"}` || f.Head.CS != 0 {
		t.Errorf("ack %s", f.Body)
	}
}

func TestFullWindowMovesTheCookieOn(t *testing.T) {
	p := newPeer(t)
	p.script = func(l *line, f frame) { l.answer(f, `{"Cookie":"c1","SyncFlag":2}`) }
	o, arrived := inbox(p.options())
	o.Window = 8
	p.dial(o)
	for i := range 4 {
		p.line(0).push(pushOf(wire("bob", "alice", i)))
		expect(t, arrived, fmt.Sprintf("bob>alice m%d", i))
	}
	p.wait(cmdGetMsg, 3)
}

func TestFailedSyncDoesNotKeepDialWaiting(t *testing.T) {
	p := newPeer(t)
	var asked atomic.Int32
	p.script = func(l *line, f frame) {
		asked.Add(1)
		l.answer(f, `{"ErrorCode":20004}`)
	}
	o, _ := inbox(p.options())
	c := p.dial(o)
	if err := c.Sync(testContext(t)); err == nil || asked.Load() != 2 || c.Cookie() != "" {
		t.Errorf("asked %d times: %v", asked.Load(), err)
	}
}

func TestPushesAreRouted(t *testing.T) {
	p := newPeer(t)
	p.script = func(l *line, f frame) { l.answer(f, `{"Cookie":"c1","SyncFlag":2}`) }
	o, arrived := inbox(p.options())
	p.dial(o)
	l := p.line(0)
	l.raw("no JSON")
	l.raw(`{"head":{"servcmd":"im_open_push.msg_push","seq":1}}`)
	l.push(`{"EventArray":7}`)
	l.push(`{"EventArray":[{"Event":9,"C2cMsgArray":[{"MsgSeq":"x"}]},{"Event":3,"GroupMsgArray":[{}]},
		{"Event":10,"C2cNotifyMsgArray":[{"C2cReadedReceipt":{"To_Account":"bob","UinPairReadArray":[{"LastReadTime":5}]}}]},
		{"Event":10,"C2cNotifyMsgArray":[{"MuteNotificationsSync":{}}]}]}`)
	l.push(pushOf(`{"From_Account":"bob","To_Account":"alice","IsSyncMsg":1,"MsgSeq":1,"MsgRandom":1,"MsgTimeStamp":1}`))
	l.raw(`{"head":{"servcmd":"im_sdk_config_mgr.push_configv2","seq":1},"body":{"uint64_version":1}}`)
	expect(t, arrived,
		`raw im_open_push.msg_push 3 {"Event":3,"GroupMsgArray":[{}]}`, "read by bob 5",
		`raw im_open_push.msg_push 10 {"Event":10,"C2cNotifyMsgArray":[{"MuteNotificationsSync":{}}]}`,
		"alice>bob ", `raw im_sdk_config_mgr.push_configv2 0 {"uint64_version":1}`)
}

func TestCompressedPush(t *testing.T) {
	p := newPeer(t)
	o, arrived := inbox(p.options())
	o.NoSync = true
	p.dial(o)
	frame := `{"head":{"servcmd":"im_open_push.msg_push","seq":1},"body":` + onePush + `}`
	p.line(0).raw(string(deflated(t, openGzip, frame)))
	p.line(0).raw(string(deflated(t, openZlib, strings.Replace(frame, "31622982", "31622983", 1))))
	expect(t, arrived, "bob>alice hi alice", "bob>alice hi alice")
}
