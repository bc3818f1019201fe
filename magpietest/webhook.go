package magpietest

import (
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Callback is a call that a BackEnd got.
type Callback struct {
	Command string
	Query   url.Values
	Header  http.Header
	Body    json.RawMessage
}

// Into reads the body.
func (c *Callback) Into(t testing.TB, body any) {
	t.Helper()
	if err := json.Unmarshal(c.Body, body); err != nil {
		t.Fatalf("%s: %v in %s", c.Command, err, c.Body)
	}
}

// Event is the header that names the event of a callback that only notifies; empty for one that blocks.
func (c *Callback) Event() string { return c.Header.Get("X-Magpie-Event-Id") }

// BackEnd is an application's back end: a real HTTP server that keeps every callback that it gets.
type BackEnd struct {
	*httptest.Server
	path   string
	mutex  sync.Mutex
	calls  []Callback
	answer func(*Callback) (status int, body string)
	rough  func(http.ResponseWriter, *http.Request, *Callback)
}

// OK is what a back end answers that has nothing to object.
const OK = `{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""}`

// BackEnd starts a back end that answers OK, and has the application's webhook call it with the given commands, as in
// the setting webhook.commands.
func (s *Server) BackEnd(t testing.TB, commands string) *BackEnd {
	t.Helper()
	b := NewBackEnd(t)
	s.Configure(t, "webhook.url", b.URL, "webhook.commands", commands)
	return b
}

// NewBackEnd starts a back end that nobody calls yet.
func NewBackEnd(t testing.TB) *BackEnd {
	t.Helper()
	b := &BackEnd{}
	b.Server = httptest.NewServer(b)
	t.Cleanup(b.Close)
	// A server that outlives its back end may find another test's at the same port.
	b.path = "/" + rand.Text()
	b.URL += b.path
	return b
}

// Answer changes what the back end answers from now on. answer is called by many goroutines.
func (b *BackEnd) Answer(answer func(*Callback) (status int, body string)) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.answer, b.rough = answer, nil
}

// Rough makes the back end answer by hand, as back ends do that are broken: bytes, headers, time and all.
func (b *BackEnd) Rough(answer func(http.ResponseWriter, *http.Request, *Callback)) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.rough = answer
}

// Says makes the back end answer every callback with this body and status 200.
func (b *BackEnd) Says(body string) {
	b.Answer(func(*Callback) (int, string) { return http.StatusOK, body })
}

// ServeHTTP keeps the callback and answers it.
func (b *BackEnd) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.URL.Path, b.path) {
		http.NotFound(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	call := Callback{Command: r.URL.Query().Get("CallbackCommand"), Query: r.URL.Query(), Header: r.Header, Body: body}
	b.mutex.Lock()
	b.calls = append(b.calls, call)
	answer, rough := b.answer, b.rough
	b.mutex.Unlock()
	if rough != nil {
		rough(w, r, &call)
		return
	}
	status, reply := http.StatusOK, OK
	if answer != nil {
		status, reply = answer(&call)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, reply)
}

// Calls lists what the back end got, in the order in which it came; of one command, unless that is empty.
func (b *BackEnd) Calls(command string) []Callback {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	calls := slices.Clone(b.calls)
	return slices.DeleteFunc(calls, func(c Callback) bool { return command != "" && c.Command != command })
}

// Gets waits until n callbacks of the command have come, and fails the test if there are more.
func (b *BackEnd) Gets(t testing.TB, command string, n int) []Callback {
	t.Helper()
	Eventually(t, "the back end gets "+command, func() bool { return len(b.Calls(command)) >= n })
	calls := b.Calls(command)
	if len(calls) != n {
		t.Fatalf("the back end got %d × %s, want %d", len(calls), command, n)
	}
	return calls
}
