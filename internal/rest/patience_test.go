package rest_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/magpietest"
)

// answered reads an HTTP answer, and tells whether the server closes the connection behind it.
func answered(t *testing.T, c net.Conn) (text string, closes bool) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(15 * time.Second))
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body), response.Close
}

// ask sends the head of a request whose body has a length, and the beginning of the body.
func ask(t *testing.T, s *Server, query url.Values, length int, begin string) net.Conn {
	t.Helper()
	c := dial(t, s)
	if _, err := fmt.Fprintf(c, "POST %s?%s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", check, query.Encode(), length, begin); err != nil {
		t.Fatal(err)
	}
	return c
}

// Who shows no good signature is refused before his body is wanted: nothing is kept of it, and he need not send it.
func TestSignatureBeforeBody(t *testing.T) {
	s := magpietest.Start(t, magpietest.Set(t, "rest-body-bytes", "4096"))
	for name, query := range map[string]url.Values{
		"a bad signature": with(t, s, "usersig", "garbage"), "no signature": with(t, s, "usersig"), "an unknown application": with(t, s, "sdkappid", "1400009999"),
	} {
		// Too much to be passed over, so that the answer does not wait for it.
		text, closes := answered(t, ask(t, s, query, 1<<20, "{"))
		if !strings.Contains(text, `"ErrorCode":70`) || !closes {
			t.Errorf("%s is answered %s, the connection is closed: %v", name, text, closes)
		}
		// A body that would not find room if it was kept.
		e, _, _ := call{query: query, body: strings.Repeat(" ", 100_000)}.do(t, s)
		if e.ErrorCode/1000 != 70 {
			t.Errorf("%s with a large body is answered %+v", name, e)
		}
	}
}

// A body that does not come to its end is given up after its time, and the caller is told.
func TestSlowBody(t *testing.T) {
	s := magpietest.Start(t, magpietest.Set(t, "rest-body-within", "50ms"))
	text, closes := answered(t, ask(t, s, usual(t, s), 1000, "{"))
	if !strings.Contains(text, `"ErrorCode":60002`) || !strings.Contains(text, "within 50ms") || !closes {
		t.Errorf("it is answered %s, the connection is closed: %v", text, closes)
	}
	// The time is the body's, not the call's or the connection's.
	e, _, _ := call{body: alice}.do(t, s)
	wantCode(t, "a whole body", e, 0)
}

// What was taken back while a body arrived is taken back: who may not call any more when it is whole is refused.
func TestBodyOutlivesCaller(t *testing.T) {
	m := clock.NewManual(time.Now())
	s := magpietest.Start(t, magpietest.Clock(m))
	c := dial(t, s)
	if _, err := fmt.Fprintf(c, "POST %s?%s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n",
		check, usual(t, s).Encode(), len(alice)); err != nil {
		t.Fatal(err)
	}
	if response, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || response.StatusCode != http.StatusContinue {
		t.Fatalf("the body is not asked for: %v, %v", response, err)
	}
	s.Disable(t, true)
	m.Advance(2 * time.Second)
	if _, err := io.WriteString(c, alice); err != nil {
		t.Fatal(err)
	}
	if text, _ := answered(t, c); !strings.Contains(text, `"ErrorCode":60016`) {
		t.Errorf("a call of a disabled application is answered %s", text)
	}
}

// Half-sent bodies take as much memory as came, up to the bound of one address, and then others' calls go on.
func TestHalfBodies(t *testing.T) {
	s := magpietest.Start(t, magpietest.Set(t, "rest-body-bytes", fmt.Sprint(1<<20)), magpietest.Set(t, "trusted-proxies", "127.0.0.1"))
	query := usual(t, s)
	half := strings.Repeat(" ", 30_000)
	told := make(chan string, 20)
	var open []net.Conn
	var all sync.WaitGroup
	for range 20 { // 32 KiB each, of the 256 KiB that one address gets
		c := ask(t, s, query, 500_000, half)
		open = append(open, c)
		all.Go(func() {
			if response, err := http.ReadResponse(bufio.NewReader(c), nil); err == nil {
				body, _ := io.ReadAll(response.Body)
				_ = response.Body.Close()
				told <- string(body)
			}
		})
	}
	if text := <-told; !strings.Contains(text, `"ErrorCode":60018`) {
		t.Errorf("one body too many is answered %s", text)
	}
	e, _, _ := call{body: alice + strings.Repeat(" ", 60_000), header: http.Header{"X-Forwarded-For": {"192.0.2.7"}}}.do(t, s)
	wantCode(t, "another address", e, 0)
	for _, c := range open {
		_ = c.Close()
	}
	all.Wait()
}

// Who fails again and again is answered later, and is told to the operator; whose signature is good does not wait.
func TestFailedLoginsAreSlowed(t *testing.T) {
	s := magpietest.Start(t, magpietest.Timed(), magpietest.Set(t, "failed-logins-per-second", "1"))
	bad := with(t, s, "usersig", "garbage")
	for range 10 {
		e, _, _ := call{query: bad}.do(t, s)
		wantCode(t, "a bad signature", e, 70003)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		call{query: bad}.do(t, s)
	}()
	e, _, _ := call{body: alice}.do(t, s)
	wantCode(t, "a good signature of the same address", e, 0)
	select {
	case <-done:
		t.Error("the eleventh failure of a second is answered at once")
	default:
	}
	c := s.Connect(t)
	c.Login(t, "alice")
	magpietest.Eventually(t, "the answer is given when its time has come", func() bool {
		s.Pass(t, time.Second)
		select {
		case <-done:
			return true
		default:
			return false
		}
	})
}
