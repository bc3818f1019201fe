package rest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// The stories of this room are HTTP requests, whole and broken, to a running server. Mostly they call account_check,
// which changes nothing.

type (
	// M is a JSON object.
	M = magpietest.M
	// Server is a running Magpie.
	Server = magpietest.Server
)

const (
	check = "/v4/im_open_login_svc/account_check"
	alice = `{"CheckItem":[{"UserID":"alice"}]}`
)

// call is an HTTP request to the door; the zero value of a field is the usual.
type call struct {
	method string // POST
	path   string // check
	query  url.Values
	header http.Header
	body   string // alice
}

// usual are the parameters of a good request.
func usual(t *testing.T, s *Server) url.Values {
	t.Helper()
	return url.Values{
		"sdkappid": {fmt.Sprint(s.AppID)}, "identifier": {magpietest.Admin}, "usersig": {s.UserSig(t, magpietest.Admin)},
		"random": {"1"}, "contenttype": {"json"},
	}
}

// with is the usual parameters but one; no value takes it out.
func with(t *testing.T, s *Server, name string, value ...string) url.Values {
	t.Helper()
	query := usual(t, s)
	delete(query, name)
	if value != nil {
		query[name] = value
	}
	return query
}

// do sends the request and returns the reply's envelope, header and body.
func (c call) do(t *testing.T, s *Server) (magpietest.Envelope, http.Header, string) {
	t.Helper()
	if c.method == "" {
		c.method = http.MethodPost
	}
	if c.path == "" {
		c.path = check
	}
	if c.query == nil {
		c.query = usual(t, s)
	}
	request, err := http.NewRequestWithContext(t.Context(), c.method, s.URL+c.path+"?"+c.query.Encode(), strings.NewReader(c.body))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range c.header {
		request.Header[name] = values
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("%s %.80s: status %d, want 200", c.method, c.path, response.StatusCode)
	}
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var e magpietest.Envelope
	if err := json.Unmarshal(raw, &e); err != nil && c.method != http.MethodHead {
		t.Fatalf("%s %.80s: %v in %.200q", c.method, c.path, err, raw)
	}
	return e, response.Header, string(raw)
}

// wantCode compares the outcome with a code; a refusal says why.
func wantCode(t *testing.T, name string, e magpietest.Envelope, code int) {
	t.Helper()
	status := map[bool]string{true: "OK", false: "FAIL"}[code == 0]
	if e.ErrorCode != code || e.ActionStatus != status || (e.ErrorInfo == "") != (code == 0) || len(e.ErrorInfo) > 500 {
		t.Errorf("%s: answered %+v, want %s and %d", name, e, status, code)
	}
}
