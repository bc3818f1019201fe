package usersig

import (
	"encoding/json"
	"os"
	"reflect"
	"testing"
	"time"
)

// vector is an input and output of a generator that apps use; see testdata/README.md.
type vector struct {
	Generator string
	Key       string // of HMAC
	Public    string // of ECDSA: a file
	App       uint32
	User      string
	Expire    int64
	Time      int64
	UserBuf   *[]byte
	Sig       string
}

func (v vector) claims() Claims {
	c := Claims{
		Version: VersionECDSA, AppID: v.App, UserID: v.User,
		IssuedAt: time.Unix(v.Time, 0).UTC(), Expire: time.Duration(v.Expire) * time.Second,
	}
	if v.Key != "" {
		c.Version = VersionHMAC
	}
	if v.UserBuf != nil {
		c.UserBuf = *v.UserBuf
	}
	return c
}

func (v vector) keys(t testing.TB) Keys {
	if v.Public == "" {
		return Keys{Secret: v.Key}
	}
	return Keys{Public: mustKey(t, v.Public)}
}

func TestVectorsVerify(t *testing.T) {
	for _, v := range vectors(t) {
		want := v.claims()
		got, err := Verify(v.Sig, v.App, v.User, v.keys(t), want.ExpiresAt())
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s, %q: got %+v, %v; want %+v", v.Generator, v.User, got, err, want)
		}
		if parsed, err := Parse(v.Sig); err != nil || !reflect.DeepEqual(parsed, want) {
			t.Errorf("%s, %q: parsed %+v, %v", v.Generator, v.User, parsed, err)
		}
	}
}

// Our signature for a generator's input holds the generator's document: the same members, types and, for HMAC, proof.
func TestVectorsSign(t *testing.T) {
	for _, v := range vectors(t) {
		key := v.Key
		if v.Public != "" {
			key = read(t, private(v.Public, "sec1"))
		}
		sig, err := SignClaims(v.claims(), key)
		if err != nil {
			t.Errorf("%s, %q: %v", v.Generator, v.User, err)
			continue
		}
		got, want := document(t, sig), document(t, v.Sig)
		if v.Public != "" {
			delete(got, fieldProof)
			delete(want, fieldProof)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s, %q:\n got %v\nwant %v", v.Generator, v.User, got, want)
		}
		if _, err := Verify(sig, v.App, v.User, v.keys(t), v.claims().IssuedAt); err != nil {
			t.Errorf("%s, %q: our own: %v", v.Generator, v.User, err)
		}
	}
}

func vectors(t testing.TB) []vector {
	t.Helper()
	var all []vector
	if err := json.Unmarshal([]byte(read(t, "vectors.json")), &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func document(t testing.TB, sig string) map[string]any {
	t.Helper()
	b, err := unpack(sig)
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]any
	if err := json.Unmarshal(b, &members); err != nil {
		t.Fatal(err)
	}
	return members
}

func mustKey(t testing.TB, file string) *PublicKey {
	t.Helper()
	k, err := ParsePublicKey(read(t, file))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// private is the file of the private key that belongs to a public one.
func private(public, container string) string {
	return public[:len(public)-len("pub.pem")] + container + ".pem"
}

func read(t testing.TB, file string) string {
	t.Helper()
	b, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
