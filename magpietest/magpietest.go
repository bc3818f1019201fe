// Package magpietest starts a real Magpie inside a Go test: on a free port of the loopback, with a throwaway store and
// one application, stopped when the test ends.
//
//	s := magpietest.Start(t)
//	s.Import(t, "alice", "bob")
//	bob := s.Login(t, "bob")
//	s.MustREST(t, "openim/sendmsg", magpietest.Message("alice", "bob", "hi"), nil)
//	bob.Sees(t, "alice → bob: hi")
//
// A Server is seen as one application's back end sees it. A Conn is a client's bare connection, which sends whatever a
// test wants and keeps all that comes; package client is the client that behaves. Scenario runs a story on every
// database.
package magpietest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/app"
	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/config"
	"github.com/magpie-im/magpie/internal/db/dbtest"
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

// Server is a running Magpie as one application's back end sees it.
type Server struct {
	*node
	// AppID and Key are the application's.
	AppID uint32
	Key   string
}

// node is the running process behind the views of several applications.
type node struct {
	// URL is "http://127.0.0.1:port"; WebSocketURL the same for clients, "ws://127.0.0.1:port".
	URL, WebSocketURL string

	options options
	server  *server.Server
	label   string // of the goroutines of the running server
	beside  beside
	sigs    signatures
}

type options struct {
	config *config.Config
	log    *slog.Logger
	shapes []Shape
	server server.Options
	shared bool          // by the stories of a package
	manual *clock.Manual // nil: the system's clock
}

// Option changes a server before it starts.
type Option func(*options)

// Dir keeps the store in a directory of the caller's, so that a second server can find it again.
func Dir(dir string) Option { return func(o *options) { o.config.Data = dir } }

// Database uses a PostgreSQL database instead of an embedded one; "" changes nothing.
func Database(address string) Option { return func(o *options) { o.config.DB = address } }

// Bus joins a NATS server, so that several servers on one database are one service.
func Bus(address string) Option { return func(o *options) { o.config.Bus = address } }

// Log sends the server's log somewhere. By default a test's server is silent, but that an error in the log, which is a
// fault of the server and not of its callers, fails the test.
func Log(log *slog.Logger) Option { return func(o *options) { o.log = log } }

// Clock has the server go by a clock that the test moves: what waits at the client door does, and what is told as the time
// there. The store keeps the system's time, and so does a wait for the network.
func Clock(m *clock.Manual) Option {
	return func(o *options) { o.manual, o.server.Clock = m, m.Clock() }
}

// Faulty lets the server's store fail when the test says so. The server's log is silent then also about errors.
func Faulty(f *dbtest.Faults) Option {
	return func(o *options) { o.server.Driver, o.log = f.Driver, slog.New(slog.DiscardHandler) }
}

// Timed gives the server a clock of its own that starts now and stands until Pass moves it.
func Timed() Option { return func(o *options) { Clock(clock.NewManual(time.Now()))(o) } }

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
	o := options{config: config.Default(), log: slog.New(strict{func(fault string) { t.Errorf("the server logged an error: %s", fault) }}), shapes: usual()}
	o.config.Listen = "127.0.0.1:0"
	o.config.Apps = []string{fmt.Sprintf("%d:%s", AppID, Key)}
	o.config.RESTPerSecond, o.config.FailedLoginsPerSecond = 0, 0
	for _, option := range with {
		option(&o)
	}
	if o.config.Data == "" || o.config.Data == config.Default().Data { // also beside PostgreSQL, for files
		o.config.Data = t.TempDir()
	}
	s := &Server{node: &node{options: o}, AppID: AppID, Key: Key}
	s.start(t)
	t.Cleanup(func() { s.Stop(t) })
	return s
}

// Scenario tells a story once for each database: on SQLite always, and on PostgreSQL where it is installed.
func Scenario(t *testing.T, story func(t *testing.T, s *Server), with ...Option) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		story(t, Start(t, with...))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		story(t, Start(t, append(with[:len(with):len(with)], Database(dbtest.URL(t)))...))
	})
}

func (s *Server) start(t testing.TB) {
	t.Helper()
	var (
		running *server.Server
		err     error
	)
	s.label = labelled(func(ctx context.Context) {
		running, err = server.Start(ctx, s.options.config, s.options.log, s.options.server)
	})
	if err != nil {
		t.Fatalf("start magpie: %v", err)
	}
	s.server = running
	s.URL, s.WebSocketURL = "http://"+running.Address(), "ws://"+running.Address()
	// A restart comes back at the same address, as a client expects.
	s.options.config.Listen = running.Address()
}

// Stop drains the server; stopping it twice does nothing. It fails the test if a goroutine of the server goes on.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if s.options.shared {
		t.Fatal("the server is shared with other stories: use Scenario for one that stops it")
	}
	if err := errors.Join(s.server.Stop(context.Background()), s.beside.close()); err != nil {
		t.Errorf("stop magpie: %v", err)
	}
	// The next call is not to go out on a connection of which the end was not noticed yet.
	http.DefaultClient.CloseIdleConnections()
	checkLeaks(t, s.label)
}

