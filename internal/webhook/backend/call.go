// Package backend is an application's back end as this server calls it: over HTTP, signed, a bounded number of calls at
// once, and none for a while when it does not answer.
//
// It does not know what is asked and told, nor what becomes of an answer.
package backend

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/magpie-im/magpie/internal/im"
)

// The headers that Magpie adds to what the interface knows.
const (
	// headerEvent names the callback: the same at every attempt and replay.
	headerEvent   = "X-Magpie-Event-Id"
	headerAttempt = "X-Magpie-Attempt"
	// headerSignature is "t=<unix second>,v1=<hex>": HMAC-SHA256 with the address's secret over the second, a dot and
	// the body.
	headerSignature = "X-Magpie-Signature"
)

// Request is one HTTP call to a back end.
type Request struct {
	// Hook is the address that is called, with its keys.
	Hook *Hook
	// App and Command are the query's SdkAppid and CallbackCommand, ClientIP and Platform its ClientIP and OptPlatform.
	App                         im.AppID
	Command, ClientIP, Platform string
	// Body is a JSON object.
	Body []byte
	// Event is the callback's id on the wire, and Attempt counts the attempts, from 1. Both are zero for a callback that blocks.
	Event   int64
	Attempt int
	// Trial has the call made also while the breaker is open.
	Trial bool
}

// Reply is what came back. The zero Reply is none.
type Reply struct {
	// Status is HTTP's.
	Status int
	// Body is the body's beginning, unpacked.
	Body []byte
}

// caller makes the calls, over connections that stay open.
type caller struct{ client *http.Client }

// newCaller makes a caller with at most perHost idle connections to one host. Those in use are bounded for each address
// by its endpoint, not for a host: the slow addresses of a host would take the connections of its others. Redirects are
// not followed: a back end that moved is to be configured, and not to send us to somebody else's address.
func newCaller(perHost int, forbidPrivate bool) *caller {
	dialer := &net.Dialer{Timeout: 2 * time.Second, KeepAlive: 30 * time.Second}
	if forbidPrivate {
		dialer.Control = refusePrivate
	}
	return &caller{&http.Client{
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: 2 * time.Second,
			MaxIdleConnsPerHost: perHost, IdleConnTimeout: 90 * time.Second,
			MaxResponseHeaderBytes: 64 << 10, DisableCompression: true, ForceAttemptHTTP2: false,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// call sends the request and reads the answer. An error is a failure before there was a whole answer.
func (c *caller) call(ctx context.Context, r *Request, now time.Time) (Reply, error) {
	httpRequest, err := r.http(ctx, now)
	if err != nil {
		return Reply{}, err
	}
	response, err := c.client.Do(httpRequest)
	if err != nil {
		return Reply{}, withoutURL(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := readBody(response)
	if err != nil {
		return Reply{}, fmt.Errorf("read the answer: %w", err)
	}
	return Reply{response.StatusCode, body}, nil
}

// withoutURL takes the URL out of the error, whose query holds a signature.
func withoutURL(err error) error {
	var failure *url.Error
	if errors.As(err, &failure) {
		return failure.Err
	}
	return err
}

func (r *Request) http(ctx context.Context, now time.Time) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url(now), bytes.NewReader(r.Body))
	if err != nil {
		return nil, fmt.Errorf("webhook address: %w", withoutURL(err))
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "magpie")
	// Nothing is sent for it, but it has the call made once more when the back end closed the idle connection just then.
	request.Header["Idempotency-Key"] = nil
	if r.Event != 0 {
		request.Header.Set(headerEvent, strconv.FormatInt(r.Event, 10))
		request.Header.Set(headerAttempt, strconv.Itoa(r.Attempt))
	}
	if r.Hook.Secret != "" {
		request.Header.Set(headerSignature, signature(r.Hook.Secret, r.Body, now))
	}
	return request, nil
}

// url is the address with the interface's query behind the address's own (docs/protocol/webhooks.md#protocol).
func (r *Request) url(now time.Time) string {
	b := make([]byte, 0, len(r.Hook.URL)+256)
	b = append(b, r.Hook.URL...)
	if i := bytes.IndexByte(b, '?'); i < 0 {
		b = append(b, '?')
	} else if i < len(b)-1 {
		b = append(b, '&')
	}
	b = append(b, "SdkAppid="...)
	b = strconv.AppendUint(b, uint64(r.App), 10)
	b = append(append(b, "&CallbackCommand="...), r.Command...)
	b = append(append(b, "&contenttype=json&ClientIP="...), url.QueryEscape(r.ClientIP)...)
	b = append(append(b, "&OptPlatform="...), r.Platform...)
	if r.Hook.Token != "" {
		second := strconv.FormatInt(now.Unix(), 10)
		b = append(append(b, "&Sign="...), sign(r.Hook.Token, second)...)
		b = append(append(b, "&RequestTime="...), second...)
	}
	return string(b)
}

// sign is the reference system's proof that the caller knows the token.
func sign(token, second string) string {
	sum := sha256.Sum256([]byte(token + second))
	return hex.EncodeToString(sum[:])
}

func signature(secret string, body []byte, now time.Time) string {
	second := strconv.FormatInt(now.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = mac.Write([]byte(second + "."))
	_, _ = mac.Write(body)
	return "t=" + second + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}
