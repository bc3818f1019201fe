package usersig

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"errors"
	"runtime"
	"strings"
	"testing"
)

const (
	docHMAC = `{"TLS.ver":"2.0","TLS.identifier":"alice","TLS.sdkappid":1400000000,` +
		`"TLS.time":1700000000,"TLS.expire":3600,"TLS.sig":"QUFB"}`
	docECDSA = `{"TLS.account_type":"0","TLS.identifier":"alice","TLS.appid_at_3rd":"0","TLS.sdk_appid":"1400000000",` +
		`"TLS.expire_after":"3600","TLS.version":"201610110000","TLS.time":"1700000000","TLS.sig":"QUFB"}`
)

// Spellings that differ between generators, all of which apps use.
func TestParseAccepts(t *testing.T) {
	for _, change := range []struct{ doc, from, to string }{
		{docHMAC, "", ""},
		{docHMAC, "1400000000", `"1400000000"`},
		{docHMAC, "1700000000", `"1700000000"`},
		{docHMAC, "3600", `"3600"`},
		{docHMAC, `3600`, `0`},
		{docHMAC, `{`, "\n {\t"},
		{docHMAC, `}`, "}\n"},
		{docHMAC, `{`, `{"TLS.future":{"a":[1,{"b":null}],"a":1},`},
		{docHMAC, "alice", `\u0061lice`},
		{docHMAC, "TLS.ver", `TLS\u002ever`},
		{docHMAC, "QUFB", `QU\r\nFB`},
		{docECDSA, "", ""},
		{docECDSA, `"1400000000"`, "1400000000"},
		{docECDSA, `"TLS.account_type":"0"`, `"TLS.account_type":107`},
		{docECDSA, `"TLS.appid_at_3rd":"0",`, ``},
		{docECDSA, `"TLS.version":"201610110000",`, ``},
	} {
		doc := strings.Replace(change.doc, change.from, change.to, 1)
		c, err := Parse(repack(t, doc))
		if err != nil || c.AppID != app || c.UserID != "alice" || !c.IssuedAt.Equal(issued) {
			t.Errorf("%s: got %+v, %v", doc, c, err)
		}
	}
}

func TestParseRefusesDocuments(t *testing.T) {
	docs := []string{
		"", "null", "[]", `"TLS.ver"`, "1", "{}", "{", docHMAC + "{}", docHMAC + "x", docHMAC[1:], `{"TLS.ver":"2.0"}`,
		"\ufeff" + docHMAC, strings.Repeat("[", maxDocument), `{"a":` + strings.Repeat("[", maxDocument-9),
	}
	for _, change := range []struct{ from, to string }{
		{`"2.0"`, `"3.0"`}, {`"2.0"`, `2.0`}, {`"2.0"`, `null`}, {`"TLS.ver"`, `"tls.VER"`},
		{`{`, `{"TLS.identifier":"bob",`}, {`{`, `{"TLS\u002eidentifier":"bob",`}, {`{`, `{"x":1,"x":1,`}, {`{`, "{\"x\":\"\xff\","},
		{`"alice"`, `""`}, {`"alice"`, `1`}, {`"alice"`, `null`}, {`"alice"`, `["alice"]`}, {`"alice"`, `{}`},
		{"alice", `alice\nTLS.sdkappid:1`}, {"alice", `alice\r`}, {"alice", `alice\u0000`}, {"alice", `alice\u0085`},
		{"alice", "alice\n"}, {"alice", "alice\xff"}, {"alice", `alice\ud800`}, {"alice", "alice\ufffd"},
		{"1400000000", "0"}, {"1400000000", "-1"}, {"1400000000", "4294967296"}, {"1400000000", "5694967296"},
		{"1400000000", "1.4e9"}, {"1400000000", "1400000000.0"}, {"1400000000", `"01400000000"`},
		{"1400000000", `"+1400000000"`}, {"1400000000", `" 1400000000"`}, {"1400000000", `"1400000000\n"`},
		{"1400000000", `""`}, {"1400000000", `"0x1"`}, {"1400000000", "true"}, {"1400000000", "[1]"},
		{"1400000000", `"1_0"`}, {"1400000000", `"１"`}, {"1400000000", "-0"},
		{"1700000000", "-1"}, {"1700000000", "253402300800"}, {"1700000000", "9223372036854775807"},
		{"1700000000", "99999999999999999999"}, {"1700000000", `"2023-11-14T22:13:20Z"`}, {"1700000000", "null"},
		{"3600", "-3600"}, {"3600", "4294967296"}, {"3600", "9223372036854775807"}, {"3600", "1e400"}, {"3600", "3600.5"},
		{`"QUFB"`, `""`}, {`"QUFB"`, `null`}, {`"QUFB"`, `1`}, {`"QUFB"`, `"Q"`}, {`"QUFB"`, `"QUFB*"`},
		{`{`, `{"TLS.userbuf":null,`}, {`{`, `{"TLS.userbuf":1,`}, {`{`, `{"TLS.userbuf":"Q",`},
		{`{`, `{"TLS.userbuf":"QQ",`}, {`{`, `{"TLS.userbuf":"QR==",`}, {`{`, `{"TLS.userbuf":"QU\nFB",`},
	} {
		docs = append(docs, strings.Replace(docHMAC, change.from, change.to, 1))
	}
	for _, change := range []struct{ from, to string }{
		{`"TLS.account_type":"0",`, ``}, {`"TLS.account_type":"0"`, `"TLS.account_type":"0\nTLS.identifier:bob"`},
		{`"TLS.account_type":"0"`, `"TLS.account_type":-1`}, {`"TLS.account_type":"0"`, `"TLS.account_type":[]`},
		{`"TLS.appid_at_3rd":"0"`, `"TLS.appid_at_3rd":null`}, {`"TLS.appid_at_3rd":"0"`, `"TLS.appid_at_3rd":"\n"`},
		{"sdk_appid", "sdkappid"}, {"expire_after", "expire"}, {`"1700000000"`, `"2017-07-14T02:40:00-08:00"`},
	} {
		docs = append(docs, strings.Replace(docECDSA, change.from, change.to, 1))
	}
	for _, doc := range docs {
		if c, err := Parse(repack(t, doc)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%.200s: got %+v, %v", doc, c, err)
		}
	}
}

