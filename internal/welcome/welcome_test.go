package welcome_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/magpietest"
)

// visit is a request for a page.
type visit struct {
	method, path, body string
	header             map[string]string // "Host" is the name that the request is for
}

func (v visit) ask(t *testing.T, s *magpietest.Server) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), v.method, s.URL+v.path, strings.NewReader(v.body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range v.header {
		request.Header.Set(name, value)
	}
	if host := v.header["Host"]; host != "" {
		request.Host = host
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

// Pages are what their reader asks for, keep to themselves, and name this server's own application to its own machine only.
func TestPages(t *testing.T) {
	t.Parallel()
	s := magpietest.Start(t)
	address, _ := url.Parse(s.URL)
	browser := map[string]string{"Accept": "text/html,*/*"}
	for _, row := range []struct {
		visit

		status int
		kind   string
		has    string
		hasNot string
	}{
		{visit{"GET", "/", "", nil}, 200, "text/plain", "proxyServer: 'ws://" + address.Host + "'", "<"},
		{visit{"GET", "/", "", browser}, 200, "text/html", "SDKAppID: 1400000001, proxyServer:", "SDKAPPID"},
		{visit{"GET", "/", "", map[string]string{"Accept": "text/html", "X-Forwarded-For": "192.0.2.7"}}, 200, "text/html", "SDKAPPID", "1400000001"},
		{visit{"GET", "/", "", map[string]string{"Accept": "text/html", "X-Forwarded-Proto": "https", "Host": "chat.example"}}, 200, "text/html", "wss://chat.example", `"ws://`},
		{visit{"GET", "/", "", map[string]string{"Host": `"><script>`}}, 400, "text/plain", "", "script"},
		{visit{"GET", "/demo", "", nil}, 200, "text/html", "Demo chat", ""},
		{visit{"GET", "/demo/style.css", "", nil}, 200, "text/css", "color-scheme", ""},
		{visit{"GET", "/demo/home.html", "", nil}, 404, "text/plain", "", "{{"},
		{visit{"GET", "/demo/../welcome.go", "", nil}, 404, "text/plain", "", "package"},
		{visit{"POST", "/", "", nil}, 405, "text/plain", "GET", ""},
	} {
		response, body := row.ask(t, s)
		header := response.Header
		if response.StatusCode != row.status || !strings.HasPrefix(header.Get("Content-Type"), row.kind) || !strings.Contains(body, row.has) ||
			row.hasNot != "" && strings.Contains(body, row.hasNot) {
			t.Errorf("%s %s %v: %d %s %.300s", row.method, row.path, row.header, response.StatusCode, header.Get("Content-Type"), body)
		}
		policy := header.Get("Content-Security-Policy")
		if response.StatusCode == http.StatusOK && (!strings.Contains(policy, "default-src 'none'") || header.Get("X-Content-Type-Options") != "nosniff") {
			t.Errorf("%s: the policy is %q", row.path, policy)
		}
	}
}

// A session of the demo chat is for its own page alone: no other site, no name that only leads here, nobody behind a proxy gets one.
func TestDemoSessions(t *testing.T) {
	t.Parallel()
	s := magpietest.Start(t)
	own := map[string]string{"Sec-Fetch-Site": "same-origin"}
	const anna = `{"name":"anna"}`
	for _, row := range []struct {
		visit

		status int
	}{
		{visit{"POST", "/demo/session", anna, own}, 200},
		{visit{"POST", "/demo/session", anna, map[string]string{"Origin": s.URL}}, 200},
		{visit{"POST", "/demo/session", anna, map[string]string{"Origin": "http://localhost:1", "Host": "localhost:1"}}, 200},
		{visit{"POST", "/demo/session", anna, map[string]string{"Origin": "http://[::1]:1", "Host": "[::1]:1"}}, 200},
		{visit{"POST", "/demo/session", anna, nil}, 403},
		{visit{"POST", "/demo/session", anna, map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": s.URL}}, 403},
		{visit{"POST", "/demo/session", anna, map[string]string{"Origin": "http://evil.example"}}, 403},
		{visit{"GET", "/demo/session", anna, own}, 403},
		{visit{"POST", "/demo/session", anna, map[string]string{"Sec-Fetch-Site": "same-origin", "Host": "rebound.example"}}, 404},
		{visit{"POST", "/demo/session", anna, map[string]string{"Sec-Fetch-Site": "same-origin", "X-Forwarded-For": "192.0.2.7"}}, 404},
		{visit{"POST", "/demo/session", `{"name":"administrator"}`, own}, 400},
		{visit{"POST", "/demo/session", `{"name":`, own}, 400},
		{visit{"POST", "/demo/session", `{"name":"anna","more":"` + strings.Repeat("x", 10_000) + `"}`, own}, 400},
	} {
		response, body := row.ask(t, s)
		if response.StatusCode != row.status {
			t.Errorf("%s %v %.40s: %d %s", row.method, row.header, row.body, response.StatusCode, body)
		}
		if row.status != http.StatusOK {
			continue
		}
		var got struct {
			SDKAppID        uint32
			UserID, UserSig string
		}
		if err := json.Unmarshal([]byte(body), &got); err != nil || got.SDKAppID != s.AppID || got.UserID != "demo-anna" {
			t.Fatalf("%s: %v", body, err)
		}
		if reply := s.Connect(t).TryLogin(t, got.UserID, got.UserSig); reply.ErrorCode != 0 {
			t.Errorf("the login is answered %d %s", reply.ErrorCode, reply.ErrorInfo)
		}
	}
}

// The demo chat is off where others reach the node, unless it is switched on, and where nobody wants it.
func TestWhoHasADemo(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, demo, listen string
		status             int
	}{
		{"switched off", "off", "127.0.0.1:0", 404},
		{"reached by others", "auto", "0.0.0.0:0", 404},
		{"switched on for others", "on", "0.0.0.0:0", 200},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := magpietest.Start(t, magpietest.Set(t, "demo", row.demo), magpietest.Set(t, "listen", row.listen))
			for _, v := range []visit{
				{"GET", "/demo", "", map[string]string{"Host": "chat.example"}},
				{"POST", "/demo/session", `{"name":"ben"}`, map[string]string{"Host": "chat.example", "Sec-Fetch-Site": "same-origin"}},
			} {
				if response, body := v.ask(t, s); response.StatusCode != row.status {
					t.Errorf("%s: %d %s", v.path, response.StatusCode, body)
				}
			}
			_, home := visit{"GET", "/", "", map[string]string{"Accept": "text/html"}}.ask(t, s)
			if strings.Contains(home, "/demo\"") != (row.status == http.StatusOK) {
				t.Errorf("the first page is %s", home)
			}
		})
	}
}

// Without an application that is served there is nobody to chat.
func TestNoDemoWithoutAnApplication(t *testing.T) {
	t.Parallel()
	s := magpietest.Start(t)
	s.Disable(t, true)
	magpietest.Eventually(t, "the first page does not offer the demo chat", func() bool {
		_, text := visit{"GET", "/", "", nil}.ask(t, s)
		return !strings.Contains(text, "demo")
	})
	if response, body := (visit{"GET", "/demo", "", nil}).ask(t, s); response.StatusCode != http.StatusNotFound {
		t.Errorf("the demo chat: %d %.100s", response.StatusCode, body)
	}
}

// The first page says that the node takes no messages.
func TestTroubleIsShown(t *testing.T) {
	t.Parallel()
	faults := &dbtest.Faults{}
	s := magpietest.Start(t, magpietest.Faulty(faults))
	faults.FailOf("node_probe", dbtest.Refused)
	if _, text := (visit{"GET", "/", "", nil}).ask(t, s); !strings.Contains(text, "Not ready: ") {
		t.Errorf("the first page says %s", text)
	}
}
