// Package magpietest starts a real Magpie inside a Go test: on a free port of the loopback, with a throwaway store and
// one application, stopped when the test ends.
//
//	s := magpietest.Start(t)
//	s.REST(t, "im_open_login_svc/account_import", map[string]any{"UserID": "alice"}, nil)
package magpietest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/config"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/server"
	"github.com/magpie-im/magpie/usersig"
)

// The application that every test server has.
const (
	AppID = 1400000001
	Key   = "magpietest-key"
	Admin = "administrator"
)

// Server is a running Magpie.
type Server struct {
	// URL is "http://127.0.0.1:port"; WebSocketURL the same for clients, "ws://127.0.0.1:port".
	URL, WebSocketURL string

	options options
	server  *server.Server
}

type options struct {
	config *config.Config
	log    *slog.Logger
}

// Option changes a server before it starts.
type Option func(*options)

// Dir keeps the store in a directory of the caller's, so that a second server can find it again.
func Dir(dir string) Option { return func(o *options) { o.config.Data = dir } }

// Database uses a PostgreSQL database instead of an embedded one; "" changes nothing.
func Database(address string) Option { return func(o *options) { o.config.DB = address } }

// Bus joins a NATS server, so that several servers on one database are one service.
func Bus(address string) Option { return func(o *options) { o.config.Bus = address } }

// Log sends the server's log somewhere; by default a test's server is silent.
func Log(log *slog.Logger) Option { return func(o *options) { o.log = log } }

// Set changes a setting of the command line by its flag's name, such as "idle-timeout"; a wrong name or value ends
// the test.
func Set(t testing.TB, name, value string) Option {
	t.Helper()
	return func(o *options) {
		t.Helper()
		if err := o.config.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
}

// Start starts a server and stops it at the end of the test.
func Start(t testing.TB, with ...Option) *Server {
	t.Helper()
	o := options{config: config.Default(), log: slog.New(slog.DiscardHandler)}
	o.config.Listen = "127.0.0.1:0"
	o.config.Apps = []string{fmt.Sprintf("%d:%s", AppID, Key)}
	o.config.RESTPerSecond = 0
	for _, option := range with {
		option(&o)
	}
	if o.config.DB == "" && o.config.Data == config.Default().Data {
		o.config.Data = t.TempDir()
	}
	s := &Server{options: o}
	s.start(t)
	t.Cleanup(func() { s.Stop(t) })
	return s
}

func (s *Server) start(t testing.TB) {
	t.Helper()
	running, err := server.Start(context.Background(), s.options.config, s.options.log)
	if err != nil {
		t.Fatalf("start magpie: %v", err)
	}
	s.server = running
	s.URL, s.WebSocketURL = "http://"+running.Address(), "ws://"+running.Address()
	// A restart comes back at the same address, as a client expects.
	s.options.config.Listen = running.Address()
}

// Stop drains the server; stopping it twice does nothing.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if err := s.server.Stop(context.Background()); err != nil {
		t.Errorf("stop magpie: %v", err)
	}
}

// Restart stops the server and starts it again on the same store, at the same address.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.Stop(t)
	s.start(t)
}

// AddApp adds an application.
func (s *Server) AddApp(t testing.TB, id uint32, key string) {
	t.Helper()
	if err := s.server.AddApp(context.Background(), im.AppID(id), key); err != nil {
		t.Fatal(err)
	}
}

// UserSig signs for a user of the application, for an hour.
func (s *Server) UserSig(t testing.TB, userID string) string {
	t.Helper()
	sig, err := usersig.Sign(AppID, Key, userID, time.Hour, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

// Envelope is what every REST reply begins with.
type Envelope struct {
	ActionStatus string
	ErrorCode    int
	ErrorInfo    string
}

// REST calls a command as the application's administrator, "openim/sendmsg", and reads the reply into a pointer, if one
// is given. It returns the envelope, whatever it says.
func (s *Server) REST(t testing.TB, command string, body, reply any) Envelope {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	query := url.Values{
		"sdkappid": {fmt.Sprint(AppID)}, "identifier": {Admin}, "usersig": {s.UserSig(t, Admin)},
		"random": {fmt.Sprint(rand.Uint32())}, "contenttype": {"json"},
	}
	raw := s.Post(t, "/v4/"+command+"?"+query.Encode(), text)
	var e Envelope
	if err := json.Unmarshal(raw, &e); err != nil {
		t.Fatalf("%s: %v in %s", command, err, raw)
	}
	if reply != nil {
		if err := json.Unmarshal(raw, reply); err != nil {
			t.Fatalf("%s: %v in %s", command, err, raw)
		}
	}
	return e
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
	var out bytes.Buffer
	if _, err := out.ReadFrom(response.Body); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// MustREST is REST for a call that has to succeed.
func (s *Server) MustREST(t testing.TB, command string, body, reply any) {
	t.Helper()
	if e := s.REST(t, command, body, reply); e.ErrorCode != 0 {
		t.Fatalf("%s: %d %s", command, e.ErrorCode, e.ErrorInfo)
	}
}

// Import makes accounts.
func (s *Server) Import(t testing.TB, users ...string) {
	t.Helper()
	for _, user := range users {
		s.MustREST(t, "im_open_login_svc/account_import", map[string]any{"UserID": user, "Nick": "nick of " + user}, nil)
	}
}
