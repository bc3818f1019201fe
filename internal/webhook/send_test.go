package webhook_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/magpie-im/magpie/magpietest"
)

// texted is an answer that rewrites the message into one text element.
func texted(text string) string {
	body, _ := json.Marshal(M{"ErrorCode": 0, "MsgBody": magpietest.Text(text)})
	return string(body)
}

// The receiver, the history and the later callback have what the back end made of the message; an answer that makes no
// valid message of it changes nothing of it.
func TestRewriting(t *testing.T) {
	t.Parallel()
	s := magpietest.Enter(t)
	st := enter(t, s, beforeSend+","+afterSend)
	huge := strings.Repeat("x", 20<<10)
	var kept []string
	for i, c := range []struct{ answer, text, data string }{
		{texted("rewritten"), "rewritten", "data"},
		{`{"ErrorCode":0,"MsgBody":[{"MsgType":"TIMFaceElem","MsgContent":{"Index":1,"Data":"d"}}]}`, "[TIMFaceElem]", "data"},
		{`{"ErrorCode":0,"CloudCustomData":"other"}`, "said", "other"},
		{`{"ErrorCode":0,"CloudCustomData":""}`, "said", "data"}, // as typed languages answer
		{`{"ErrorCode":0,"CloudCustomData":null,"MsgBody":null}`, "said", "data"},
		{`{"ErrorCode":0,"CloudCustomData":"a\u0000b","MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"c\u0000d"}}]}`, "", "ab"},
		// Senseless, as a whole: the policy is to deliver.
		{`{"ErrorCode":0,"CloudCustomData":"x","MsgBody":[]}`, "said", "data"},
		{`{"ErrorCode":0,"CloudCustomData":"x","MsgBody":"text"}`, "said", "data"},
		{`{"ErrorCode":0,"CloudCustomData":"x","MsgBody":[{"MsgType":"TIMNoElem","MsgContent":{}}]}`, "said", "data"},
		{`{"ErrorCode":0,"CloudCustomData":"x","MsgBody":[{"MsgType":"TIMTextElem"}]}`, "said", "data"},
		{texted("ok")[:1] + `"CloudCustomData":5,` + texted("ok")[1:], "said", "data"},
		{texted(huge), "said", "data"},
		{`{"ErrorCode":0,"CloudCustomData":"` + huge + `"}`, "said", "data"},
		// A refusal wins over the content.
		{`{"ErrorCode":120002,"ErrorInfo":"no","MsgBody":[]}`, "refused", ""},
	} {
		saying(st.back, beforeSend, c.answer)
		for _, d := range st.doors() {
			e, _ := d.send(t, magpietest.With(magpietest.Message("alice", "bob", "said"), M{"CloudCustomData": "data"}))
			if c.text == "refused" {
				if e.ErrorCode != 120002 || len(st.back.Calls(afterSend)) != len(kept) {
					t.Errorf("%d: the sender is answered %+v, the back end told of %d", i, e, len(st.back.Calls(afterSend)))
				}
				st.bob.SeesNothing(t)
				continue
			}
			calls := st.back.Gets(t, afterSend, len(st.back.Calls(beforeSend)))
			after := readTold(t, calls[len(calls)-1])
			pushes := st.bob.Pushes(t)
			if e.ErrorCode != 0 || len(pushes) != 1 {
				t.Fatalf("%d: the sender is answered %+v, bob sees %v", i, e, pushes)
			}
			got := pushes[0].Messages[0]
			kept = append(kept, got.Text())
			if c.text != "" && got.Text() != c.text || got.CloudCustomData != c.data {
				t.Errorf("%d %s: bob sees %s %.20q", i, d.name, got.String(), got.CloudCustomData)
			}
			if after.text() != got.Text() || after.CloudCustomData != got.CloudCustomData {
				t.Errorf("%d %s: the back end is told %.200s", i, d.name, calls[len(calls)-1].Body)
			}
		}
	}
	if got := st.history(t); !slices.Equal(got, kept) {
		t.Errorf("the history is %q, want %q", got, kept)
	}
}

