package usersig

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestSignRefuses(t *testing.T) {
	good := Claims{AppID: app, UserID: "alice", IssuedAt: issued, Expire: time.Hour}
	for name, change := range map[string]func(*Claims){
		"unknown version":       func(c *Claims) { c.Version = "3.0" },
		"no app":                func(c *Claims) { c.AppID = 0 },
		"no user":               func(c *Claims) { c.UserID = "" },
		"line break":            func(c *Claims) { c.UserID = "a\nTLS.sdkappid:1" },
		"NUL":                   func(c *Claims) { c.UserID = "a\x00" },
		"invalid UTF-8":         func(c *Claims) { c.UserID = "a\xff" },
		"replacement character": func(c *Claims) { c.UserID = "a\ufffd" },
		"no time":               func(c *Claims) { c.IssuedAt = time.Time{} },
		"before 1970":           func(c *Claims) { c.IssuedAt = time.Unix(-1, 0) },
		"after 9999":            func(c *Claims) { c.IssuedAt = time.Unix(maxIssuedAt+1, 0) },
		"no lifetime":           func(c *Claims) { c.Expire = 0 },
		"below a second":        func(c *Claims) { c.Expire = time.Second - 1 },
		"negative lifetime":     func(c *Claims) { c.Expire = -time.Hour },
		"huge lifetime":         func(c *Claims) { c.Expire = (maxExpire + 1) * time.Second },
		"long user":             func(c *Claims) { c.UserID = strings.Repeat("u", maxDocument) },
		"long buffer":           func(c *Claims) { c.UserBuf = noise(MaxLen) },
	} {
		c := good
		change(&c)
		if sig, err := SignClaims(c, secret); !errors.Is(err, ErrMalformed) || sig != "" {
			t.Errorf("%s: got %q, %v", name, sig, err)
		}
	}
	if _, err := SignClaims(good, ""); !errors.Is(err, ErrNoKey) {
		t.Errorf("empty secret: %v", err)
	}
}

func TestSignDropsFractions(t *testing.T) {
	sig, err := Sign(app, secret, "alice", 90*time.Second+time.Second-1, issued.Add(time.Second-1))
	if err != nil {
		t.Fatal(err)
	}
	if c, err := Parse(sig); err != nil || !c.IssuedAt.Equal(issued) || c.Expire != 90*time.Second {
		t.Errorf("got %+v, %v", c, err)
	}
}

// What is signed is read back, up to the largest buffer that fits.
func TestSignRoundTrip(t *testing.T) {
	for _, user := range []string{"a", "with space", "a:b", "用户", `"\</`, "é", "TLS.sdkappid:1", "'; --", "😀"} {
		for _, size := range []int{-1, 0, 1, 5000} {
			want := Claims{Version: VersionHMAC, AppID: 1<<32 - 1, UserID: user, IssuedAt: issued, Expire: maxExpire * time.Second}
			if size >= 0 {
				want.UserBuf = noise(size)
			}
			got, err := Verify(sign(t, want, secret), want.AppID, user, Keys{Secret: secret}, issued)
			if err != nil || !bytes.Equal(got.UserBuf, want.UserBuf) || (got.UserBuf == nil) != (size < 0) {
				t.Errorf("%q with %d bytes: %v", user, size, err)
			}
		}
	}
}

func TestSignECDSAContainers(t *testing.T) {
	for _, curve := range []string{"secp256k1", "p256"} {
		public := Keys{Public: mustKey(t, curve+".pub.pem")}
		var first string
		for _, container := range []string{"sec1", "pkcs8"} {
			sig, err := SignECDSA(app, read(t, curve+"."+container+".pem"), "alice", time.Hour, issued)
			if err != nil {
				t.Fatalf("%s, %s: %v", curve, container, err)
			}
			if _, err := Verify(sig, app, "alice", public, issued); err != nil {
				t.Errorf("%s, %s: %v", curve, container, err)
			}
			if first == "" {
				first = sig
			}
			if sig != first {
				t.Errorf("%s: the containers hold one key and sign differently", curve)
			}
		}
	}
}

// noise is data that does not compress, the same each time.
func noise(n int) []byte {
	b := make([]byte, 0, n+64)
	for sum := []byte("seed"); len(b) < n; b = append(b, sum...) {
		sum = digest(sum)
	}
	return b[:n]
}
