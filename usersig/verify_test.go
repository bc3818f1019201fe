package usersig

import (
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	app    = 1400000000
	secret = "9b1f0c7d"
)

var issued = time.Unix(1700000000, 0).UTC()

// The rows are in the order of the checks: each signature also fails every check further down.
func TestVerifyOrder(t *testing.T) {
	late := issued.Add(time.Hour + time.Second)
	forged := sign(t, Claims{AppID: app, UserID: "alice", IssuedAt: issued, Expire: time.Hour}, "another secret")
	stale := sign(t, Claims{AppID: app, UserID: "alice", IssuedAt: issued, Expire: time.Hour}, secret)
	for _, row := range []struct {
		name string
		sig  string
		app  uint32
		user string
		keys Keys
		want error
	}{
		{"no text", "", 1, "bob", Keys{}, ErrEmpty},
		{"cut short", forged[:len(forged)-9], 1, "bob", Keys{}, ErrMalformed},
		{"another app", forged, 1, "bob", Keys{}, ErrWrongApp},
		{"another user", forged, app, "bob", Keys{}, ErrWrongUser},
		{"user in other case", forged, app, "Alice", Keys{}, ErrWrongUser},
		{"no key", forged, app, "alice", Keys{}, ErrNoKey},
		{"only the other format's key", forged, app, "alice", Keys{Public: mustKey(t, "p256.pub.pem")}, ErrNoKey},
		{"another key", forged, app, "alice", Keys{Secret: secret}, ErrBadSignature},
		{"too late", stale, app, "alice", Keys{Secret: secret}, ErrExpired},
	} {
		c, err := Verify(row.sig, row.app, row.user, row.keys, late)
		if !errors.Is(err, row.want) || !reflect.DeepEqual(c, Claims{}) {
			t.Errorf("%s: got %+v, %v; want %v", row.name, c, err, row.want)
		}
	}
}

func TestVerifyTime(t *testing.T) {
	sig := sign(t, Claims{AppID: app, UserID: "alice", IssuedAt: issued, Expire: time.Hour}, secret)
	for after, want := range map[time.Duration]error{
		-1000 * time.Hour:             nil,
		0:                             nil,
		time.Hour:                     nil,
		time.Hour + time.Second - 1:   nil, // still the last second
		time.Hour + time.Second:       ErrExpired,
		250 * 365 * 24 * time.Hour:    ErrExpired,
		-1700000000*time.Second - 1e9: nil, // a clock before 1970
	} {
		if _, err := Verify(sig, app, "alice", Keys{Secret: secret}, issued.Add(after)); !errors.Is(err, want) {
			t.Errorf("%v after: got %v, want %v", after, err, want)
		}
	}
}

func TestVerifyBothFormats(t *testing.T) {
	both := Keys{Secret: secret, Public: mustKey(t, "secp256k1.pub.pem")}
	for version, key := range map[string]string{VersionHMAC: secret, VersionECDSA: read(t, "secp256k1.sec1.pem")} {
		want := Claims{Version: version, AppID: app, UserID: "alice", IssuedAt: issued, Expire: time.Hour}
		got, err := Verify(sign(t, want, key), app, "alice", both, issued)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v", version, got, err)
		}
	}
}

// Whoever knows the public key must not be able to use its text as an HMAC secret.
func TestVerifyKeepsFormatsApart(t *testing.T) {
	public := read(t, "secp256k1.pub.pem")
	sig := sign(t, Claims{AppID: app, UserID: "alice", IssuedAt: issued, Expire: time.Hour}, public)
	keys := Keys{Public: mustKey(t, "secp256k1.pub.pem")}
	if _, err := Verify(sig, app, "alice", keys, issued); !errors.Is(err, ErrNoKey) {
		t.Error(err)
	}
	keys.Secret = secret
	if _, err := Verify(sig, app, "alice", keys, issued); !errors.Is(err, ErrBadSignature) {
		t.Error(err)
	}
}

// Every field is under the proof, and the proof is compared whole.
func TestVerifyEveryFieldIsProven(t *testing.T) {
	keys := Keys{Secret: secret, Public: mustKey(t, "secp256k1.pub.pem")}
	for version, key := range map[string]string{VersionHMAC: secret, VersionECDSA: read(t, "secp256k1.sec1.pem")} {
		c := Claims{Version: version, AppID: app, UserID: "alice", IssuedAt: issued, Expire: time.Hour, UserBuf: []byte("AAA")}
		b, err := unpack(sign(t, c, key))
		if err != nil {
			t.Fatal(err)
		}
		doc := string(b)
		for _, change := range []struct{ from, to string }{
			{"alice", "alicf"}, {"1400000000", "1400000001"}, {"1700000000", "1700000001"}, {"3600", "36000"},
			{"QUFB", "QUFC"}, {`"TLS.userbuf":"QUFB",`, ""}, {`"TLS.userbuf":"QUFB"`, `"TLS.userbuf":""`},
			{`"TLS.sig":"`, `"TLS.sig":"AAAA`}, {`"TLS.account_type":"0"`, `"TLS.account_type":"1"`},
			{`"TLS.appid_at_3rd":"0"`, `"TLS.appid_at_3rd":"1"`}, {`"TLS.appid_at_3rd":"0",`, ""},
		} {
			changed := strings.Replace(doc, change.from, change.to, 1)
			if changed == doc {
				continue // a field of the other format
			}
			sig := repack(t, changed)
			said, err := Parse(sig)
			if err != nil {
				t.Fatalf("%s: %v", changed, err)
			}
			if _, err := Verify(sig, said.AppID, said.UserID, keys, issued); !errors.Is(err, ErrBadSignature) {
				t.Errorf("%s, %s for %s: got %v", version, change.to, change.from, err)
			}
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 50 {
				sig, err := Sign(app, secret, "alice", time.Hour, issued)
				if err != nil {
					t.Error(err)
				}
				_, _ = Parse("eJ" + sig[4:])
				if _, err := Verify(sig, app, "alice", Keys{Secret: secret}, issued); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
}

func sign(t testing.TB, c Claims, key string) string {
	t.Helper()
	sig, err := SignClaims(c, key)
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

func repack(t testing.TB, doc string) string {
	t.Helper()
	sig, err := pack([]byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	return sig
}
