//go:build goexperiment.jsonv2

package json

import std "encoding/json/v2"

func init() {
	codecs = append(codecs, codec{"std-v2", func(b []byte, v any) error { return std.Unmarshal(b, v) },
		func(v any) ([]byte, error) { return std.Marshal(v) }, false})
}
