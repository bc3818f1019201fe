package json

import (
	v1 "encoding/json"

	"github.com/bytedance/sonic"
	experiment "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	goccy "github.com/goccy/go-json"
	segmentio "github.com/segmentio/encoding/json"
)

// codec is one candidate, reduced to the three jobs of the wire.
type codec struct {
	name      string
	unmarshal func([]byte, any) error
	marshal   func(any) ([]byte, error)
	raw       bool // its own raw type is jsontext.Value
}

var tolerant = experiment.JoinOptions(
	jsontext.AllowInvalidUTF8(true),
	jsontext.AllowDuplicateNames(true),
)

// surrogate-tolerant only: what a JavaScript client needs when it cut an emoji in half.
var utf8Tolerant = experiment.JoinOptions(jsontext.AllowInvalidUTF8(true))

var codecs = []codec{
	{"v1", v1.Unmarshal, v1.Marshal, false},
	{"experiment", func(b []byte, v any) error { return experiment.Unmarshal(b, v) },
		func(v any) ([]byte, error) { return experiment.Marshal(v) }, true},
	{"experiment-utf8", func(b []byte, v any) error { return experiment.Unmarshal(b, v, utf8Tolerant) },
		func(v any) ([]byte, error) { return experiment.Marshal(v, utf8Tolerant) }, true},
	{"experiment-tolerant", func(b []byte, v any) error { return experiment.Unmarshal(b, v, tolerant) },
		func(v any) ([]byte, error) { return experiment.Marshal(v, tolerant) }, true},
	{"sonic-default", sonic.ConfigDefault.Unmarshal, sonic.ConfigDefault.Marshal, false},
	{"sonic-std", sonic.ConfigStd.Unmarshal, sonic.ConfigStd.Marshal, false},
	{"goccy", goccy.Unmarshal, goccy.Marshal, false},
	{"segmentio", segmentio.Unmarshal, segmentio.Marshal, false},
}