// Restart stops the server and starts it again on the same store, at the same address.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.Stop(t)
	s.start(t)
}

// Pass lets time pass on a server with a set clock.
func (s *Server) Pass(t testing.TB, d time.Duration) {
	t.Helper()
	if s.options.manual == nil {
		t.Fatal("the server goes by the system's clock: start it Timed")
	}
	s.options.manual.Advance(d)
}

// Jump sets a set clock ahead without the timers on the way, of which days have many. Connections do not live through it.
func (s *Server) Jump(t testing.TB, d time.Duration) {
	t.Helper()
	if s.options.manual == nil {
		t.Fatal("the server goes by the system's clock: start it Timed")
	}
	s.options.manual.Set(s.Now().Add(d))
}

// NextSecond moves a set clock to the next whole second, as the interface counts times in whole ones.
func (s *Server) NextSecond(t testing.TB) {
	t.Helper()
	now := s.Now()
	s.Pass(t, now.Truncate(time.Second).Add(time.Second).Sub(now))
}

// Now is the server's time.
func (s *Server) Now() time.Time { return s.options.server.Clock.Now() }

// App adds an application and returns the server as its back end sees it.
func (s *Server) App(t testing.TB, id uint32, key string) *Server {
	t.Helper()
	if err := s.server.AddApp(context.Background(), im.AppID(id), key); err != nil {
		t.Fatal(err)
	}
	return &Server{node: s.node, AppID: id, Key: key}
}

// Configure changes settings of the application, given as name and value in turn, as `magpie app set` does from beside
// the running server, and returns when they are in force.
func (s *Server) Configure(t testing.TB, name, value string, more ...string) {
	t.Helper()
	changes := map[string]string{name: value}
	for i := 0; i+1 < len(more); i += 2 {
		changes[more[i]] = more[i+1]
	}
	s.change(t, fmt.Sprintf("the settings %v are in force", changes), func(apps *app.Apps) error {
		return apps.Set(t.Context(), im.AppID(s.AppID), changes)
	})
}

// RotateKey gives the application another key, as `magpie app rotate-key` does, and returns the server as a back end with
// the new key sees it.
func (s *Server) RotateKey(t testing.TB, keep time.Duration) *Server {
	t.Helper()
	after := *s
	s.change(t, "the new key is in force", func(apps *app.Apps) (err error) {
		after.Key, err = apps.RotateKey(t.Context(), im.AppID(s.AppID), keep)
		return err
	})
	return &after
}

// Disable keeps everybody out of the application, or lets them in again, as `magpie app disable` and `enable` do.
func (s *Server) Disable(t testing.TB, disabled bool) {
	t.Helper()
	s.change(t, "the application is disabled or enabled", func(apps *app.Apps) error {
		return apps.SetDisabled(t.Context(), im.AppID(s.AppID), disabled)
	})
}

// change changes the application from beside the running server, and waits until the server has seen it.
func (s *Server) change(t testing.TB, what string, change func(apps *app.Apps) error) {
	t.Helper()
	d, err := s.beside.open(s.options.config)
	if err != nil {
		t.Fatal(err)
	}
	apps, err := app.Open(t.Context(), d, server.Settings(), s.options.log)
	if err == nil {
		err = change(apps)
	}
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	want := apps.Find(im.AppID(s.AppID))
	Eventually(t, what, func() bool {
		for _, tenant := range s.server.Apps() {
			if tenant.App.ID == want.App.ID {
				return tenant.Version >= want.Version
			}
		}
		return false
	})
}

// UserSig signs for a user of the application, for an hour.
func (s *Server) UserSig(t testing.TB, userID string) string {
	t.Helper()
	return s.UserSigAt(t, userID, s.Now(), time.Hour)
}

// UserSigAt signs for a user of the application, as if at another time or for another while.
func (s *Server) UserSigAt(t testing.TB, userID string, at time.Time, expire time.Duration) string {
	t.Helper()
	sig, err := usersig.Sign(s.AppID, s.Key, userID, expire, at)
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

// patience is how long a test waits for what must happen. It is long, because only a failing test waits for it.
const patience = 20 * time.Second

// Eventually waits until something is true, and fails the test if that takes too long.
func Eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	const pause = 5 * time.Millisecond
	deadline := time.After(patience)
	for !is() {
		select {
		case <-time.After(pause):
		case <-deadline:
			t.Fatalf("it does not come about that %s", what)
		}
	}
}

// strict is a log that fails its test for a server's error and drops everything else.
type strict struct{ fail func(fault string) }

// Enabled tells that errors count.
func (s strict) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelError }

// Handle fails the test.
func (s strict) Handle(_ context.Context, line slog.Record) error {
	text := line.Message
	line.Attrs(func(a slog.Attr) bool {
		text += " " + a.String()
		return true
	})
	s.fail(text)
	return nil
}

// WithAttrs and WithGroup keep the log as it is.
func (s strict) WithAttrs([]slog.Attr) slog.Handler { return s }

// WithGroup keeps the log as it is.
func (s strict) WithGroup(string) slog.Handler { return s }
