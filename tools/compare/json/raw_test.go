package json

import (
	v1 "encoding/json"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// TestRawOut prints what becomes of a raw value on its way out: byte for byte, rewritten, or refused.
func TestRawOut(t *testing.T) {
	for _, raw := range []string{
		`"<a&b>"`, `"\/"`, `"\u4e2d\ud83d\ude00"`, "\"\u2028\"", `"a\ud83d"`, "\"a\xff\"", `{ "a" : 1.0e5 }`, `{"a":1,"a":2}`,
		`12345678901234567890123`, `not json`,
	} {
		t.Logf("%+q", raw)
		for _, c := range codecs {
			var out []byte
			var err error
			if c.raw {
				out, err = c.marshal(text[jsontext.Value]{Raw: jsontext.Value(raw)})
			} else {
				out, err = c.marshal(text[v1.RawMessage]{Raw: v1.RawMessage(raw)})
			}
			if err != nil {
				t.Logf("    %-20s refused: %.80s", c.name, err)
			} else {
				t.Logf("    %-20s %+q", c.name, out[len(`{"Text":"","Raw":`):len(out)-1])
			}
		}
	}
}
