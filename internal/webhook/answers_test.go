package webhook_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// verdict is what an answer should bring about.
type verdict int

const (
	passes verdict = iota
	silent
	refused
	senseless // the address's policy decides
)

// answerCase is one way to answer C2C.CallbackBeforeSendMsg.
type answerCase struct {
	name   string
	answer http.HandlerFunc
	then   verdict
	code   int
	info   string
}

func says(body string) http.HandlerFunc { return status(http.StatusOK, body) }

func status(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

// typed answers with a Content-Type, or without one.
func typed(contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = nil
		if contentType != "" {
			w.Header().Set("Content-Type", contentType)
		}
		_, _ = io.WriteString(w, body)
	}
}

// packed answers compressed in one way, said to be in another; without so many bytes at the end.
func packed(how, said, body string, less ...int) http.HandlerFunc {
	var b bytes.Buffer
	var to io.WriteCloser
	switch how {
	case "gzip":
		to = gzip.NewWriter(&b)
	case "zlib":
		to = zlib.NewWriter(&b)
	case "flate":
		to, _ = flate.NewWriter(&b, flate.BestSpeed)
	default:
		b.WriteString(body)
	}
	if to != nil {
		_, _ = io.WriteString(to, body)
		_ = to.Close()
	}
	for _, n := range less {
		b.Truncate(b.Len() - n)
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		if said != "" {
			w.Header().Set("Content-Encoding", said)
		}
		_, _ = w.Write(b.Bytes())
	}
}

// reset breaks the connection off after these bytest.
func reset(after string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		_, _ = io.WriteString(conn, after)
		_ = conn.Close()
	}
}

func answerCases() []answerCase {
	return []answerCase{
		{"0", says(magpietest.OK), passes, 0, ""},
		{"0 alone", says(`{"ErrorCode":0}`), passes, 0, ""},
		{"0 with more than is known", says(`{"ErrorCode":0,"errorcode":1,"More":[{}],"ErrorInfo":null}`), passes, 0, ""},
		{"1", says(`{"ActionStatus":"OK","ErrorCode":1,"ErrorInfo":"no"}`), refused, 20006, ""},
		{"2", says(`{"ErrorCode":2}`), silent, 0, ""},
		{"the first own code", says(`{"ErrorCode":120001,"ErrorInfo":"lower"}`), refused, 120001, "lower"},
		{"the last own code", says(`{"ErrorCode":130000,"ErrorInfo":"süß \u0000😀"}`), refused, 130000, "süß 😀"},
		{"below the own codes", says(`{"ErrorCode":120000,"ErrorInfo":"x"}`), senseless, 0, ""},
		{"above the own codes", says(`{"ErrorCode":130001,"ErrorInfo":"x"}`), senseless, 0, ""},
		{"3", says(`{"ErrorCode":3}`), senseless, 0, ""},
		{"a negative code", says(`{"ErrorCode":-1}`), senseless, 0, ""},
		{"a code of another callback", says(`{"ErrorCode":10100}`), senseless, 0, ""},
		{"a code that is too large", says(`{"ErrorCode":99999999999999999999}`), senseless, 0, ""},
		{"a code that is a fraction", says(`{"ErrorCode":0.5}`), senseless, 0, ""},
		{"a code that is a text", says(`{"ErrorCode":"zero"}`), senseless, 0, ""},
		{"no code", says(`{"ActionStatus":"OK","ErrorInfo":""}`), senseless, 0, ""},
		{"a code in small letters", says(`{"errorCode":0}`), senseless, 0, ""},
		{"an empty object", says(`{}`), senseless, 0, ""},
		{"null", says(`null`), senseless, 0, ""},
		{"a list", says(`[{"ErrorCode":0}]`), senseless, 0, ""},
		{"not JSON", says(`OK`), senseless, 0, ""},
		{"two answers", says(`{"ErrorCode":0}{"ErrorCode":1}`), senseless, 0, ""},
		{"a cut answer", says(`{"ErrorCode":0`), senseless, 0, ""},
		{"nothing", says(``), senseless, 0, ""},
		{"HTTP 500", status(500, magpietest.OK), senseless, 0, ""},
		{"HTTP 404", status(404, `{"ErrorCode":1}`), senseless, 0, ""},
		{"HTTP 204", status(204, ``), senseless, 0, ""},
		{"HTTP 201", status(201, magpietest.OK), passes, 0, ""},
		{"too much", says(strings.Repeat(" ", 1<<20) + `{"ErrorCode":1}`), senseless, 0, ""},
		{"much, and no end", says(`{"ErrorCode":0,"ErrorInfo":"` + strings.Repeat("x", 1<<20) + `"}`), senseless, 0, ""},
		{"a broken connection", reset(""), senseless, 0, ""},
		{"a connection that breaks in the answer", reset("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"ErrorCode\":0}"), senseless, 0, ""},
		{"no HTTP", reset("hello\r\n\r\n"), senseless, 0, ""},
	}
}

