package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/magpie-im/magpie/internal/im"
)

// The headers that Magpie adds to what the interface knows.
const (
	// headerEvent names the event: the same at every attempt and replay.
	headerEvent   = "X-Magpie-Event-Id"
	headerAttempt = "X-Magpie-Attempt"
	// headerSignature is "t=<unix second>,v1=<hex>": HMAC-SHA256 with the address's secret over the second, a dot and
	// the body.
	headerSignature = "X-Magpie-Signature"
)

// maxReply bounds what is read of an answer.
const maxReply = 256 << 10

// request is one HTTP call to a back end.
type request struct {
	hook     *im.Webhook
	app      im.AppID
	command  string
	address  string
	platform string
	body     []byte
	event    int64 // 0: a callback that blocks, which has no event
	attempt  int
}

// reply is what came back: an HTTP status and the beginning of the body.
type reply struct {
	status int
	body   []byte
}

// caller makes the calls, over connections that stay open.
type caller struct{ client *http.Client }

var errPrivate = errors.New("webhook: the address is private, which this server forbids")

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

// refusePrivate looks at the address that a name was resolved to, so that a name cannot hide it.
func refusePrivate(_, address string, _ syscall.RawConn) error {
	where, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("webhook: address %q: %w", address, err)
	}
	ip := where.Addr().Unmap()
	if nat64.Contains(ip) {
		const v4 = 12 // where the address inside begins
		inside, _ := netip.AddrFromSlice(ip.AsSlice()[v4:])
		ip = inside
	}
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || slices.ContainsFunc(special, func(p netip.Prefix) bool { return p.Contains(ip) }) {
		return errPrivate
	}
	return nil
}

// nat64 leads to the IPv4 address at its end (RFC 6052).
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// special are the networks of IANA's special-purpose registries that are nobody's in particular and that package netip
// does not tell: this network, between a carrier and its customers, protocols', benchmarks', reserved; and in IPv6 those
// that hold an IPv4 address, a local NAT64 and the old site-local one.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("fec0::/10"),
}

// call sends the request and reads the answer. An error is a failure before there was a whole answer.
func (c *caller) call(ctx context.Context, r *request, now time.Time) (reply, error) {
	httpRequest, err := r.http(ctx, now)
	if err != nil {
		return reply{}, err
	}
	response, err := c.client.Do(httpRequest)
	if err != nil {
		return reply{}, withoutURL(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxReply))
	if err != nil {
		return reply{}, fmt.Errorf("read the answer: %w", err)
	}
	return reply{response.StatusCode, body}, nil
}

// withoutURL takes the URL out of the error, whose query holds a signature.
func withoutURL(err error) error {
	var failure *url.Error
	if errors.As(err, &failure) {
		return failure.Err
	}
	return err
}

func (r *request) http(ctx context.Context, now time.Time) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url(now), bytes.NewReader(r.body))
	if err != nil {
		return nil, fmt.Errorf("webhook address: %w", withoutURL(err))
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "magpie")
	// Nothing is sent for it, but it has the call made once more when the back end closed the idle connection just then.
	request.Header["Idempotency-Key"] = nil
	if r.event != 0 {
		request.Header.Set(headerEvent, strconv.FormatInt(r.event, 10))
		request.Header.Set(headerAttempt, strconv.Itoa(r.attempt))
	}
	if r.hook.Secret != "" {
		request.Header.Set(headerSignature, signature(r.hook.Secret, r.body, now))
	}
	return request, nil
}

// url is the address with the interface's query behind the address's own (docs/protocol/webhooks.md#protocol).
func (r *request) url(now time.Time) string {
	b := make([]byte, 0, len(r.hook.URL)+256)
	b = append(b, r.hook.URL...)
	if i := bytes.IndexByte(b, '?'); i < 0 {
		b = append(b, '?')
	} else if i < len(b)-1 {
		b = append(b, '&')
	}
	b = append(b, "SdkAppid="...)
	b = strconv.AppendUint(b, uint64(r.app), 10)
	b = append(append(b, "&CallbackCommand="...), r.command...)
	b = append(append(b, "&contenttype=json&ClientIP="...), url.QueryEscape(r.address)...)
	b = append(append(b, "&OptPlatform="...), r.platform...)
	if r.hook.Token != "" {
		second := strconv.FormatInt(now.Unix(), 10)
		b = append(append(b, "&Sign="...), sign(r.hook.Token, second)...)
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
