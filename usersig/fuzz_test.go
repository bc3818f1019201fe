package usersig

import (
	"errors"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
)

// FuzzParse reads its input twice, as a signature and as the document inside one: chance alone does not find its way through
// the checksum of the compression.
func FuzzParse(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add(v.Sig)
		doc, err := unpack(v.Sig)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(doc))
	}
	for _, seed := range []string{"", "____", "eJw", docHMAC, docECDSA, `{"TLS.ver":"2.0","TLS.userbuf":""}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, input string) {
		checkParse(t, input)
		if sig, err := pack([]byte(input)); err == nil {
			checkParse(t, sig)
		}
	})
}

func checkParse(t *testing.T, sig string) {
	got, err := parse(sig)
	c := got.claims
	if err != nil {
		if !errors.Is(err, ErrEmpty) && !errors.Is(err, ErrMalformed) {
			t.Fatalf("unnamed error %v", err)
		}
		if !reflect.DeepEqual(got, token{}) {
			t.Fatalf("error %v with %+v", err, got)
		}
		return
	}
	if c.ExpiresAt().Before(c.IssuedAt) || c.Expire > maxExpire*time.Second || c.AppID == 0 || len(sig) > MaxLen {
		t.Fatalf("out of bounds: %+v", c)
	}
	if !saysOnly(string(got.text), c) {
		t.Fatalf("%+v was signed as %q", c, got.text)
	}
	if _, err := Verify(sig, c.AppID, c.UserID, Keys{Secret: "nobody's"}, c.IssuedAt); err == nil {
		t.Fatal("forged")
	}
	if c.Expire > 0 {
		c.Version = VersionHMAC
		again, err := SignClaims(c, secret)
		if read, err2 := Parse(again); err == nil && (err2 != nil || !reflect.DeepEqual(read, c)) {
			t.Fatalf("%+v became %+v, %v", c, read, err2)
		}
	}
}

// saysOnly reads the signed text as a stranger would, line by line, and asks whether it can mean anything but the claims.
func saysOnly(text string, c Claims) bool {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	said := make(map[string]string)
	for _, l := range lines {
		name, value, _ := strings.Cut(l, ":")
		said[name] = value
	}
	app, expire, count := fieldApp, fieldExpire, 4
	if c.Version == VersionECDSA {
		app, expire, count = fieldAppOld, fieldExpireOld, 5
		if _, ok := said[fieldThirdApp]; ok {
			count++
		}
	}
	if c.UserBuf != nil {
		count++
	}
	return len(said) == count && len(lines) == count && said[fieldUser] == c.UserID &&
		said[app] == strconv.Itoa(int(c.AppID)) && said[fieldTime] == strconv.FormatInt(c.IssuedAt.Unix(), 10) &&
		said[expire] == strconv.Itoa(int(c.Expire/time.Second))
}