// oddCases are answers as some languages and proxies write them.
func oddCases() []answerCase {
	return []answerCase{
		{"a byte order mark", says("\xef\xbb\xbf" + `{"ErrorCode":120001,"ErrorInfo":"marked"}`), refused, 120001, "marked"},
		{"1 as text", says(`{"ErrorCode":"1"}`), refused, 20006, ""},
		{"an own code as text", says(`{"ErrorCode":" 120001","ErrorInfo":"as text"}`), refused, 120001, "as text"},
		{"an own code with a point", says(`{"ErrorCode":120001.0,"ErrorInfo":"float"}`), refused, 120001, "float"},
		{"0 as text", says(`{"ErrorCode":"0"}`), passes, 0, ""},
		{"2 as text", says(`{"ErrorCode":"2"}`), silent, 0, ""},
		{"words that are none", says(`{"ErrorCode":1,"ErrorInfo":{"no":1}}`), refused, 20006, ""},
		{"compressed", packed("gzip", "gzip", `{"ErrorCode":120001,"ErrorInfo":"small"}`), refused, 120001, "small"},
		{"compressed, in capitals", packed("gzip", "GZip", `{"ErrorCode":1}`), refused, 20006, ""},
		{"compressed, not said", packed("gzip", "", `{"ErrorCode":1}`), refused, 20006, ""},
		{"deflated", packed("zlib", "deflate", `{"ErrorCode":1}`), refused, 20006, ""},
		{"deflated, unwrapped", packed("flate", "deflate", `{"ErrorCode":1}`), refused, 20006, ""},
		{"plain, said to be compressed", packed("", "gzip", `{"ErrorCode":1}`), refused, 20006, ""},
		{"no Content-Type", typed("", `{"ErrorCode":1}`), refused, 20006, ""},
		{"an odd Content-Type", typed("image/png; charset=gbk", `{"ErrorCode":1}`), refused, 20006, ""},
		{"HTTP 201, refused", status(201, `{"ErrorCode":1}`), refused, 20006, ""},
		{"HTTP 299, refused", status(299, `{"ErrorCode":120001,"ErrorInfo":"299"}`), refused, 120001, "299"},
		{"compressed, and cut", packed("gzip", "gzip", `{"ErrorCode":1}`, 5), senseless, 0, ""},
		{"compressed, without an end", packed("gzip", "gzip", strings.Repeat(" ", 1<<20)+`{"ErrorCode":1}`), senseless, 0, ""},
		{"a code as text with more", says(`{"ErrorCode":"1 no"}`), senseless, 0, ""},
		{"an empty code", says(`{"ErrorCode":""}`), senseless, 0, ""},
		{"no number", says(`{"ErrorCode":"NaN"}`), senseless, 0, ""},
	}
}

// Whatever a back end answers, the sender, the receiver, the history and the later callback tell the same story.
func TestAnswers(t *testing.T) {
	t.Parallel()
	magpietest.Shared(t, func(t *testing.T, s *Server) {
		st := enter(t, s, beforeSend+","+afterSend, "webhook.on_timeout", "deliver")
		st.hearsAnswers(t, "deliver", st.doors(), answerCases())
	})
}

// The same where the policy is to refuse what the back end does not answer.
func TestAnswersOrRefuse(t *testing.T) {
	t.Parallel()
	st := enter(t, magpietest.Enter(t), beforeSend+","+afterSend, "webhook.on_timeout", "refuse")
	st.hearsAnswers(t, "refuse", st.doors()[:1], answerCases())
}

// What can be understood is understood.
func TestOddAnswers(t *testing.T) {
	t.Parallel()
	st := enter(t, magpietest.Enter(t), beforeSend+","+afterSend, "webhook.on_timeout", "deliver")
	st.hearsAnswers(t, "deliver", st.doors()[:1], oddCases())
}

func (s *stage) hearsAnswers(t *testing.T, policy string, doors []door, cases []answerCase) {
	t.Helper()
	var kept []string
	for i, c := range cases {
		for _, d := range doors {
			text := fmt.Sprint(i, " ", c.name, " ", d.name)
			if s.plays(t, c, d, text, policy) {
				kept = append(kept, text)
			}
			if c.then == senseless {
				kept = append(kept, s.recovers(t)...)
			}
		}
	}
	if got := s.history(t); !slices.Equal(got, kept) {
		t.Errorf("the history is %q, want %q", got, kept)
	}
	if state := s.metric(t, "magpie_webhook_breaker", "kind", "before"); state != 0 {
		t.Errorf("the breaker's state is %v: some answers were not asked for", state)
	}
}

