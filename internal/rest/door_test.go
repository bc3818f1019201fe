package rest_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/magpie-im/magpie/magpietest"
)

// A good request and its whole answer.
func TestEnvelope(t *testing.T) {
	magpietest.Shared(t, func(t *testing.T, s *Server) {
		s.Import(t, "alice")
		_, header, body := call{body: alice}.do(t, s)
		want := `{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ResultItem":[` +
			`{"UserID":"alice","ResultCode":0,"ResultInfo":"","AccountStatus":"Imported"}]}`
		if body != want {
			t.Errorf("answered %s, want %s", body, want)
		}
		if kind := header.Get("Content-Type"); !strings.HasPrefix(kind, "application/json") {
			t.Errorf("Content-Type is %q", kind)
		}
	})
}

// The clients found in the wild: nothing that says nothing of the call is a reason to refuse it.
func TestTolerance(t *testing.T) {
	magpietest.Shared(t, func(t *testing.T, s *Server) {
		for name, c := range map[string]call{
			"a form's Content-Type":      {header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}},
			"a text's Content-Type":      {header: http.Header{"Content-Type": {"text/plain; charset=gbk"}}},
			"a nonsense Content-Type":    {header: http.Header{"Content-Type": {";;;"}}},
			"an empty Content-Type":      {header: http.Header{"Content-Type": {""}}},
			"no random":                  {query: with(t, s, "random")},
			"an empty random":            {query: with(t, s, "random", "")},
			"a random beyond 32 bits":    {query: with(t, s, "random", "99999999999999999999")},
			"a negative random":          {query: with(t, s, "random", "-5")},
			"a random that is no number": {query: with(t, s, "random", "0.123")},
			"no contenttype":             {query: with(t, s, "contenttype")},
			"another contenttype":        {query: with(t, s, "contenttype", "xml")},
			"a parameter nobody knows":   {query: with(t, s, "apn", "1")},
			"blanks around the sdkappid": {query: with(t, s, "sdkappid", fmt.Sprint(s.AppID))},
		} {
			c.body = alice
			e, _, _ := c.do(t, s)
			wantCode(t, name, e, 0)
		}
		// A body that is not there is an empty object: this command then misses its list.
		for name, body := range map[string]string{"empty": "", "blanks": " \r\n\t", "null": "null", "an empty object": "{}"} {
			e, _, _ := call{body: body}.do(t, s)
			wantCode(t, name, e, 70206)
		}
	})
}

// Browsers ask first; everybody may.
func TestCORS(t *testing.T) {
	magpietest.Shared(t, func(t *testing.T, s *Server) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, s.URL+check, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Origin", "https://example.com")
		request.Header.Set("Access-Control-Request-Method", "POST")
		request.Header.Set("Access-Control-Request-Headers", "content-type")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode/100 != 2 {
			t.Errorf("the question is answered with status %d", response.StatusCode)
		}
		_, header, _ := call{body: alice}.do(t, s)
		for what, h := range map[string]http.Header{"the question": response.Header, "a call": header} {
			if h.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(h.Get("Access-Control-Allow-Methods"), "POST") ||
				!strings.Contains(strings.ToLower(h.Get("Access-Control-Allow-Headers")), "content-type") {
				t.Errorf("%s is answered with %v", what, h)
			}
		}
	})
}

// Only POST calls a command; what is asked otherwise is answered as readable as any refusal.
func TestMethods(t *testing.T) {
	magpietest.Shared(t, func(t *testing.T, s *Server) {
		for _, method := range []string{"GET", "PUT", "DELETE", "PATCH", "BREW"} {
			e, _, _ := call{method: method, body: alice}.do(t, s)
			wantCode(t, method, e, 60002)
		}
		call{method: "HEAD"}.do(t, s)
	})
}

