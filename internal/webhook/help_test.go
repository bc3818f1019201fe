package webhook_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

const (
	beforeSend = "C2C.CallbackBeforeSendMsg"
	afterSend  = "C2C.CallbackAfterSendMsg"
	afterRead  = "C2C.CallbackAfterMsgReport"
)

// nobody is an address where nobody listens, and no test will: their servers are at 127.0.0.1.
const nobody = "http://127.0.0.2:1/"

// stage is an application of alice and bob, who are online, with a back end.
type stage struct {
	*Server
	back       *magpietest.BackEnd
	alice, bob *magpietest.Conn
	sent       int // messages that bob should find in his history
	told       int // C2C.CallbackAfterSendMsg that the back end should have got
}

// enter makes an application's accounts and back end; commands are what it ticks, settings more names and values.
func enter(t *testing.T, s *Server, commands string, settings ...string) *stage {
	t.Helper()
	s.Import(t, "alice", "bob")
	back := magpietest.NewBackEnd(t)
	s.Configure(t, "webhook.url", back.URL, append([]string{"webhook.commands", commands}, settings...)...)
	return &stage{Server: s, back: back, alice: s.Login(t, "alice"), bob: s.Login(t, "bob")}
}

var apps sync.Map

// tenant is another application of the server.
func tenant(t *testing.T, s *Server) *Server {
	t.Helper()
	number, _ := apps.LoadOrStore(s.URL, new(sync.Mutex))
	number.(*sync.Mutex).Lock()
	defer number.(*sync.Mutex).Unlock()
	next, _ := apps.LoadOrStore(s.URL+" next", uint32(magpietest.AppID))
	id := next.(uint32) + 1
	apps.Store(s.URL+" next", id)
	return s.App(t, id, fmt.Sprint("key of ", id))
}

// door is a way to send a message of alice's to bob.
type door struct {
	name string
	send func(t *testing.T, message M) (magpietest.Envelope, magpietest.Sent)
}

func (s *stage) doors() []door {
	return []door{
		{"client", func(t *testing.T, message M) (magpietest.Envelope, magpietest.Sent) {
			t.Helper()
			var sent magpietest.Sent
			e := s.alice.Call(t, "openim.sendmsg", message, &sent)
			return e, sent
		}},
		{"rest", func(t *testing.T, message M) (magpietest.Envelope, magpietest.Sent) {
			t.Helper()
			var sent magpietest.Sent
			e := s.REST(t, "openim/sendmsg", message, &sent)
			return e, sent
		}},
	}
}

// history is what was said between alice and bob, oldest first.
func (s *stage) history(t *testing.T) (texts []string) {
	t.Helper()
	next := M{"MaxTime": 4_000_000_000}
	for range 100 {
		var page struct {
			Complete    int
			LastMsgTime int64
			LastMsgKey  string
			MsgList     []json.RawMessage
		}
		s.MustREST(t, "openim/admin_getroammsg", magpietest.With(M{
			"Operator_Account": "bob", "Peer_Account": "alice", "MaxCnt": 100, "MinTime": 0,
		}, next), &page)
		var some []string
		for _, raw := range page.MsgList {
			item := magpietest.ReadItem(t, raw)
			some = append(some, item.Text())
		}
		texts = append(some, texts...)
		if page.Complete == 1 {
			return texts
		}
		next = M{"MaxTime": page.LastMsgTime, "LastMsgKey": page.LastMsgKey}
	}
	t.Fatal("the history never ends")
	return nil
}

// told is C2C.CallbackAfterSendMsg.
type told struct {
	CallbackCommand, MsgKey, CloudCustomData, ErrorInfo string

	From  string `json:"From_Account"`
	To    string `json:"To_Account"`
	MsgID string `json:"MsgId"`

	MsgSeq, MsgRandom, MsgTime, EventTime, UnreadMsgNum int64
	OnlineOnlyFlag, SendMsgResult                       int
	MsgBody                                             json.RawMessage
}

func (c *told) text() string {
	item := magpietest.Item{Body: c.MsgBody}
	return item.Text()
}

func readTold(t *testing.T, c magpietest.Callback) (of told) {
	t.Helper()
	c.Into(t, &of)
	return of
}

// textsOf lists what the messages of callbacks say, in order.
func textsOf(t *testing.T, calls []magpietest.Callback) (texts []string) {
	t.Helper()
	for _, c := range calls {
		one := readTold(t, c)
		texts = append(texts, one.text())
	}
	return texts
}

// saying has the back end answer the one command with a body and every other with OK.
func saying(b *magpietest.BackEnd, command, body string) {
	b.Answer(func(c *magpietest.Callback) (int, string) {
		if c.Command == command {
			return http.StatusOK, body
		}
		return http.StatusOK, magpietest.OK
	})
}

// roughly has the back end answer the one command by hand and every other with OK.
func roughly(b *magpietest.BackEnd, command string, answer http.HandlerFunc) {
	b.Rough(func(w http.ResponseWriter, r *http.Request, c *magpietest.Callback) {
		if c.Command == command {
			answer(w, r)
			return
		}
		_, _ = io.WriteString(w, magpietest.OK)
	})
}

// metric reads one series of /metrics of the application; names of labels and their values follow in turn.
func (s *stage) metric(t *testing.T, name string, labels ...string) float64 {
	t.Helper()
	return metricOf(t, s.Server, name, labels...)
}

func metricOf(t *testing.T, s *Server, name string, labels ...string) float64 {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	page, _ := io.ReadAll(response.Body)
	labels = append(labels, "app", fmt.Sprint(s.AppID))
	for line := range strings.Lines(string(page)) {
		if !strings.HasPrefix(line, name+"{") {
			continue
		}
		found := true
		for i := 0; i < len(labels); i += 2 {
			found = found && strings.Contains(line, fmt.Sprintf("%s=%q", labels[i], labels[i+1]))
		}
		if found {
			value, err := strconv.ParseFloat(strings.TrimSpace(line[strings.LastIndexByte(line, ' '):]), 64)
			if err != nil {
				t.Fatal(err)
			}
			return value
		}
	}
	return -1
}
