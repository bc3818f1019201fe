package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

func TestMain(m *testing.M) { magpietest.Main(m) }

// stage is a live room on a Magpie, with the page's server.
type stage struct {
	*magpietest.Server
	b    *backEnd
	page *httptest.Server
}

// newStage opens a room, and has its back end told of what happens there if told is set.
func newStage(t *testing.T, told bool) *stage {
	t.Helper()
	t.Parallel()
	s := magpietest.Enter(t)
	o := &options{app: fmt.Sprint(s.AppID, ":", s.Key), magpie: strings.TrimPrefix(s.URL, "http://"), token: "a token",
		room: "liveroom", title: "Show", code: "open", livekit: "APIkey:a secret"}
	b, err := newBackEnd(o)
	if err != nil {
		t.Fatal(err)
	}
	page := httptest.NewServer(b.handler())
	t.Cleanup(page.Close)
	o.listen = strings.TrimPrefix(page.URL, "http://")
	var more []string
	for _, one := range settings(o) {
		if name, value, _ := strings.Cut(one, "="); told || !strings.HasPrefix(name, "webhook.") {
			more = append(more, name, value)
		}
	}
	s.Configure(t, more[0], more[1], more[2:]...)
	if err := b.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	return &stage{s, b, page}
}

// post asks the page's server, and tells the status and the answer.
func (s *stage) post(t *testing.T, path string, body any) (status int, reply string) {
	t.Helper()
	text, raw := body.([]byte)
	if !raw {
		text, _ = json.Marshal(body)
	}
	answer, err := http.Post(s.page.URL+path, "application/json", bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(said)
}

// must is post for what has to succeed.
func (s *stage) must(t *testing.T, path string, body, reply any) {
	t.Helper()
	status, said := s.post(t, path, body)
	if status != http.StatusOK {
		t.Fatalf("%s: %d %s", path, status, said)
	}
	if err := json.Unmarshal([]byte(said), reply); err != nil {
		t.Fatal(err)
	}
}

// refuses is post for what must not.
func (s *stage) refuses(t *testing.T, path string, body any, want int) {
	t.Helper()
	if status, said := s.post(t, path, body); status != want {
		t.Errorf("%s %s: %d %s, want %d", path, body, status, said, want)
	}
}

// visit comes to the page as it does: with a session, and into the room if inside is set.
func (s *stage) visit(t *testing.T, who visitor, inside bool) (*session, *magpietest.Conn) {
	t.Helper()
	of := &session{}
	s.must(t, "/session", object{"name": who.Name, "code": who.Code}, of)
	c := s.Connect(t)
	if reply := c.TryLogin(t, of.UserID, of.UserSig); reply.ErrorCode != 0 {
		t.Fatal(reply)
	}
	c.Pull(t, "")
	if inside {
		c.MustCall(t, "group_open_http_svc.apply_join_group", object{"GroupId": of.Room}, nil)
	}
	return of, c
}

// hears waits for a push that says all of this.
func hears(t *testing.T, c *magpietest.Conn, words ...string) {
	t.Helper()
	c.Next(t, fmt.Sprint(words), func(f *magpietest.Frame) bool {
		for _, word := range words {
			if !bytes.Contains(f.Text, []byte(word)) {
				return false
			}
		}
		return true
	})
}

func (s *stage) say(t *testing.T, c *magpietest.Conn, random int, element object) {
	t.Helper()
	c.MustCall(t, "group_open_http_svc.send_group_msg", object{"GroupId": "liveroom", "Random": random, "MsgBody": []object{element}}, nil)
}

func text(words string) object {
	return object{"MsgType": "TIMTextElem", "MsgContent": object{"Text": words}}
}

func custom(data string) object {
	return object{"MsgType": "TIMCustomElem", "MsgContent": object{"Data": data, "Desc": "", "Ext": ""}}
}

// get is what the page's server answers without a connection.
func get(page http.Handler, path string) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	page.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
	return answer
}