// Service and command stand in the path, spelled exactly.
func TestUnknownCommands(t *testing.T) {
	magpietest.Shared(t, func(t *testing.T, s *Server) {
		for _, path := range []string{
			"/v4/", "/v4/openim", "/v4/openim/", "/v4/openim/nothing", "/v4/nothing/sendmsg", "/v4/openim/sendmsg/",
			"/v4/openim/SendMsg", "/v4/OpenIM/sendmsg", "/v4//openim/sendmsg", "/v4/openim.sendmsg", "/v4/openim/sendmsg/more",
			"/v4/im_open_status/wslogin", "/v4/openim/getmsg", "/v4/openim/info", "/v4/binfo",
			"/v4/openim/" + strings.Repeat("x", 5000), "/v4/openim/%00", "/v4/openim/%2e%2e", "/v4/openim/%E4%B8%AD",
		} {
			e, _, _ := call{path: path, body: `{}`}.do(t, s)
			wantCode(t, fmt.Sprintf("%.60s", path), e, 60009)
		}
	})
}

// One megabyte is the most, exactly; more is refused without being read to its end.
func TestBodyLimit(t *testing.T) {
	magpietest.Shared(t, func(t *testing.T, s *Server) {
		s.Import(t, "alice")
		const most = 1 << 20
		for _, row := range []struct {
			name string
			size int
			code int
		}{{"as much as may be", most, 0}, {"a byte more", most + 1, 93000}, {"ten times more", 10 * most, 93000}} {
			body := alice + strings.Repeat(" ", row.size-len(alice))
			e, _, _ := call{body: body}.do(t, s)
			wantCode(t, row.name, e, row.code)
		}
		e, _, _ := call{body: alice}.do(t, s)
		wantCode(t, "the next call", e, 0)
	})
}

// Bodies that are wrong: the message service's codes, as the public documentation has them.
func TestBadBodies(t *testing.T) {
	magpietest.Shared(t, func(t *testing.T, s *Server) {
		s.Import(t, "alice", "bob")
		for _, row := range []struct {
			name, body string
			code       int
		}{
			{"cut short", `{"From_Account":"alice","To_Account":"bob","MsgRandom":1,"MsgBody":[{"MsgType`, 90001},
			{"a form", `From_Account=alice&To_Account=bob`, 90001},
			{"XML", `<?xml version="1.0"?>`, 90001},
			{"binary", "\x00\x01\x02\xff", 90001},
			{"gzip", "\x1f\x8b\x08\x00\x00\x00\x00\x00", 90001},
			{"a byte order mark", "\uFEFF{}", 90001},
			{"two objects", `{}{}`, 90001},
			{"a member twice", `{"To_Account":"bob","To_Account":"alice"}`, 90001},
			{"a list", `[]`, 90010},
			{"text", `"x"`, 90010},
			{"nested 20,000 deep", strings.Repeat(`{"a":`, 20_000) + `1` + strings.Repeat(`}`, 20_000), 90001},
			{"half a million brackets", strings.Repeat(`[`, 500_000), 90001},
			{"half a million brackets in a field", `{"x":` + strings.Repeat(`[`, 500_000), 90001},
			{"a body of a message nested deep", `{"From_Account":"alice","To_Account":"bob","MsgRandom":1,"MsgBody":` +
				strings.Repeat(`[`, 5000) + strings.Repeat(`]`, 5000) + `}`, 90002},
			{"a number of 100,000 digits", `{"From_Account":"alice","To_Account":"bob","MsgRandom":` + strings.Repeat("9", 100_000) + `}`, 90005},
			{"a member name of 500,000 bytes", `{"` + strings.Repeat("x", 500_000) + `":1}`, 90003},
			{"50,000 unknown members", manyMembers(50_000), 90003},
		} {
			e, _, _ := call{path: "/v4/openim/sendmsg", body: row.body}.do(t, s)
			if row.code == 90001 && e.ErrorCode == 90010 {
				e.ErrorCode = 90001 // that a list is no object may be said before that it has no end
			}
			wantCode(t, row.name, e, row.code)
		}
		// What is no UTF-8 is taken, with a mark in its place.
		e, _, _ := call{path: "/v4/openim/sendmsg", body: `{"From_Account":"alice","To_Account":"bob","MsgRandom":1,"MsgBody":` +
			`[{"MsgType":"TIMTextElem","MsgContent":{"Text":"a` + "\xff\xfe" + `b"}}]}`}.do(t, s)
		wantCode(t, "invalid UTF-8", e, 0)
	})
}

