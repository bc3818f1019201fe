package json

import (
	v1 "encoding/json"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// BenchmarkDecodeSend is the whole inbound path: envelope, then the body.
func BenchmarkDecodeSend(b *testing.B) {
	for _, c := range codecs {
		b.Run(c.name, func(b *testing.B) {
			if c.raw {
				decode[jsontext.Value](b, c)
			} else {
				decode[v1.RawMessage](b, c)
			}
		})
	}
}

func decode[R ~[]byte](b *testing.B, c codec) {
	in := []byte(sendFrame)
	b.ReportAllocs()
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		var f Frame[R]
		var s Send[R]
		if err := c.unmarshal(in, &f); err != nil {
			b.Fatal(err)
		}
		if err := c.unmarshal(f.Body, &s); err != nil {
			b.Fatal(err)
		}
		if f.Head.Seq != 27889818 || s.ClientTime != 1795238798 || len(s.Elements) != 1 {
			b.Fatalf("decoded wrongly: %+v %+v", f.Head, s)
		}
	}
}

// BenchmarkEncodePush is the outbound path; its result is shared by every session it goes to.
func BenchmarkEncodePush(b *testing.B) {
	for _, c := range codecs {
		b.Run(c.name, func(b *testing.B) {
			if c.raw {
				encode(b, c, push[jsontext.Value]())
			} else {
				encode(b, c, push[v1.RawMessage]())
			}
		})
	}
}

func encode(b *testing.B, c codec, v any) {
	b.ReportAllocs()
	for b.Loop() {
		out, err := c.marshal(v)
		if err != nil || len(out) < 500 {
			b.Fatal(len(out), err)
		}
	}
}
