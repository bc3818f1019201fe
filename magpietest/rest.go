package magpietest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"testing"

	jsonv2 "github.com/go-json-experiment/json"
)

// Envelope is what every reply begins with.
type Envelope struct {
	ActionStatus string
	ErrorCode    int
	ErrorInfo    string
}

// REST calls a command as the application's administrator, "openim/sendmsg", and reads the reply into a pointer, if one
// is given; names in it are case-sensitive. A body that is a string or []byte goes as it is. It returns the envelope,
// whatever it says.
func (s *Server) REST(t testing.TB, command string, body, reply any) Envelope {
	t.Helper()
	raw := s.Post(t, s.Path(t, command), encode(t, body))
	return decodeReply(t, command, raw, reply)
}

// Path is a command's path and query, signed by the application's administrator.
func (s *Server) Path(t testing.TB, command string) string {
	t.Helper()
	query := url.Values{
		"sdkappid": {fmt.Sprint(s.AppID)}, "identifier": {Admin}, "usersig": {s.sigs.admin(t, s)},
		"random": {fmt.Sprint(rand.Uint32())}, "contenttype": {"json"},
	}
	return "/v4/" + command + "?" + query.Encode()
}

// Post sends a body to a path and returns the reply's body, which always comes with HTTP status 200.
func (s *Server) Post(t testing.TB, path string, body []byte) []byte {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("POST %s: status %d", path, response.StatusCode)
	}
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// MustREST is REST for a call that has to succeed.
func (s *Server) MustREST(t testing.TB, command string, body, reply any) {
	t.Helper()
	if e := s.REST(t, command, body, reply); e.ErrorCode != 0 {
		t.Fatalf("%s: %d %s", command, e.ErrorCode, e.ErrorInfo)
	}
}

// Refuses calls a command that has to answer with a code, and nothing else.
func (s *Server) Refuses(t testing.TB, command string, body any, code int) {
	t.Helper()
	e := s.REST(t, command, body, nil)
	if e.ErrorCode != code || e.ActionStatus != "FAIL" || e.ErrorInfo == "" {
		t.Errorf("%s answers %+v, want FAIL, %d and a sentence", command, e, code)
	}
}

// Import makes accounts.
func (s *Server) Import(t testing.TB, users ...string) {
	t.Helper()
	for _, user := range users {
		s.MustREST(t, "im_open_login_svc/account_import", M{"UserID": user, "Nick": "nick of " + user}, nil)
	}
}

// M is a JSON object.
type M = map[string]any

// With is a copy of the object with more members; a nil value takes the member out.
func With(object M, more M) M {
	whole := M{}
	for _, part := range []M{object, more} {
		for name, value := range part {
			if whole[name] = value; value == nil {
				delete(whole, name)
			}
		}
	}
	return whole
}

// Text is a MsgBody of one text element.
func Text(text string) []M {
	return []M{{"MsgType": "TIMTextElem", "MsgContent": M{"Text": text}}}
}

// Message is a request of openim/sendmsg with what it cannot do without.
func Message(from, to, text string) M {
	return M{"From_Account": from, "To_Account": to, "MsgRandom": rand.Uint32(), "MsgBody": Text(text)}
}

// Sent is the reply to openim/sendmsg.
type Sent struct {
	MsgTime int64
	MsgKey  string
	MsgID   string `json:"MsgId"`
}

// Send sends a text by REST.
func (s *Server) Send(t testing.TB, from, to, text string) Sent {
	t.Helper()
	return s.SendWith(t, Message(from, to, text), nil)
}

// SendWith sends a message by REST with other members than it has.
func (s *Server) SendWith(t testing.TB, message, more M) Sent {
	t.Helper()
	var sent Sent
	s.MustREST(t, "openim/sendmsg", With(message, more), &sent)
	return sent
}

func encode(t testing.TB, body any) []byte {
	t.Helper()
	switch b := body.(type) {
	case string:
		return []byte(b)
	case []byte:
		return b
	}
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func decodeReply(t testing.TB, command string, raw []byte, reply any) Envelope {
	t.Helper()
	var e Envelope
	err := jsonv2.Unmarshal(raw, &e)
	if err == nil && reply != nil {
		err = jsonv2.Unmarshal(raw, reply)
	}
	if err != nil {
		t.Fatalf("%s: %v in %s", command, err, raw)
	}
	return e
}