// recovers has the back end give two good answers after a bad one, so that its breaker stays closed.
func (s *stage) recovers(t *testing.T) (kept []string) {
	t.Helper()
	s.back.Says(magpietest.OK)
	for _, text := range []string{"well", "again"} {
		s.Send(t, "alice", "bob", text)
		kept = append(kept, text)
	}
	s.bob.Sees(t, "alice → bob: well", "alice → bob: again")
	s.sent, s.told = s.sent+2, s.told+2
	return kept
}

// plays sends a text while the back end answers so, checks what follows, and tells whether it is in the history.
func (s *stage) plays(t *testing.T, c answerCase, d door, text, policy string) bool {
	t.Helper()
	roughly(s.back, beforeSend, c.answer)
	if c.then == senseless {
		c.then = passes
		if policy == "refuse" {
			c.then, c.code = refused, 80003
		}
	}
	e, sent := d.send(t, magpietest.Message("alice", "bob", text))
	if e.ErrorCode != c.code || (c.info != "" && e.ErrorInfo != c.info) || (c.code != 0) != (e.ErrorInfo != "") {
		t.Errorf("%s: the sender is answered %+v, want %d %q", text, e, c.code, c.info)
	}
	if c.code == 0 && (sent.MsgKey == "" || sent.MsgID == "" || sent.MsgTime == 0) {
		t.Errorf("%s: the sender is answered %+v", text, sent)
	}
	if c.then == passes {
		s.bob.Sees(t, "alice → bob: "+text)
		s.sent++
	} else {
		s.bob.SeesNothing(t)
	}
	s.isTold(t, c, text, sent)
	return c.then == passes
}

// isTold checks what the back end is told of a message afterwards.
func (s *stage) isTold(t *testing.T, c answerCase, text string, sent magpietest.Sent) {
	t.Helper()
	if c.then == silent || c.then == refused && c.code != 80003 {
		return // one too many would be found after the next message, which comes behind it
	}
	s.told++
	calls := s.back.Gets(t, afterSend, s.told)
	one := readTold(t, calls[s.told-1])
	want := told{SendMsgResult: c.code, UnreadMsgNum: int64(s.sent), ErrorInfo: "send msg succeed"}
	if c.then == refused {
		want.UnreadMsgNum, want.ErrorInfo = -1, one.ErrorInfo
	} else if one.MsgKey != sent.MsgKey || one.MsgID != sent.MsgID || one.MsgTime != sent.MsgTime {
		t.Errorf("%s: the back end is told %s %s, the sender %+v", text, one.MsgKey, one.MsgID, sent)
	}
	if one.text() != text || one.From != "alice" || one.To != "bob" || one.SendMsgResult != want.SendMsgResult ||
		one.UnreadMsgNum != want.UnreadMsgNum || one.ErrorInfo != want.ErrorInfo || one.ErrorInfo == "" || one.MsgKey == "" {
		t.Errorf("%s: the back end is told %s", text, calls[s.told-1].Body)
	}
}

// A redirect is not followed, wherever it leads.
func TestRedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	s := magpietest.Enter(t)
	elsewhere := magpietest.NewBackEnd(t)
	st := enter(t, s, beforeSend+","+afterSend, "webhook.on_timeout", "refuse", "webhook.retry", "off")
	st.back.Rough(func(w http.ResponseWriter, r *http.Request, _ *magpietest.Callback) {
		http.Redirect(w, r, elsewhere.URL, []int{301, 302, 303, 307, 308}[len(st.back.Calls(""))%5])
	})
	for range 5 {
		s.Refuses(t, "openim/sendmsg", magpietest.Message("alice", "bob", "hi"), 80003)
	}
	st.back.Gets(t, afterSend, 5)
	if calls := elsewhere.Calls(""); len(calls) != 0 {
		t.Errorf("the other place was called: %+v", calls)
	}
}

// Nobody listens at the address.
func TestConnectionIsRefused(t *testing.T) {
	t.Parallel()
	for policy, code := range map[string]int{"deliver": 0, "refuse": 80003} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			st := enter(t, magpietest.Enter(t), beforeSend, "webhook.on_timeout", policy, "webhook.url", nobody)
			for _, d := range st.doors() {
				if e, _ := d.send(t, magpietest.Message("alice", "bob", d.name)); e.ErrorCode != code {
					t.Errorf("%s: answered %+v, want %d", d.name, e, code)
				}
			}
			if policy == "deliver" {
				st.bob.Sees(t, "alice → bob: client", "alice → bob: rest")
			} else {
				st.bob.SeesNothing(t)
			}
		})
	}
}
