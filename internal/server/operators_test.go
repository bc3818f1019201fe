package server_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/bus/bustest"
	"github.com/magpie-im/magpie/internal/config"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/internal/node"
	"github.com/magpie-im/magpie/internal/server"
	"github.com/magpie-im/magpie/magpietest"
)

// journal keeps what a server logs.
type journal struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

// Write keeps a line.
func (j *journal) Write(line []byte) (int, error) {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	return j.text.Write(line)
}

func (j *journal) log() *slog.Logger { return slog.New(slog.NewTextHandler(j, nil)) }

// lines are those that hold all of the words.
func (j *journal) lines(words ...string) (found []string) {
	j.mutex.Lock()
	defer j.mutex.Unlock()
next:
	for line := range strings.Lines(j.text.String()) {
		for _, word := range words {
			if !strings.Contains(line, word) {
				continue next
			}
		}
		found = append(found, line)
	}
	return found
}

// ask gets a page with headers, given as names and values in turn.
func ask(t *testing.T, url string, header ...string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
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

func metricsHave(t *testing.T, s *Server, line string) {
	t.Helper()
	if _, page := get(t, http.DefaultClient, s.URL+"/metrics"); !strings.Contains(page, "\n"+line+"\n") {
		t.Errorf("the metrics have no line %s", line)
	}
}

// Who may read the metrics: this machine, or who has the token, or who reaches their own address.
func TestWhoReadsMetrics(t *testing.T) {
	t.Run("this machine", func(t *testing.T) {
		s := magpietest.Start(t)
		if code, _ := ask(t, s.URL+"/metrics"); code != 200 {
			t.Errorf("from this machine: %d", code)
		}
		for _, header := range []string{"X-Forwarded-For", "X-Real-IP", "Forwarded"} {
			if code, body := ask(t, s.URL+"/metrics", header, "127.0.0.1"); code != 403 || strings.Contains(body, "go_") {
				t.Errorf("through a proxy with %s: %d %.100s", header, code, body)
			}
		}
	})
	t.Run("a token", func(t *testing.T) {
		s := magpietest.Start(t, magpietest.Set(t, "metrics-token", "open-sesame"))
		for authorization, want := range map[string]int{"Bearer open-sesame": 200, "Bearer open-sesam": 401, "open-sesame": 401, "Bearer ": 401, "": 401} {
			if code, body := ask(t, s.URL+"/metrics", "Authorization", authorization, "X-Forwarded-For", "203.0.113.7"); code != want || (code == 200) != strings.Contains(body, "go_") {
				t.Errorf("%q: %d %.100s", authorization, code, body)
			}
		}
	})
	t.Run("an address", func(t *testing.T) {
		c := config.Default()
		c.Listen, c.Data, c.MetricsListen = "127.0.0.1:0", t.TempDir(), "127.0.0.1:0"
		s, err := server.Start(t.Context(), c, slog.New(slog.DiscardHandler), server.Options{})
		if err != nil {
			t.Fatal(err)
		}
		own, clients := "http://"+s.MetricsAddress(), "http://"+s.Address()
		for url, want := range map[string]int{
			own + "/metrics": 200, own + "/healthz": 200, own + "/readyz": 200, own + "/v4/openim/sendmsg": 404, own + "/binfo": 404,
			clients + "/metrics": 404, clients + "/healthz": 200, clients + "/readyz": 200,
		} {
			if code, _ := ask(t, url); code != want {
				t.Errorf("%s: %d, want %d", url, code, want)
			}
		}
		http.DefaultClient.CloseIdleConnections()
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
		if conn, err := net.Dial("tcp", s.MetricsAddress()); err == nil {
			t.Error("the stopped server answers at the metrics' address")
			_ = conn.Close()
		}
	})
	t.Run("an address that is taken", func(t *testing.T) {
		c := config.Default()
		c.Listen, c.Data = "127.0.0.1:0", t.TempDir()
		taken, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer taken.Close()
		c.MetricsListen = taken.Addr().String()
		if s, err := server.Start(t.Context(), c, slog.New(slog.DiscardHandler), server.Options{}); err == nil || !strings.Contains(err.Error(), "metrics") {
			t.Errorf("start: %v", err)
			if err == nil {
				_ = s.Stop(context.Background())
			}
		}
	})
}

// Both doors serve the paths of a base address that ends in a slash.
func TestBaseAddressWithSlash(t *testing.T) {
	magpietest.Scenario(t, func(t *testing.T, s *Server) {
		for _, slashes := range []string{"/", "//"} {
			response, err := http.Post(s.URL+slashes+s.Path(t, "im_open_login_svc/account_import"), "", strings.NewReader(`{"UserID":"alice"}`))
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(response.Body)
			_ = response.Body.Close()
			if err != nil || !strings.Contains(string(body), `"OK"`) {
				t.Errorf("%q: %s (%v)", slashes, body, err)
			}
			s.Connect(t, magpietest.OnPath(slashes+"/binfo"))
			if code, _ := ask(t, s.URL+slashes+"/healthz"); code != 200 {
				t.Errorf("%q: /healthz is answered %d", slashes, code)
			}
		}
	})
}

// A proxy that drops the upgrade is told so, and so is the operator.
func TestUpgradeIsMissing(t *testing.T) {
	said := &journal{}
	s := magpietest.Start(t, magpietest.Log(said.log()))
	for _, header := range [][]string{nil, {"Connection", "close"}, {"Connection", "upgrade"}, {"Upgrade", "websocket"}} {
		code, body := ask(t, s.URL+"/binfo?sdkappid=1400000001", header...)
		if code != 400 || !strings.Contains(body, "'Upgrade: websocket'") || !strings.Contains(body, "proxy") {
			t.Errorf("%q: %d %s", header, code, body)
		}
	}
	if lines := said.lines("level=WARN", "door=client", "reason=no-upgrade", "peer=127.0.0.1", "Upgrade"); len(lines) != 1 {
		t.Errorf("the log says %q", lines)
	}
	metricsHave(t, s, `magpie_refused_total{door="client",reason="no-upgrade"} 4`)
}

// A refusal at the REST door is in the log, with address and reason, and in the metrics; never with a signature.
func TestRefusalsAreTold(t *testing.T) {
	said := &journal{}
	s := magpietest.Start(t, magpietest.Log(said.log()))
	sig := s.UserSig(t, "bob")
	good := url.Values{"sdkappid": {"1400000001"}, "identifier": {magpietest.Admin}, "usersig": {sig}}
	for _, row := range []struct{ name, value, reason string }{
		{"usersig", sig, "usersig-wrong-user"},
		{"usersig", "garbage", "usersig-malformed"},
		{"usersig", "", "usersig-missing"},
		{"sdkappid", "1400000009", "app-unknown"},
		{"sdkappid", "x" + strings.Repeat("y", 10_000), "app-invalid"},
		{"sdkappid", "", "app-missing"},
		{"identifier", "bob", "not-administrator"},
		{"identifier", "", "identifier-missing"},
	} {
		query := url.Values{}
		for name, values := range good {
			query[name] = values
		}
		query.Set(row.name, row.value)
		for range 2 {
			response, err := http.Post(s.URL+"/v4/openim/sendmsg?"+query.Encode(), "", strings.NewReader("{}"))
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
		}
		lines := said.lines("level=WARN", "msg=refused", "door=rest", "reason="+row.reason+" ", "peer=127.0.0.1", "code=")
		if len(lines) != 1 || len(lines[0]) > 400 {
			t.Errorf("%s: the log says %.500q", row.reason, lines)
		}
		metricsHave(t, s, `magpie_refused_total{door="rest",reason="`+row.reason+`"} 2`)
	}
	if lines := said.lines(sig[:20]); lines != nil {
		t.Errorf("the log has a signature: %q", lines)
	}
}

// A failed handshake is logged and counted, and a certificate is changed under the running server.
func TestCertificates(t *testing.T) {
	said := &journal{}
	cert, key, pool := certificate(t)
	c := config.Default()
	c.Listen, c.Data, c.TLSCert, c.TLSKey, c.MetricsListen = "127.0.0.1:0", t.TempDir(), cert, key, "127.0.0.1:0"
	s, err := server.Start(t.Context(), c, said.log(), server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Stop(context.Background()) }()
	handshake := func(trusted *x509.CertPool) error {
		conn, err := tls.Dial("tcp", s.Address(), &tls.Config{RootCAs: trusted, MinVersion: tls.VersionTLS12})
		if err == nil {
			_ = conn.Close()
		}
		return err
	}
	if err := handshake(pool); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := handshake(x509.NewCertPool()); err == nil {
			t.Fatal("a certificate was trusted that nobody signed")
		}
	}
	magpietest.Eventually(t, "failed handshakes are counted", func() bool {
		_, page := get(t, http.DefaultClient, "http://"+s.MetricsAddress()+"/metrics")
		return strings.Contains(page, "\nmagpie_tls_handshake_failures_total 3\n")
	})
	if lines := said.lines("level=WARN", "handshake", "peer=127.0.0.1:", "bad certificate"); len(lines) != 1 {
		t.Errorf("the log says %q", said.lines("handshake"))
	}

	nextCert, nextKey, nextPool := certificate(t)
	if err := os.WriteFile(cert, []byte("not yet whole"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Reload(); err == nil {
		t.Error("a certificate that is none was loaded")
	}
	if err := handshake(pool); err != nil {
		t.Errorf("after it could not be loaded: %v", err)
	}
	for from, to := range map[string]string{nextCert: cert, nextKey: key} {
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Reload(); err != nil {
		t.Error(err)
	}
	if err := handshake(nextPool); err != nil {
		t.Errorf("with the new certificate: %v", err)
	}
	http.DefaultClient.CloseIdleConnections()
}

// One line says what started; passwords are not in it.
func TestStartLine(t *testing.T) {
	said := &journal{}
	database, nats := dbtest.URL(t), bustest.StartServer(t).URL()
	withUser := strings.Replace(nats, "nats://", "nats://user:secret@", 1)
	s := magpietest.Start(t, magpietest.Log(said.log()), magpietest.Database(database), magpietest.Bus(withUser))
	host := strings.TrimPrefix(nats, "nats://")
	lines := said.lines("msg=started", "version=", "address="+strings.TrimPrefix(s.URL, "http://"), "store=\"postgres ", "bus="+host, "apps=1")
	if len(lines) != 1 || strings.Contains(lines[0], "secret") {
		t.Errorf("the log says %q", said.lines("started"))
	}
	said = &journal{}
	dir := t.TempDir()
	magpietest.Start(t, magpietest.Log(said.log()), magpietest.Dir(dir))
	if lines := said.lines("msg=started", "store=\"sqlite "+dir, "bus=none"); len(lines) != 1 {
		t.Errorf("the log says %q", said.lines("started"))
	}
}

// A second node on one database that cannot hear the first does not start, and says why.
func TestNodesWithoutCommonBus(t *testing.T) {
	database := dbtest.URL(t)
	first := magpietest.Start(t, magpietest.Database(database))
	c := config.Default()
	c.Listen, c.DB, c.Data = "127.0.0.1:0", database, t.TempDir()
	for _, address := range []string{"", bustest.StartServer(t).URL()} {
		c.Bus = address
		s, err := server.Start(t.Context(), c, slog.New(slog.DiscardHandler), server.Options{})
		if err == nil {
			_ = s.Stop(context.Background())
		}
		if !errors.Is(err, node.ErrNoBus) || !strings.Contains(err.Error(), "--bus") {
			t.Errorf("with the bus %q: %v", address, err)
		}
	}
	// The first one stops, and comes back at once.
	began := time.Now()
	first.Restart(t)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it comes back after %s", took)
	}
}
