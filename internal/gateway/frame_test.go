package gateway

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/klauspost/compress/gzip"

	"github.com/magpie-im/magpie/internal/wire"
)

// A frame is a request when it has a command and a sequence that can be echoed; everything else may be missing.
func TestDecode(t *testing.T) {
	for _, row := range []struct {
		name, frame string
		ok          bool
	}{
		{"as the web SDK sends it", `{"head":{"ver":"v4","platform":7,"websdkappid":537048168,"websdkversion":"1.7.3","a2":"x","tinyid":"1",` +
			`"status_instid":1001,"sdkappid":1400000001,"contenttype":"json","reqtime":1795238799,"sdkability":75689843,` +
			`"sdkability_ext":"","cappid":0,"cs":3948241856,"servcmd":"openim.sendmsg","seq":27889818},"body":{"To_Account":"bob"}}`, true},
		{"the least", `{"head":{"servcmd":"a.b","seq":1}}`, true},
		{"a body of any kind", `{"head":{"servcmd":"a.b","seq":1},"body":[1,2]}`, true},
		{"a sequence in text", `{"head":{"servcmd":"a.b","seq":"x1"},"body":{}}`, true},
		{"a sequence of 32 bits and more", `{"head":{"servcmd":"a.b","seq":99999999999},"body":{}}`, true},
		{"unknown members", `{"head":{"servcmd":"a.b","seq":1,"new":{"x":[]}},"body":{},"tail":1}`, true},
		{"nothing", ``, false},
		{"null", `null`, false},
		{"an empty object", `{}`, false},
		{"no head", `{"body":{}}`, false},
		{"a head that is text", `{"head":"x","body":{}}`, false},
		{"a head that is a list", `{"head":[],"body":{}}`, false},
		{"no command", `{"head":{"seq":1}}`, false},
		{"an empty command", `{"head":{"servcmd":"","seq":1}}`, false},
		{"a command that is a number", `{"head":{"servcmd":7,"seq":1}}`, false},
		{"no sequence", `{"head":{"servcmd":"a.b"}}`, false},
		{"a sequence that is null", `{"head":{"servcmd":"a.b","seq":null}}`, false},
		{"a sequence that is an object", `{"head":{"servcmd":"a.b","seq":{}}}`, false},
		{"a sequence that is a list", `{"head":{"servcmd":"a.b","seq":[1]}}`, false},
		{"a sequence that is true", `{"head":{"servcmd":"a.b","seq":true}}`, false},
		{"a sequence without end", `{"head":{"servcmd":"a.b","seq":` + strings.Repeat("9", 100) + `}}`, false},
		{"a long text for a sequence", `{"head":{"servcmd":"a.b","seq":"` + strings.Repeat("x", 100) + `"}}`, false},
		{"a signature that is a number", `{"head":{"servcmd":"a.b","seq":1,"usersig":7}}`, false},
		{"a token that is a list", `{"head":{"servcmd":"a.b","seq":1,"a2":[]}}`, false},
		{"a list", `[]`, false},
		{"text", `"x"`, false},
		{"two", `{"head":{"servcmd":"a.b","seq":1}}{"head":{"servcmd":"a.b","seq":1}}`, false},
		{"cut short", `{"head":{"servcmd":"a.b","seq":1`, false},
		{"a member twice", `{"head":{"servcmd":"a.b","servcmd":"c.d","seq":1}}`, false},
		{"binary", "\x00\x01\x02", false},
		{"compressed", "COMP\x1f\x8b\x08", false},
		{"deep", `{"head":` + strings.Repeat(`{"head":`, 20_000), false},
	} {
		if _, err := decode([]byte(row.frame)); (err == nil) != row.ok {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}

// What is echoed comes back as it was sent, whatever it was.
func TestEncodeEchoes(t *testing.T) {
	for _, row := range []struct{ head, want string }{
		{`{"servcmd":"openim.sendmsg","seq":27889818}`, `{"head":{"servcmd":"openim.sendmsg","seq":27889818},"body":{"x":1}}`},
		{`{"servcmd":"a\"b\\c\u0000\ud83d","seq":"q\"1"}`, `{"head":{"servcmd":"a\"b\\c\u0000` + "\uFFFD" + `","seq":"q\"1"},"body":{"x":1}}`},
		{`{"servcmd":"<中>","seq":1.5e3}`, `{"head":{"servcmd":"<中>","seq":1.5e3},"body":{"x":1}}`},
	} {
		r, err := decode([]byte(`{"head":` + row.head + `}`))
		if err != nil {
			t.Errorf("%s: %v", row.head, err)
			continue
		}
		if got := string(encode(nil, &r.Head, []byte(`{"x":1}`))); got != row.want {
			t.Errorf("%s is answered %s, want %s", row.head, got, row.want)
		}
	}
}

// Compression is taken where it pays only, and what was packed is what is unpacked.
func TestDeflate(t *testing.T) {
	long := []byte(strings.Repeat(`{"From_Account":"alice"}`, 200))
	packed := deflate(long)
	rest, ok := bytes.CutPrefix(packed, []byte("COMP"))
	if !ok || len(packed) >= len(long)/4 {
		t.Fatalf("%d bytes became %d: %.20q", len(long), len(packed), packed)
	}
	z, err := gzip.NewReader(bytes.NewReader(rest))
	if err != nil {
		t.Fatal(err)
	}
	var plain bytes.Buffer
	if _, err := plain.ReadFrom(z); err != nil || !bytes.Equal(plain.Bytes(), long) {
		t.Errorf("unpacked %d bytes (%v), want %d", plain.Len(), err, len(long))
	}
	for _, short := range []string{"", "x", `{"head":{}}`} {
		if got := deflate([]byte(short)); string(got) != short {
			t.Errorf("%q became %q", short, got)
		}
	}
}

// A frame's bytes are made once for each variant, whoever asks first; a small frame has the same bytes for those who
// inflate and those who do not.
func TestFrameIsMadeOnce(t *testing.T) {
	const above = 100
	for _, payload := range []string{"short", strings.Repeat("long and dull ", 100)} {
		f := &frame{payload: []byte(payload)}
		var made [variants][20]*byte
		var all sync.WaitGroup
		for v := range variants {
			for i := range made[v] {
				all.Go(func() { made[v][i] = &f.wire(v, above)[0] })
			}
		}
		all.Wait()
		for v := range variants {
			for _, first := range made[v] {
				if first != made[v][0] {
					t.Errorf("%.10q: variant %d was made twice", payload, v)
					break
				}
			}
		}
		small := len(payload) <= above
		if shared := made[inflating][0] == made[plain][0]; shared != small {
			t.Errorf("%.10q: shared %v, want %v", payload, shared, small)
		}
		for v, first := range map[variant]byte{inflating: 0x82, plain: 0x82, textual: 0x81} {
			bytes := f.wire(v, above)
			if packed := v == inflating && !small; bytes[0] != first || strings.HasSuffix(string(bytes), payload) == packed {
				t.Errorf("%.10q as variant %d is %.20q", payload, v, bytes)
			}
		}
	}
}

// A reply has the bytes that any other frame of the same payload has.
func TestReplyIsAFrame(t *testing.T) {
	h := &head{Servcmd: "openim.getmsg", Seq: wire.Raw("5")}
	for _, length := range []int{0, 10, 70, 90, 200, 70_000} {
		body := []byte(`{"x":"` + strings.Repeat("x", length) + `"}`)
		payload := encode(nil, h, body)
		for v := range variants {
			for _, above := range []int{0, 150} {
				got := newReply(v, above, h, body)
				same := &frame{payload: payload}
				if !bytes.Equal(got.wire(v, above), same.wire(v, above)) || got.size() != len(payload) {
					t.Errorf("%d bytes as variant %d: %.40q, want %.40q", length, v, got.wire(v, above), same.wire(v, above))
				}
			}
		}
	}
}

// The header of a frame, at the edges of its three forms.
func TestAppendHeader(t *testing.T) {
	for _, row := range []struct {
		length int
		want   string
	}{
		{0, "\x82\x00"}, {125, "\x82\x7d"}, {126, "\x82\x7e\x00\x7e"}, {65535, "\x82\x7e\xff\xff"},
		{65536, "\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"},
	} {
		if got := appendHeader(nil, binaryFrame, row.length); string(got) != row.want {
			t.Errorf("length %d: %x, want %x", row.length, got, row.want)
		}
	}
}

// Whatever bytes come as a frame: refused, or a request whose answer is one JSON object that echoes it.
func FuzzFrame(f *testing.F) {
	for _, seed := range []string{
		`{"head":{"servcmd":"openim.sendmsg","seq":27889818,"a2":"x"},"body":{"To_Account":"bob"}}`,
		`{"head":{"servcmd":"a\"b","seq":"x\\"}}`, `{"head":{"servcmd":"a","seq":-1.5e3},"body":null}`, `{"head":{"servcmd":"\ud83d","seq":1}}`,
		`{"head":{"seq":1}}`, `{}`, `null`, ``, `[`, "COMP", "{\"head\":{\"servcmd\":\"\xff\",\"seq\":0}}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		r, err := decode(frame)
		if err != nil {
			return
		}
		answer := encode(nil, &r.Head, []byte(`{"ErrorCode":0}`))
		if !json.Valid(answer) {
			t.Fatalf("%q is answered %q, which is no JSON", frame, answer)
		}
		echo, err := decode(answer)
		if err != nil {
			t.Fatalf("%q is answered %q: %v", frame, answer, err)
		}
		if echo.Head.Servcmd != strings.ToValidUTF8(r.Head.Servcmd, "\uFFFD") || !bytes.Equal(echo.Head.Seq, r.Head.Seq) {
			t.Fatalf("%q is answered %q", frame, answer)
		}
	})
}
