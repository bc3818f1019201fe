package element_test

import (
	"os"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/magpie-im/magpie/internal/chat/element"
)

func BenchmarkParse(b *testing.B) {
	media, err := os.ReadFile("testdata/websdk_media.json")
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct{ name, raw string }{
		{"text", `[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hi bob 中文😀"}}]`},
		{"textEscaped", `[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hi bob \u4e2d\u6587 \"quoted\""}}]`},
		{"textContentFirst", `[{"MsgContent":{"Text":"hi bob 中文😀"},"MsgType":"TIMTextElem"}]`},
		{"media", string(media)},
	} {
		b.Run(c.name, func(b *testing.B) {
			raw := jsontext.Value(c.raw)
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := element.Parse(raw, 12<<10); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDigest(b *testing.B) {
	raw := jsontext.Value(`[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hi bob 中文😀"}}]`)
	b.ReportAllocs()
	for b.Loop() {
		if element.Digest(raw) == "" {
			b.Fatal("empty")
		}
	}
}