func manyMembers(n int) string {
	var b strings.Builder
	b.WriteString(`{`)
	for i := range n {
		fmt.Fprintf(&b, `"m%d":0,`, i)
	}
	b.WriteString(`"last":0}`)
	return b.String()
}

// Requests that never come to their end hold up nobody else, and one that ends too early is answered.
func TestBrokenTransport(t *testing.T) {
	magpietest.Shared(t, func(t *testing.T, s *Server) {
		path := check + "?" + usual(t, s).Encode()
		for range 50 { // these stay open until the end of the test
			hanging := dial(t, s)
			fmt.Fprintf(hanging, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{", path)
		}
		cut := dial(t, s)
		fmt.Fprintf(cut, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{", path)
		if err := cut.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		_ = cut.SetReadDeadline(time.Now().Add(10 * time.Second))
		line, err := bufio.NewReader(cut).ReadString('\n')
		if err != nil {
			t.Errorf("a body that is cut off: %v", err)
		}
		t.Logf("a body that is cut off is answered with %q", line)
		for _, garbage := range []string{"\r\n\r\n", "GARBAGE\r\n\r\n", "POST / HTTP/9.9\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"} {
			fmt.Fprint(dial(t, s), garbage)
		}
		e, _, _ := call{body: alice}.do(t, s)
		wantCode(t, "meanwhile", e, 0)
	})
}

func dial(t *testing.T, s *Server) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// A connection stays usable after a refusal, whatever was wrong: back ends keep a pool of them.
func TestConnectionsAreKept(t *testing.T) {
	magpietest.Shared(t, func(t *testing.T, s *Server) {
		client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
		defer client.CloseIdleConnections()
		reused := 0
		trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
			if info.Reused {
				reused++
			}
		}}
		queries := []url.Values{usual(t, s), with(t, s, "sdkappid"), with(t, s, "usersig", "garbage"), with(t, s, "identifier", "bob"), usual(t, s)}
		for _, query := range queries {
			ctx := httptrace.WithClientTrace(t.Context(), trace)
			request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+check+"?"+query.Encode(), strings.NewReader(alice+strings.Repeat(" ", 200_000)))
			if err != nil {
				t.Fatal(err)
			}
			response, err := client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			body := bufio.NewReader(response.Body)
			for _, err = body.ReadByte(); err == nil; _, err = body.ReadByte() {
				continue
			}
			response.Body.Close()
		}
		if reused != len(queries)-1 {
			t.Errorf("the connection was used again %d times, want %d", reused, len(queries)-1)
		}
	})
}

// More calls of a command in a second than the interface allows; other commands are not counted with it.
func TestRateLimit(t *testing.T) {
	magpietest.Scenario(t, func(t *testing.T, s *Server) {
		refused := 0
		for range 40 {
			e, _, _ := call{body: alice}.do(t, s)
			if e.ErrorCode != 0 {
				refused++
				wantCode(t, "one call too many", e, 60007)
			}
		}
		if refused == 0 {
			t.Error("40 calls at once were all served, with a bound of 5 in a second")
		}
		other := s.App(t, magpietest.AppID+1, "another key")
		e, _, _ := call{body: alice, query: usual(t, other)}.do(t, other)
		wantCode(t, "another application", e, 0)
	}, magpietest.Set(t, "rest-per-second", "5"))
}

// Many at once are all answered, each with its own answer.
func TestManyAtOnce(t *testing.T) {
	magpietest.Shared(t, func(t *testing.T, s *Server) {
		var all sync.WaitGroup
		for n := range 16 {
			all.Go(func() {
				for i := range 10 {
					name := fmt.Sprintf("user%d.%d", n, i)
					s.Import(t, name)
					_, _, body := call{body: `{"CheckItem":[{"UserID":"` + name + `"}]}`}.do(t, s)
					if !strings.Contains(body, `"`+name+`"`) || !strings.Contains(body, `"Imported"`) {
						t.Errorf("%s is answered %s", name, body)
					}
				}
			})
		}
		all.Wait()
	})
}