// A rewriting that cannot be used refuses the message where that is the policy.
func TestUselessRewritingRefuses(t *testing.T) {
	t.Parallel()
	st := enter(t, magpietest.Enter(t), beforeSend, "webhook.on_timeout", "refuse")
	for _, answer := range []string{`{"ErrorCode":0,"MsgBody":[]}`, texted(strings.Repeat("x", 20<<10)), `{"ErrorCode":0,"CloudCustomData":{}}`} {
		saying(st.back, beforeSend, answer)
		for _, d := range st.doors() {
			if e, _ := d.send(t, magpietest.Message("alice", "bob", "said")); e.ErrorCode != 80003 {
				t.Errorf("%.40s: answered %+v, want 80003", answer, e)
			}
		}
	}
	st.bob.SeesNothing(t)
}

// A back end that takes longer than two seconds has not answered.
func TestSlowAnswer(t *testing.T) {
	t.Parallel()
	for policy, code := range map[string]int{"deliver": 0, "refuse": 80003} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			st := enter(t, magpietest.Enter(t), beforeSend+","+afterSend, "webhook.on_timeout", policy)
			roughly(st.back, beforeSend, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
			started := time.Now()
			e, _ := st.doors()[0].send(t, magpietest.Message("alice", "bob", "hi"))
			if took := time.Since(started); e.ErrorCode != code || took < 1900*time.Millisecond || took > 4*time.Second {
				t.Errorf("answered %+v after %v, want %d after 2 s", e, took, code)
			}
			if one := readTold(t, st.back.Gets(t, afterSend, 1)[0]); one.SendMsgResult != code {
				t.Errorf("the back end is told %+v", one)
			}
			if policy == "deliver" {
				st.bob.Sees(t, "alice → bob: hi")
			} else {
				st.bob.SeesNothing(t)
			}
		})
	}
}

// A REST caller may switch callbacks off for one message; a client may not, or it could go around its back end.
func TestForbidCallbackControl(t *testing.T) {
	t.Parallel()
	s := magpietest.Enter(t)
	st := enter(t, s, beforeSend+","+afterSend)
	const noBefore, noAfter = "ForbidBeforeSendMsgCallback", "ForbidAfterSendMsgCallback"
	before, after := 0, 0
	for _, c := range []struct {
		forbid        []string
		before, after int
	}{
		{nil, 1, 1}, {[]string{noBefore}, 0, 1}, {[]string{noAfter}, 1, 0}, {[]string{noBefore, noAfter}, 0, 0},
		{[]string{"Other"}, 1, 1},
	} {
		for _, d := range st.doors() {
			text := fmt.Sprint(d.name, c.forbid)
			if e, _ := d.send(t, magpietest.With(magpietest.Message("alice", "bob", text), M{"ForbidCallbackControl": c.forbid})); e.ErrorCode != 0 {
				t.Errorf("%s: answered %+v", text, e)
			}
			st.bob.Sees(t, "alice → bob: "+text)
			if d.name == "client" {
				before, after = before+1, after+1
			} else {
				before, after = before+c.before, after+c.after
			}
			st.back.Gets(t, beforeSend, before)
			st.back.Gets(t, afterSend, after)
		}
	}
	// One callback that is not forbidden comes behind all that were.
	st.Send(t, "alice", "bob", "last")
	st.back.Gets(t, afterSend, after+1)
}

// What a back end imports or sends to many fires nothing.
func TestImportsAndBatchesFireNothing(t *testing.T) {
	t.Parallel()
	st := enter(t, magpietest.Enter(t), "C2C.CallbackBeforeSendMsg,C2C.CallbackAfterSendMsg,C2C.CallbackAfterMsgReport")
	saying(st.back, beforeSend, `{"ErrorCode":1}`)
	st.MustREST(t, "openim/batchsendmsg", M{
		"From_Account": "alice", "To_Account": []string{"bob"}, "MsgRandom": 1, "MsgBody": magpietest.Text("batch"),
	}, nil)
	st.MustREST(t, "openim/importmsg", M{
		"From_Account": "alice", "To_Account": "bob", "MsgRandom": 2, "MsgTimeStamp": time.Now().Unix() - 100, "SyncFromOldSystem": 1,
		"MsgBody": magpietest.Text("import"),
	}, nil)
	st.back.Says(magpietest.OK)
	st.Send(t, "alice", "bob", "asked and told")
	after := readTold(t, st.back.Gets(t, afterSend, 1)[0])
	if after.text() != "asked and told" || len(st.back.Calls("")) != 2 {
		t.Errorf("the back end got %+v", st.back.Calls(""))
	}
}

