package server_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/magpie-im/magpie/client"
	"github.com/magpie-im/magpie/internal/config"
	"github.com/magpie-im/magpie/internal/server"
	"github.com/magpie-im/magpie/magpietest"
)

// get asks for a page.
func get(t *testing.T, c *http.Client, url string) (int, string) {
	t.Helper()
	response, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// What operators and their tools ask for.
func TestOperatorsPages(t *testing.T) {
	magpietest.Scenario(t, func(t *testing.T, s *Server) {
		s.Import(t, "alice", "bob")
		alice, bob := s.Login(t, "alice"), s.Login(t, "bob")
		alice.MustCall(t, "openim.sendmsg", magpietest.Message("alice", "bob", "hi"), nil)
		bob.Sees(t, "alice → bob: hi")
		s.Refuses(t, "openim/sendmsg", magpietest.Message("alice", "nobody", "hi"), 90012)
		for path, want := range map[string]string{"/healthz": "ok", "/readyz": "ready", "/": "Magpie"} {
			if code, body := get(t, http.DefaultClient, s.URL+path); code != 200 || !strings.Contains(body, want) {
				t.Errorf("%s: %d %q", path, code, body)
			}
		}
		if code, _ := get(t, http.DefaultClient, s.URL+"/nothing"); code != 404 {
			t.Errorf("a page that does not exist: status %d", code)
		}
		code, page := get(t, http.DefaultClient, s.URL+"/metrics")
		for _, line := range []string{
			`magpie_commands_total{code="0",command="openim.sendmsg",door="client"} 1`,
			`magpie_commands_total{code="90012",command="openim.sendmsg",door="rest"} 1`,
			`magpie_connections 2`, `magpie_sessions 2`, `magpie_commit_queue 0`,
			`magpie_commit_seconds_count`, `magpie_commit_writes_count`, `magpie_push_frames_total`, `magpie_bus_published_total`,
			`magpie_command_seconds_count{command="openim.sendmsg",door="client"} 1`, `magpie_build_info{`, `go_goroutines`,
		} {
			if code != 200 || !strings.Contains(page, line) {
				t.Errorf("the metrics have no line %s", line)
			}
		}
	})
}

// What was acknowledged is there after a restart: messages, counters, lists, profiles, sessions, applications.
func TestRestart(t *testing.T) {
	magpietest.Scenario(t, func(t *testing.T, s *Server) {
		s.Import(t, "alice", "bob")
		other := s.App(t, magpietest.AppID+1, "another key")
		other.Import(t, "alice")
		bob := s.Login(t, "bob")
		sent := s.Send(t, "alice", "bob", "hi")
		s.Restart(t)
		var unread struct{ AllC2CUnreadMsgNum int }
		s.MustREST(t, "openim/get_c2c_unread_msg_num", M{"To_Account": "bob"}, &unread)
		if unread.AllC2CUnreadMsgNum != 1 {
			t.Errorf("bob has %d unread messages", unread.AllC2CUnreadMsgNum)
		}
		s.MustREST(t, "openim/admin_msgwithdraw", M{"From_Account": "alice", "To_Account": "bob", "MsgKey": sent.MsgKey}, nil)
		back := s.Connect(t)
		if e := back.Resume(t, "bob", bob.Session); e.ErrorCode != 0 {
			t.Errorf("bob comes back: %+v", e)
		}
		if e := other.REST(t, "im_open_login_svc/account_check", M{"CheckItem": []M{{"UserID": "alice"}}}, nil); e.ErrorCode != 0 {
			t.Errorf("the other application: %+v", e)
		}
	})
}

// Stopping twice, and at once by several, is stopping once.
func TestStopTwice(t *testing.T) {
	s := magpietest.Start(t)
	done := make(chan struct{})
	for range 3 {
		go func() {
			s.Stop(t)
			done <- struct{}{}
		}()
	}
	for range 3 {
		<-done
	}
	if _, err := http.Get(s.URL + "/healthz"); err == nil {
		t.Error("the stopped server answers")
	}
}

// A data directory belongs to one server, until that has stopped.
func TestDirectoryIsTaken(t *testing.T) {
	dir := t.TempDir()
	s := magpietest.Start(t, magpietest.Dir(dir))
	c := config.Default()
	c.Listen, c.Data = "127.0.0.1:0", dir
	if second, err := server.Start(context.Background(), c, slog.New(slog.DiscardHandler), server.Options{}); err == nil {
		t.Error("two servers share a directory")
		_ = second.Stop(context.Background())
	}
	s.Stop(t)
	second, err := server.Start(context.Background(), c, slog.New(slog.DiscardHandler), server.Options{})
	if err != nil {
		t.Fatalf("after the first has stopped: %v", err)
	}
	if err := second.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}

// What cannot be started says why, and leaves nothing open: the next try succeeds.
func TestStartFails(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name, spoil := range map[string]func(*config.Config){
		"the port is taken":            func(c *config.Config) { c.Listen = taken.Addr().String() },
		"no such database":             func(c *config.Config) { c.DB = "postgres://nobody@127.0.0.1:1/none?connect_timeout=2" },
		"no such bus":                  func(c *config.Config) { c.Bus = "nats://127.0.0.1:1" },
		"no such certificate":          func(c *config.Config) { c.TLSCert, c.TLSKey = "/nowhere.pem", "/nowhere.pem" },
		"an application without a key": func(c *config.Config) { c.Apps = []string{"1400000001:"} },
	} {
		t.Run(name, func(t *testing.T) {
			c := config.Default()
			c.Listen, c.Data = "127.0.0.1:0", t.TempDir()
			good := *c
			spoil(c)
			if s, err := server.Start(t.Context(), c, slog.New(slog.DiscardHandler), server.Options{}); err == nil {
				_ = s.Stop(context.Background())
				t.Fatal("it started")
			}
			s, err := server.Start(t.Context(), &good, slog.New(slog.DiscardHandler), server.Options{})
			if err != nil {
				t.Fatalf("the next try: %v", err)
			}
			if err := s.Stop(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
}

// A first start without any application makes one, so that there is something to try.
func TestFirstApplication(t *testing.T) {
	c := config.Default()
	c.Listen, c.Data = "127.0.0.1:0", t.TempDir()
	s, err := server.Start(t.Context(), c, slog.New(slog.DiscardHandler), server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Stop(context.Background()) }()
	if all := s.Apps(); len(all) != 1 || all[0].App.ID != 1400000001 || all[0].Keys.Secret == "" {
		t.Errorf("there are the applications %+v", all)
	}
}

// With a certificate, every door is behind TLS.
func TestTLS(t *testing.T) {
	cert, key, pool := certificate(t)
	s := magpietest.Start(t, magpietest.Set(t, "tls-cert", cert), magpietest.Set(t, "tls-key", key))
	trusting := &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	https := &http.Client{Transport: &http.Transport{TLSClientConfig: trusting, ForceAttemptHTTP2: true}}
	defer https.CloseIdleConnections()
	address := strings.TrimPrefix(s.URL, "http://")
	if code, _ := get(t, https, "https://"+address+"/healthz"); code != 200 {
		t.Errorf("https: status %d", code)
	}
	if code, body := get(t, http.DefaultClient, s.URL+"/healthz"); code != 400 {
		t.Errorf("http is answered %d %q", code, body)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+address+s.Path(t, "im_open_login_svc/account_import"),
		strings.NewReader(`{"UserID":"alice"}`))
	if err != nil {
		t.Fatal(err)
	}
	response, err := https.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); err != nil || !strings.Contains(string(body), `"OK"`) {
		t.Errorf("REST: %s (%v)", body, err)
	}
	c, err := client.Dial(t.Context(), client.Options{
		URL: "wss://" + address, AppID: s.AppID, UserID: "alice", UserSig: s.UserSig(t, "alice"), TLSConfig: trusting,
	})
	if err != nil {
		t.Fatalf("wss: %v", err)
	}
	if _, err := c.Send(t.Context(), client.Outgoing{To: "alice", Elements: []client.Element{client.Text("hi")}}); err != nil {
		t.Error(err)
	}
	_ = c.Close()
	<-c.Done()
}

// certificate makes one for the loopback, in files.
func certificate(t *testing.T) (certFile, keyFile string, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "magpie test"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for file, content := range map[string][]byte{certFile: text, keyFile: pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private})} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	return certFile, keyFile, pool
}

// The table of commands is made from the declarations, and has each once.
func TestReference(t *testing.T) {
	dir := t.TempDir()
	if err := server.WriteReference(dir); err != nil {
		t.Fatal(err)
	}
	commands, err := os.ReadFile(filepath.Join(dir, "commands.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"im_open_login_svc/account_import", "im_open_login_svc/multiaccount_import", "im_open_login_svc/account_delete",
		"im_open_login_svc/account_check", "im_open_login_svc/kick", "openim/query_online_status", "openim/sendmsg",
		"openim/batchsendmsg", "openim/importmsg", "openim/admin_getroammsg", "openim/admin_msgwithdraw", "openim/admin_set_msg_read",
		"openim/get_c2c_unread_msg_num", "profile/portrait_get", "profile/portrait_set", "recentcontact/get_list", "recentcontact/delete",
	} {
		if n := strings.Count(string(commands), "`"+name+"`"); n != 1 {
			t.Errorf("the table of commands has %s %d times", name, n)
		}
	}
}
