package rest_test

import (
	"bytes"
	"compress/zlib"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/magpie-im/magpie/magpietest"
	"github.com/magpie-im/magpie/usersig"
)

// Who may call, and what everybody else is told.
func TestSignatures(t *testing.T) {
	magpietest.Shared(t, func(t *testing.T, s *Server) {
		s.Import(t, "bob")
		other := s.App(t, magpietest.AppID+1, "another key")
		now, good := time.Now(), s.UserSig(t, magpietest.Admin)
		forged, err := usersig.Sign(s.AppID, "a guessed key", magpietest.Admin, time.Hour, now)
		if err != nil {
			t.Fatal(err)
		}
		old, err := usersig.SignECDSA(s.AppID, privateKey(t), magpietest.Admin, time.Hour, now)
		if err != nil {
			t.Fatal(err)
		}
		expired := s.UserSigAt(t, magpietest.Admin, now.Add(-2*time.Hour), time.Hour)
		for _, row := range []struct {
			name  string
			query url.Values
			code  int
		}{
			{"a good one", usual(t, s), 0},
			{"one that ends soon", with(t, s, "usersig", s.UserSigAt(t, magpietest.Admin, now.Add(-time.Hour), time.Hour+30*time.Second)), 0},
			{"one from a clock that is ahead", with(t, s, "usersig", s.UserSigAt(t, magpietest.Admin, now.Add(time.Hour), time.Hour)), 0},
			{"no sdkappid", with(t, s, "sdkappid"), 60012},
			{"an empty sdkappid", with(t, s, "sdkappid", ""), 60012},
			{"an sdkappid that is no number", with(t, s, "sdkappid", "abc"), 60006},
			{"a negative sdkappid", with(t, s, "sdkappid", "-1"), 60006},
			{"an sdkappid beyond 32 bits", with(t, s, "sdkappid", "4294967296"), 60006},
			{"an sdkappid with a fraction", with(t, s, "sdkappid", "1400000001.0"), 60006},
			{"an unknown sdkappid", with(t, s, "sdkappid", "1400009999"), 70020},
			{"sdkappid 0", with(t, s, "sdkappid", "0"), 70020},
			{"no identifier", with(t, s, "identifier"), 60004},
			{"an empty identifier", with(t, s, "identifier", ""), 60004},
			{"no usersig", with(t, s, "usersig"), 70002},
			{"an empty usersig", with(t, s, "usersig", ""), 70002},
			{"garbage", with(t, s, "usersig", "garbage"), 70003},
			{"the first half", with(t, s, "usersig", good[:len(good)/2]), 70003},
			{"all but the last byte", with(t, s, "usersig", good[:len(good)-1]), 70003},
			{"twice", with(t, s, "usersig", good+good), 70003},
			{"encoded twice", with(t, s, "usersig", url.QueryEscape(good+"+/=")), 70003},
			{"with a line feed", with(t, s, "usersig", good+"\n"), 70003},
			{"oversized", with(t, s, "usersig", strings.Repeat("eJ", 20_000)), 70003},
			{"a bomb", with(t, s, "usersig", packed(t, make([]byte, 4<<20))), 70003},
			{"JSON that is none", with(t, s, "usersig", packed(t, []byte(`{"TLS.ver":`))), 70003},
			{"JSON without its fields", with(t, s, "usersig", packed(t, []byte(`{"TLS.ver":"2.0"}`))), 70003},
			{"expired", with(t, s, "usersig", expired), 70001},
			{"for another user", with(t, s, "usersig", s.UserSig(t, "bob")), 70013},
			{"for another application", with(t, s, "usersig", other.UserSig(t, magpietest.Admin)), 70014},
			{"with another key", with(t, s, "usersig", forged), 70009},
			{"of the older kind, without a key for it", with(t, s, "usersig", old), 70016},
		} {
			e, _, _ := call{query: row.query, body: alice}.do(t, s)
			wantCode(t, row.name, e, row.code)
		}
		// Proved to be somebody, who is no administrator.
		query := with(t, s, "identifier", "bob")
		query.Set("usersig", s.UserSig(t, "bob"))
		e, _, _ := call{query: query, body: alice}.do(t, s)
		wantCode(t, "an ordinary account", e, 60010)
		// Nobody learns of an expiry by a signature that he made up.
		forgedOld, err := usersig.Sign(s.AppID, "a guessed key", magpietest.Admin, time.Hour, now.Add(-2*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		e, _, _ = call{query: with(t, s, "usersig", forgedOld), body: alice}.do(t, s)
		wantCode(t, "forged and expired", e, 70009)
	})
}

// A UserSig that counts in milliseconds is told which of its fields does, at both doors.
func TestSignatureInMilliseconds(t *testing.T) {
	magpietest.Shared(t, func(t *testing.T, s *Server) {
		document := func(at, expire int64) string {
			return packed(t, fmt.Appendf(nil, `{"TLS.ver":"2.0","TLS.identifier":"administrator","TLS.sdkappid":%d,"TLS.time":%d,"TLS.expire":%d,"TLS.sig":"AAAA"}`,
				s.AppID, at, expire))
		}
		now := time.Now()
		for field, sig := range map[string]string{
			"TLS.time": document(now.UnixMilli(), 3600), "TLS.expire": document(now.Unix(), 99_999_999_999),
		} {
			e, _, _ := call{query: with(t, s, "usersig", sig), body: alice}.do(t, s)
			if e.ErrorCode != 70003 || !strings.Contains(e.ErrorInfo, field) || !strings.Contains(e.ErrorInfo, "milliseconds") {
				t.Errorf("REST: answered %+v, want 70003 that names %s", e, field)
			}
			e = s.Connect(t).TryLogin(t, magpietest.Admin, sig)
			if e.ErrorCode != 70003 || !strings.Contains(e.ErrorInfo, field) || !strings.Contains(e.ErrorInfo, "milliseconds") {
				t.Errorf("a client's login: answered %+v, want 70003 that names %s", e, field)
			}
		}
	})
}

// An application may check signatures of the older kind, with its public key, beside those of the newer.
func TestECDSA(t *testing.T) {
	magpietest.Shared(t, func(t *testing.T, s *Server) {
		private := privateKey(t)
		s.Configure(t, "public_key", publicKey(t, private))
		sign := func(key, userID string, app uint32, at time.Time) string {
			sig, err := usersig.SignECDSA(app, key, userID, time.Hour, at)
			if err != nil {
				t.Fatal(err)
			}
			return sig
		}
		now := time.Now()
		good := sign(private, magpietest.Admin, s.AppID, now)
		magpietest.Eventually(t, "the key is in force", func() bool {
			e, _, _ := call{query: with(t, s, "usersig", good), body: alice}.do(t, s)
			return e.ErrorCode == 0
		})
		for _, row := range []struct {
			name, sig string
			code      int
		}{
			{"the newer kind", s.UserSig(t, magpietest.Admin), 0},
			{"another key", sign(privateKey(t), magpietest.Admin, s.AppID, now), 70009},
			{"another user", sign(private, "bob", s.AppID, now), 70013},
			{"another application", sign(private, magpietest.Admin, s.AppID+1, now), 70014},
			{"expired", sign(private, magpietest.Admin, s.AppID, now.Add(-2*time.Hour)), 70001},
		} {
			e, _, _ := call{query: with(t, s, "usersig", row.sig), body: alice}.do(t, s)
			wantCode(t, row.name, e, row.code)
		}
		// A client logs in with it too.
		if e := s.Connect(t).TryLogin(t, "zoe", sign(private, "zoe", s.AppID, now)); e.ErrorCode != 0 {
			t.Errorf("a client's login: answered %+v", e)
		}
	})
}

// An application may have more administrators.
func TestAdministrators(t *testing.T) {
	magpietest.Shared(t, func(t *testing.T, s *Server) {
		query := with(t, s, "identifier", "bob")
		query.Set("usersig", s.UserSig(t, "bob"))
		e, _, _ := call{query: query, body: alice}.do(t, s)
		wantCode(t, "before", e, 60010)
		s.Configure(t, "admins", magpietest.Admin+",bob")
		e, _, _ = call{query: query, body: alice}.do(t, s)
		wantCode(t, "an administrator", e, 0)
		// He cannot be deleted while he is one.
		var reply struct{ ResultItem []struct{ ResultCode int } }
		s.MustREST(t, "im_open_login_svc/account_delete", M{"DeleteItem": []M{{"UserID": "bob"}}}, &reply)
		if reply.ResultItem[0].ResultCode == 0 {
			t.Error("an administrator was deleted")
		}
		s.Configure(t, "admins", magpietest.Admin)
		e, _, _ = call{query: query, body: alice}.do(t, s)
		wantCode(t, "afterwards", e, 60010)
	})
}

// packed is how a UserSig wraps its JSON.
func packed(t *testing.T, document []byte) string {
	t.Helper()
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	if _, err := z.Write(document); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer("+", "*", "/", "-", "=", "_").Replace(base64.StdEncoding.EncodeToString(b.Bytes()))
}

func privateKey(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}))
}

func publicKey(t *testing.T, private string) string {
	t.Helper()
	block, _ := pem.Decode([]byte(private))
	key, err := x509.ParseECPrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}