// A message for whoever is online is asked about and told of, and stored nowhere.
func TestOnlineOnly(t *testing.T) {
	t.Parallel()
	magpietest.Shared(t, func(t *testing.T, s *Server) {
		st := enter(t, s, beforeSend+","+afterSend)
		st.Send(t, "alice", "bob", "stored")
		st.bob.Sees(t, "alice → bob: stored")
		want := []string{"stored"}
		for _, d := range st.doors() {
			for _, c := range []struct {
				answer, told, sees string
				code               int
			}{
				{magpietest.OK, d.name, "alice → bob: " + d.name + " (online only)", 0},
				{texted("rewritten"), "rewritten", "alice → bob: rewritten (online only)", 0},
				{`{"ErrorCode":2}`, "", "", 0},
				{`{"ErrorCode":1}`, "", "", 20006},
			} {
				saying(st.back, beforeSend, c.answer)
				e, sent := d.send(t, magpietest.With(magpietest.Message("alice", "bob", d.name), M{"OnlineOnlyFlag": 1}))
				if e.ErrorCode != c.code || (c.code == 0) != (sent.MsgKey != "") {
					t.Errorf("%s: answered %+v %+v", c.answer, e, sent)
				}
				if c.sees != "" {
					st.bob.Sees(t, c.sees)
				} else {
					st.bob.SeesNothing(t)
				}
				if c.told == "" {
					continue
				}
				want = append(want, c.told)
				one := readTold(t, st.back.Gets(t, afterSend, len(want))[len(want)-1])
				unread := int64(1)
				if one.MsgKey != sent.MsgKey || one.MsgID != sent.MsgID {
					t.Errorf("the sender is answered %+v, the back end told %+v", sent, one)
				}
				if one.OnlineOnlyFlag != 1 || one.UnreadMsgNum != unread || one.SendMsgResult != c.code {
					t.Errorf("%s: told %+v", c.answer, one)
				}
			}
		}
		if got := textsOf(t, st.back.Calls(afterSend)); !slices.Equal(got, want) {
			t.Errorf("the back end was told of %q, want %q", got, want)
		}
		if got := st.history(t); !slices.Equal(got, []string{"stored"}) {
			t.Errorf("the history is %q", got)
		}
	})
}

// What the back end itself refused it is not told of, by whichever door and code, and whether it were stored or not.
func TestRefusedIsNotTold(t *testing.T) {
	t.Parallel()
	magpietest.Shared(t, func(t *testing.T, s *Server) {
		st := enter(t, s, beforeSend+","+afterSend+",Bot.OnC2CMessage")
		for _, answer := range []string{`{"ErrorCode":1}`, `{"ErrorCode":120001,"ErrorInfo":"no"}`} {
			saying(st.back, beforeSend, answer)
			for _, d := range st.doors() {
				for _, onlineOnly := range []int{0, 1} {
					e, _ := d.send(t, magpietest.With(magpietest.Message("alice", "bob", "no"), M{"OnlineOnlyFlag": onlineOnly}))
					if e.ErrorCode == 0 {
						t.Errorf("%s: answered %+v", d.name, e)
					}
				}
			}
		}
		st.back.Says(magpietest.OK)
		st.Send(t, "alice", "bob", "yes")
		if got := textsOf(t, st.back.Gets(t, afterSend, 1)); got[0] != "yes" || len(st.back.Calls("")) != 8+2 {
			t.Errorf("told of %q, in %d calls", got, len(st.back.Calls("")))
		}
	})
}

// Clients repeat a request of which they do not know whether it arrived. The message is told of once.
func TestRepeatedMessageIsToldOnce(t *testing.T) {
	t.Parallel()
	magpietest.Shared(t, func(t *testing.T, s *Server) {
		st := enter(t, s, "all")
		for i, d := range st.doors() {
			message := magpietest.With(magpietest.Message("alice", "bob", d.name), M{
				"MsgSeq": 5 + i, "MsgClientTime": time.Now().Unix(), "MsgTimeStamp": time.Now().Unix(),
			})
			_, first := d.send(t, message)
			_, again := d.send(t, message)
			if first != again {
				t.Errorf("%s: the first is answered %+v, the second %+v", d.name, first, again)
			}
			st.bob.Sees(t, "alice → bob: "+d.name)
		}
		st.Send(t, "alice", "bob", "last")
		calls := st.back.Gets(t, afterSend, 3)
		if got := textsOf(t, calls); !slices.Equal(got, []string{"client", "rest", "last"}) {
			t.Errorf("the back end is told of %q", got)
		}
	})
}