func TestParseRefusesPacking(t *testing.T) {
	good := vectors(t)[0].Sig
	raw, err := packed.DecodeString(good)
	std := base64.StdEncoding.EncodeToString(raw)
	if err != nil || !strings.ContainsAny(std, "+/=") {
		t.Fatal("this vector cannot tell the alphabets apart", err)
	}
	for name, sig := range map[string]string{
		"standard alphabet":  std,
		"line break":         good[:8] + "\n" + good[8:],
		"trailing line":      good + "\n",
		"trailing letter":    good + "A",
		"trailing padding":   good + "_",
		"space":              good + " ",
		"NUL":                good + "\x00",
		"not ASCII":          "é" + good,
		"plain JSON":         docHMAC,
		"plain text":         "alice",
		"empty data":         "____",
		"cut":                encode(raw[:len(raw)-1]),
		"only a header":      encode(raw[:2]),
		"wrong checksum":     encode(flip(bytes.Clone(raw), len(raw)-1)),
		"data after the end": encode(append(bytes.Clone(raw), 0)),
		"twice":              encode(append(bytes.Clone(raw), raw...)),
		"preset dictionary":  encode(deflate(t, docHMAC, zlib.DefaultCompression, "TLS.")),
		"unused bits set":    strings.TrimSuffix(good, "8_") + "9_",
		"over the length":    encode(deflate(t, docHMAC+strings.Repeat(" ", MaxLen), zlib.NoCompression, "")),
	} {
		if c, err := Parse(sig); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: got %+v, %v", name, c, err)
		}
	}
}

// A bomb of four megabytes that fits in MaxLen is given up after maxDocument, and costs about that much memory.
func TestParseRefusesBomb(t *testing.T) {
	sig := encode(deflate(t, strings.Repeat(" ", 4<<20)+docHMAC, zlib.DefaultCompression, ""))
	if len(sig) > MaxLen {
		t.Fatal("the bomb is too large to get as far as it should")
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := Parse(sig)
	runtime.ReadMemStats(&after)
	if !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), "inflates") {
		t.Error(err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 20*maxDocument {
		t.Errorf("allocated %d bytes", used)
	}
	fits := docHMAC + strings.Repeat(" ", maxDocument-len(docHMAC))
	if _, err := Parse(repack(t, fits)); err != nil {
		t.Errorf("of exactly the largest size: %v", err)
	}
}

func encode(raw []byte) string { return packed.EncodeToString(raw) }

func deflate(t *testing.T, doc string, level int, dictionary string) []byte {
	t.Helper()
	var b bytes.Buffer
	z, err := zlib.NewWriterLevelDict(&b, level, []byte(dictionary))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = z.Write([]byte(doc))
	z.Close()
	return b.Bytes()
}
