package json

import (
	v1 "encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// text is the smallest target with a raw and a decoded field.
type text[R any] struct {
	Text string `json:"Text"`
	Raw  R      `json:"Raw"`
}

var hostile = []struct{ name, in string }{
	{"wrong case", `{"tEXT":"x"}`},
	{"duplicate name", `{"Text":"first","Text":"last"}`},
	{"duplicate unknown name", `{"a":1,"a":2}`},
	{"duplicate name in raw", `{"Raw":{"a":1,"a":2}}`},
	{"lone surrogate escape", `{"Text":"a\ud83d"}`},
	{"lone surrogate in raw", `{"Raw":"a\ud83d"}`},
	{"invalid UTF-8 bytes", "{\"Text\":\"a\xff\xfe\"}"},
	{"invalid UTF-8 in raw", "{\"Raw\":\"a\xff\xfe\"}"},
	{"control character", "{\"Text\":\"a\x01\"}"},
	{"control character in raw", "{\"Raw\":\"a\x01\"}"},
	{"bad escape in raw", `{"Raw":"\q"}`},
	{"bad number in raw", `{"Raw":01}`},
	{"bad number skipped", `{"skip":01.}`},
	{"bad literal skipped", `{"skip":trux}`},
	{"trailing data", `{"Text":"x"} {}`},
	{"trailing NUL", "{\"Text\":\"x\"}\x00"},
	{"cut short in raw", `{"Raw":{"a":[1,2}`},
	{"mismatched bracket skipped", `{"skip":[1,2}}`},
	{"number for string", `{"Text":1}`},
	{"null for string", `{"Text":null}`},
}

// TestHostile asserts nothing: it prints what each codec does with input a hostile client may send.
func TestHostile(t *testing.T) {
	for _, h := range hostile {
		t.Logf("%s: %q", h.name, h.in)
		for _, c := range codecs {
			t.Logf("    %-20s %s", c.name, answer(c, h.in))
		}
	}
}

func answer(c codec, in string) (out string) {
	defer func() {
		if r := recover(); r != nil {
			out = fmt.Sprint("PANIC ", r)
		}
	}()
	if c.raw {
		return answerAs[jsontext.Value](c, in)
	}
	return answerAs[v1.RawMessage](c, in)
}

func answerAs[R ~[]byte](c codec, in string) string {
	var v text[R]
	if err := c.unmarshal([]byte(in), &v); err != nil {
		return "refused: " + strings.ReplaceAll(fmt.Sprintf("%.70s", err.Error()), "\n", " ")
	}
	return fmt.Sprintf("taken: Text=%+q Raw=%+q", v.Text, string(v.Raw))
}

// TestDepth runs each codec in a process of its own, because an overrun of the goroutine stack cannot be recovered.
func TestDepth(t *testing.T) {
	if name := os.Getenv("CODEC"); name != "" {
		deep(name, os.Getenv("SHAPE"))
		return
	}
	for _, shape := range []string{"raw", "skip", "any", "marshal"} {
		for _, c := range codecs {
			cmd := exec.Command(os.Args[0], "-test.run", "TestDepth")
			cmd.Env = append(os.Environ(), "CODEC="+c.name, "SHAPE="+shape)
			out, err := cmd.CombinedOutput()
			t.Logf("%-8s %-20s err=%v %.110s", shape, c.name, err, strings.ReplaceAll(string(out), "\n", " "))
		}
	}
}

const levels = 20_000_000

func deep(name, shape string) {
	for _, c := range codecs {
		if c.name != name {
			continue
		}
		nest := strings.Repeat("[", levels) + strings.Repeat("]", levels)
		var err error
		switch shape {
		case "raw":
			if c.raw {
				err = c.unmarshal([]byte(`{"Raw":`+nest+`}`), &text[jsontext.Value]{})
			} else {
				err = c.unmarshal([]byte(`{"Raw":`+nest+`}`), &text[v1.RawMessage]{})
			}
		case "skip":
			err = c.unmarshal([]byte(`{"skip":`+nest+`}`), &text[v1.RawMessage]{})
		case "any":
			var v any
			err = c.unmarshal([]byte(nest), &v)
		case "marshal":
			if c.raw {
				_, err = c.marshal(text[jsontext.Value]{Raw: jsontext.Value(nest)})
			} else {
				_, err = c.marshal(text[v1.RawMessage]{Raw: v1.RawMessage(nest)})
			}
		}
		if err == nil {
			fmt.Println("taken")
		} else {
			fmt.Printf("refused: %.60s\n", err.Error())
		}
	}
}
