package file

import (
	"bytes"
	"errors"
	"io"
	"mime/multipart"
	"net/url"
	"strings"
	"testing"
	"time"
)

func testSigner() signer { return signer{func() []byte { return []byte("a key of the test") }} }

func TestTokens(t *testing.T) {
	s := testSigner()
	now := time.Unix(1_800_000_000, 0)
	for _, a := range []address{
		{use: useUpload, kind: kindOther, id: 1 << 62, account: -5, expires: now.Unix() + 1},
		{use: useOriginal, id: 7},
	} {
		token := s.sign(5, a)
		if got, err := s.read(5, token, now); got != a || err != nil {
			t.Errorf("%+v came back as %+v, %v", a, got, err)
		}
		if _, err := s.read(6, token, now); !errors.Is(err, errForged) {
			t.Errorf("of another application: %v", err)
		}
		if _, err := (signer{func() []byte { return []byte("another key") }}).read(5, token, now); !errors.Is(err, errForged) {
			t.Errorf("of another key: %v", err)
		}
	}
	if _, err := s.read(5, s.sign(5, address{use: useUpload, expires: now.Unix()}), now); !errors.Is(err, errExpired) {
		t.Errorf("in its last second: %v", err)
	}
}

// Whatever a path is, it is read without a fault, and one that is taken is written as it was read.
func FuzzAddress(f *testing.F) {
	s := testSigner()
	f.Add("/file/1400000001/" + s.sign(1400000001, address{use: useOriginal, id: 9}) + "/a.png")
	f.Add("/file/1400000001/" + strings.Repeat("A", 56) + "/..")
	f.Add("https://im.example.com/file/1/x/a?imageView2/3/w/198/h/198")
	f.Fuzz(func(t *testing.T, text string) {
		if at, err := locate(text); err == nil {
			if at.path() != text {
				t.Errorf("%q is read as %q", text, at.path())
			}
			if a, err := s.read(at.app, at.token, time.Unix(0, 0)); err == nil && s.sign(at.app, a) != at.token {
				t.Errorf("the token %q is another one written anew", at.token)
			}
		}
		if origin, at, err := locateURL(text); err == nil {
			if u, err := url.Parse(origin + at.path()); err != nil || u.Path != at.path() {
				t.Errorf("%q is read as %q (%v)", text, origin+at.path(), err)
			}
		}
		if name := plainName(text); name == "" || len(name) > nameMost || name != plainName(name) || strings.ContainsAny(name, "/\\\"\r\n") {
			t.Errorf("the name %q of %q", name, text)
		}
	})
}

// Whatever a form is, its file is found or refused, and the type of what is in it is one of a few words.
func FuzzForm(f *testing.F) {
	f.Add([]byte("--x\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nk\r\n--x\r\nContent-Disposition: form-data; name=\"file\"; " +
		"filename=\"a\"\r\n\r\n\x89PNG\r\n\x1a\n\r\n--x--\r\n"))
	f.Add([]byte("--x\r\n\r\n--x--"))
	f.Fuzz(func(t *testing.T, form []byte) {
		body, err := fileIn(multipart.NewReader(bytes.NewReader(form), "x"))
		if err != nil {
			var known *refusal
			if !errors.As(err, &known) {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		a := &arrived{}
		if err := a.fill(io.Discard, body, int64(len(form))); err == nil && a.size > int64(len(form)) {
			t.Errorf("%d bytes out of %d", a.size, len(form))
		}
		if found := typeOf(a.head); strings.Count(found, "/") != 1 || strings.ContainsAny(found, "\r\n;") || found == "text/html" {
			t.Errorf("the type is %q", found)
		}
	})
}
