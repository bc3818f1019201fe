package element_test

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/magpie-im/magpie/internal/chat/element"
	"github.com/magpie-im/magpie/internal/im"
)

// FuzzParse checks what must hold for every input: a refusal has one of the documented codes, and a body that is accepted
// is compact strict JSON that storage takes, within the limit, and comes through a second time unchanged.
func FuzzParse(f *testing.F) {
	media, err := os.ReadFile("testdata/websdk_media.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(media)
	for _, seed := range []string{
		one("TIMTextElem", `{"Text":"hi"}`),
		`[{"MsgContent":{"Text":"\u0000\ud83d"},"x":[],"MsgType":"TIMTextElem"}]`,
		one("TIMTextElem", "{\"Text\":\"a\xff\",\"\xfe\":1,\"\xfd\":2}"),
		one("TIMCustomElem", `{"Data":"{\"a\":1}","Desc":null,"Ext":"e","Sound":"s","x":{"y":[1e5,null]}}`),
		one("TIMFaceElem", `{"Index":"1.50e1","Data":""}`),
		one("TIMFaceElem", `{"Index":-0.0}`),
		one("TIMLocationElem", `{"Desc":"d","Latitude":29.340656774469956,"Longitude":1E400}`),
		one("TIMRelayElem", `{"Title":"t","AbstractList":["a"],"CompatibleText":"c","Version":1,"MsgNum":1,"MsgList":[{"MsgBody":[{}]}]}`),
		one("TIMImageElem", `{"UUID":"u","ImageInfoArray":[{"URL":"x","Width":1,"Height":1,"InstanceId":1}]}`),
		`[{"MsgType":"TIMTextElem","MsgType":"TIMTextElem"}]`, `[]`, `[1]`, `null`, `[[[[`, ` [ { } ] `,
	} {
		f.Add([]byte(seed))
	}
	codes := []im.Code{
		im.CodeMessageBodyArray, im.CodeMessageBody, im.CodeMessageFormat, im.CodeMessageTooLong, im.CodeMessageBadJSON,
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		given := bytes.Clone(raw)
		body, err := element.Parse(raw, maxBytes)
		if !bytes.Equal(raw, given) {
			t.Fatal("the input was changed")
		}
		if err != nil {
			var e *im.Error
			if !errors.As(err, &e) || !slices.Contains(codes, e.Code) || !utf8.ValidString(e.Info) || len(e.Info) > 400 {
				t.Fatalf("refused with %#v", err)
			}
			return
		}
		out := body.JSON()
		compact := out.Clone()
		switch {
		case !out.IsValid(): // strict: valid UTF-8, no name twice
			t.Fatalf("not strict JSON: %q", out)
		case compact.Compact() != nil || !bytes.Equal(compact, out):
			t.Fatalf("not compact: %q", out)
		case bytes.IndexByte(out, 0) >= 0:
			t.Fatalf("a raw NUL: %q", out)
		case len(out) > maxBytes:
			t.Fatalf("%d bytes", len(out))
		}
		again, err := element.Parse(out, maxBytes)
		if err != nil || !bytes.Equal(again.JSON(), out) {
			t.Fatalf("a second time %v\n%q\n%q", err, out, again.JSON())
		}
		if !slices.Equal(body.Kinds(), again.Kinds()) || body.Digest() != again.Digest() || body.Digest() != element.Digest(out) {
			t.Fatalf("kinds or digest differ: %q", out)
		}
	})
}
