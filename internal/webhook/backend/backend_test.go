package backend

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"
)

// The breaker's steps: each line is what happens, at which second, and the state afterwards.
func TestBreakerSteps(t *testing.T) {
	start := time.Unix(1_700_000_000, 0)
	type step struct {
		at    float64 // seconds
		what  string  // the calls' outcomes: "+" and "-"; "?" a call that is allowed, "!" one that is not
		state breakerState
	}
	for name, steps := range map[string][]step{
		"four failures do not open it":              {{0, "----", closed}, {0, "?", closed}},
		"five do":                                   {{0, "-----", open}, {0, "!", open}},
		"a few among many do not":                   {{0, "+++++-----+++++", closed}},
		"half of the last twenty do":                {{0, "+++++++++++++++", closed}, {1, "---------", closed}, {1, "-", open}},
		"what is long ago does not count":           {{0, "----", closed}, {0, strings.Repeat("+", 20), closed}, {0, "---------", closed}},
		"after a second one call tries":             {{0, "-----", open}, {0.9, "!", open}, {1, "?", halfOpen}, {1, "!", halfOpen}},
		"the try closes it, and nothing counts":     {{0, "-----", open}, {1, "?", halfOpen}, {1, "+", closed}, {1, "----", closed}, {1, "-", open}},
		"the try fails: two seconds, then four":     {{0, "-----", open}, {1, "?-", open}, {2.9, "!", open}, {3, "?-", open}, {6.9, "!", open}, {7, "?", halfOpen}},
		"after a recovery it is one second again":   {{0, "-----", open}, {1, "?-", open}, {3, "?+", closed}, {3, "-----", open}, {4, "?", halfOpen}},
		"late failures do not make the wait longer": {{0, "-----", open}, {0.5, "-----", open}, {1, "?", halfOpen}},
		"a late success closes it":                  {{0, "-----+", closed}},
	} {
		var b breaker
		for i, s := range steps {
			now := start.Add(time.Duration(s.at * float64(time.Second)))
			for _, one := range s.what {
				switch one {
				case '?', '!':
					if allowed := b.allow(now); allowed != (one == '?') {
						t.Errorf("%s: step %d: allowed: %v", name, i, allowed)
					}
				default:
					b.report(one == '+', now)
				}
			}
			if b.now() != s.state {
				t.Errorf("%s: step %d: the state is %d, want %d", name, i, b.now(), s.state)
			}
		}
	}
}

// It waits longer each time, up to half a minute; another address begins afresh.
func TestBreakerWaitsLonger(t *testing.T) {
	var b breaker
	now := time.Unix(1_700_000_000, 0)
	b.to("http://old")
	for range breakerLeast {
		b.report(false, now)
	}
	for i, want := range []time.Duration{1, 2, 4, 8, 16, 30, 30, 30} {
		if wait := b.reopens().Sub(now); wait != want*time.Second {
			t.Errorf("the wait no. %d is %v, want %d s", i, wait, want)
		}
		now = b.reopens()
		if !b.allow(now) {
			t.Fatalf("no call is allowed at %v", now)
		}
		b.report(false, now)
	}
	if b.to("http://old"); b.allow(now) {
		t.Error("the same address begins afresh")
	}
	if b.to("http://new"); !b.allow(now) || !b.reopens().IsZero() || b.now() != closed {
		t.Error("another address does not begin afresh")
	}
}

func TestRefusePrivate(t *testing.T) {
	for address, allowed := range map[string]bool{
		"8.8.8.8:443": true, "[2001:4860:4860::8888]:80": true, "[::ffff:8.8.8.8]:80": true, "[64:ff9b::808:808]:80": true, "100.128.0.1:80": true, "172.32.0.1:80": true,
		"127.0.0.1:80": false, "127.9.9.9:80": false, "[::1]:80": false, "0.0.0.0:80": false, "[::]:80": false, "0.1.2.3:80": false,
		"10.0.0.1:80": false, "172.16.0.1:80": false, "192.168.1.1:80": false, "169.254.169.254:80": false, "100.64.0.1:80": false,
		"100.127.255.255:80": false, "[fe80::1]:80": false, "[fe80::1%eth0]:80": false, "[fd00::1]:80": false, "[fc00::1]:80": false,
		"[::ffff:127.0.0.1]:80": false, "[::ffff:10.0.0.1]:80": false, "224.0.0.1:80": false, "[ff02::1]:80": false, "255.255.255.255:80": false,
		"[64:ff9b::7f00:1]:80": false, "[64:ff9b::a00:1]:80": false, "[64:ff9b:1::1]:80": false, "[::127.0.0.1]:80": false,
		"[2002:7f00:1::]:80": false, "[fec0::1]:80": false, "192.0.0.1:80": false, "198.18.0.1:80": false, "240.0.0.1:80": false,
	} {
		err := refusePrivate("tcp", address, nil)
		if (err == nil) != allowed || (err != nil && !errors.Is(err, errPrivate)) {
			t.Errorf("%s: %v, want allowed: %v", address, err, allowed)
		}
	}
	if err := refusePrivate("tcp", "name:80", nil); err == nil {
		t.Error("what is no address is allowed")
	}
}

// The documentation's own example (docs/protocol/webhooks.md#protocol).
func TestSign(t *testing.T) {
	const want = "17773bc39a671d7b9aa835458704d2a6db81360a5940292b587d6d760d484061"
	if got := sign("xxxxyyyy", "1669872112"); got != want {
		t.Errorf("the signature is %s, want %s", got, want)
	}
}

func TestURL(t *testing.T) {
	now := time.Unix(1669872112, 0)
	const common = "SdkAppid=1400000001&CallbackCommand=A.B&contenttype=json&ClientIP=%3A%3A1&OptPlatform=Web"
	for base, want := range map[string]string{
		"http://h":          "http://h?" + common,
		"http://h/":         "http://h/?" + common,
		"http://h/p?":       "http://h/p?" + common,
		"http://h/p?a=b":    "http://h/p?a=b&" + common,
		"http://h/p%3F?a=?": "http://h/p%3F?a=?&" + common,
	} {
		r := &Request{Hook: &Hook{URL: base}, App: 1400000001, Command: "A.B", ClientIP: "::1", Platform: "Web"}
		if got := r.url(now); got != want {
			t.Errorf("%s becomes %s, want %s", base, got, want)
		}
		r.Hook.Token = "xxxxyyyy"
		u, err := url.Parse(r.url(now))
		if err != nil || u.Query().Get("RequestTime") != "1669872112" || !strings.HasPrefix(u.Query().Get("Sign"), "17773bc3") {
			t.Errorf("signed: %s, %v", r.url(now), err)
		}
	}
}

func TestStatusError(t *testing.T) {
	for status, want := range map[int]string{404: "404 Not Found", 599: "599"} {
		if text := (&StatusError{status}).Error(); !strings.Contains(text, want) {
			t.Errorf("%d reads %q", status, text)
		}
	}
}
