package wire_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/internal/wire"
)

// request is what the tests read into.
type request struct {
	Name  string    `json:"Name"`
	Count *uint32   `json:"Count"`
	Flag  wire.Bool `json:"Flag"`
	List  []string  `json:"List"`
	Inner struct {
		Seq int64 `json:"Seq"`
	} `json:"Inner"`
	Raw wire.Raw `json:"Raw"`
}

// What careless back ends and JavaScript clients send, and what becomes of it.
func TestUnmarshalTolerates(t *testing.T) {
	for _, row := range []struct {
		text string
		want func(*request) bool
	}{
		{``, func(r *request) bool { return r.Name == "" }},
		{" \r\n\t ", func(r *request) bool { return r.Name == "" }},
		{`null`, func(r *request) bool { return r.Name == "" }},
		{`{}`, func(r *request) bool { return r.Count == nil }},
		{`{"Name":null,"Count":null,"List":null}`, func(r *request) bool { return r.Name == "" && r.Count == nil && r.List == nil }},
		{`{"Unknown":{"deep":[1,{"er":2}]},"Name":"x"}`, func(r *request) bool { return r.Name == "x" }},
		{`{"name":"x"}`, func(r *request) bool { return r.Name == "" }}, // names are case-sensitive
		{` {"Count":4294967295} `, func(r *request) bool { return *r.Count == 4294967295 }},
		{`{"Name":"half \ud83d of it"}`, func(r *request) bool { return r.Name == "half \uFFFD of it" }},
		{"{\"Name\":\"no \xff UTF-8\"}", func(r *request) bool { return r.Name == "no \uFFFD UTF-8" }},
		{`{"Name":"a\u0000b"}`, func(r *request) bool { return r.Name == "a\x00b" }},
		{`{"Raw":{"kept":[1,2]}}`, func(r *request) bool { return string(r.Raw) == `{"kept":[1,2]}` }},
		{`{"Flag":0}`, func(r *request) bool { return !bool(r.Flag) }},
		{`{"Flag":1}`, func(r *request) bool { return bool(r.Flag) }},
		{`{"Flag":2}`, func(r *request) bool { return bool(r.Flag) }},
		{`{"Flag":-1}`, func(r *request) bool { return bool(r.Flag) }},
		{`{"Flag":true}`, func(r *request) bool { return bool(r.Flag) }},
		{`{"Flag":false}`, func(r *request) bool { return !bool(r.Flag) }},
		{`{"Flag":null}`, func(r *request) bool { return !bool(r.Flag) }},
	} {
		var r request
		if err := wire.Unmarshal([]byte(row.text), &r); err != nil || !row.want(&r) {
			t.Errorf("%q became %+v (%v)", row.text, r, err)
		}
	}
}

// A value of the wrong type is told by its field, from the outside in.
func TestUnmarshalNamesTheField(t *testing.T) {
	for _, row := range []struct{ text, path, top string }{
		{`{"Name":7}`, "Name", "Name"},
		{`{"Count":"7"}`, "Count", "Count"},
		{`{"Count":-1}`, "Count", "Count"},
		{`{"Count":4294967296}`, "Count", "Count"},
		{`{"Count":1.5}`, "Count", "Count"},
		{`{"List":["a",7]}`, "List.1", "List"},
		{`{"List":"a"}`, "List", "List"},
		{`{"Inner":{"Seq":"x"}}`, "Inner.Seq", "Inner"},
		{`{"Inner":[]}`, "Inner", "Inner"},
		{`{"Flag":"1"}`, "Flag", "Flag"},
		{`{"Flag":[]}`, "Flag", "Flag"},
		{`[]`, "", ""},
		{`7`, "", ""},
		{`"text"`, "", ""},
		{`true`, "", ""},
	} {
		var r request
		err := wire.Unmarshal([]byte(row.text), &r)
		var wrong *wire.FieldError
		if !errors.As(err, &wrong) || wrong.Path != row.path || wrong.Top() != row.top {
			t.Errorf("%s: %#v, want the field %q", row.text, err, row.path)
			continue
		}
		if text := wrong.Error(); row.path != "" && !strings.Contains(text, row.path) || len(text) > 200 {
			t.Errorf("%s: the sentence is %q", row.text, text)
		}
	}
}

// What is no JSON says so in one line of bearable length, and nothing is taken from it.
func TestUnmarshalRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"cut short":               `{"Name":"x`,
		"cut between":             `{"Name":"x",`,
		"only a bracket":          `{`,
		"something after":         `{} {}`,
		"a comma too many":        `{"Name":"x",}`,
		"a comment":               `{/*no*/}`,
		"single quotes":           `{'Name':'x'}`,
		"a member twice":          `{"Name":"x","Name":"y"}`,
		"an unknown one twice":    `{"Other":1,"Other":2}`,
		"NaN":                     `{"Count":NaN}`,
		"a raw control byte":      "{\"Name\":\"a\x01\"}",
		"nested too deep":         strings.Repeat(`{"a":`, 20_000) + "1" + strings.Repeat("}", 20_000),
		"brackets without end":    strings.Repeat("[", 200_000),
		"a long line of nonsense": `{"` + strings.Repeat("x", 10_000),
	} {
		var r request
		err := wire.Unmarshal([]byte(text), &r)
		var syntax *wire.SyntaxError
		if err == nil || (!errors.As(err, &syntax) && text[0] == '{') {
			t.Errorf("%s: %v, want a SyntaxError", name, err)
			continue
		}
		if len(err.Error()) > 300 || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: the sentence is %.400q", name, err)
		}
	}
}

func TestMarshal(t *testing.T) {
	for _, row := range []struct {
		value any
		want  string
	}{
		{struct {
			On  wire.Bool `json:"On"`
			Off wire.Bool `json:"Off"`
		}{true, false}, `{"On":1,"Off":0}`},
		{map[string]string{"a": "<&> 中 \u2028"}, `{"a":"<&> 中 ` + "\u2028" + `"}`},
		{[]byte(nil), `""`},
		{[]string(nil), `[]`},
		{wire.Raw(`{"kept": [1]}`), `{"kept":[1]}`},
		{"no \xff UTF-8", "\"no \uFFFD UTF-8\""},
	} {
		if got, err := wire.Marshal(row.value); err != nil || string(got) != row.want {
			t.Errorf("%#v is written %s (%v), want %s", row.value, got, err, row.want)
		}
	}
	if _, err := wire.Marshal(wire.Raw(`{broken`)); err == nil {
		t.Error("raw text that is no JSON is written")
	}
}

func TestJoin(t *testing.T) {
	for _, row := range []struct{ head, rest, want string }{
		{`{"a":1}`, `{}`, `{"a":1}`},
		{`{"a":1}`, `{"b":2,"c":[3]}`, `{"a":1,"b":2,"c":[3]}`},
	} {
		if got := string(wire.Join([]byte(row.head), []byte(row.rest))); got != row.want {
			t.Errorf("%s and %s make %s, want %s", row.head, row.rest, got, row.want)
		}
	}
}

// Some callers write a number as text.
func TestNumber(t *testing.T) {
	for text, want := range map[string]wire.Number{
		`5`: 5, `"5"`: 5, `-5`: -5, `""`: 0, `null`: 0, `0`: 0, `"9223372036854775807"`: 9223372036854775807,
	} {
		var r struct{ N wire.Number }
		if err := wire.Unmarshal([]byte(`{"N":`+text+`}`), &r); err != nil || r.N != want {
			t.Errorf("%s became %d (%v), want %d", text, r.N, err, want)
		}
	}
	for _, text := range []string{`"soon"`, `1.5`, `true`, `[]`, `{}`, `"1 2"`, `9223372036854775808`} {
		var r struct{ N wire.Number }
		var wrong *wire.FieldError
		if err := wire.Unmarshal([]byte(`{"N":`+text+`}`), &r); !errors.As(err, &wrong) || wrong.Path != "N" {
			t.Errorf("%s: %v, want the field named", text, err)
		}
	}
}

func TestText(t *testing.T) {
	if got := wire.Text("a\x00b\x00"); got != "ab" {
		t.Errorf("got %q", got)
	}
}

// Whatever bytes come: an error of one of the two kinds or a value, never a panic, and what was read can be written and
// read again to the same.
func FuzzUnmarshal(f *testing.F) {
	for _, seed := range []string{
		``, `null`, `{}`, `{"Name":"x","Count":1,"Flag":1,"List":["a"],"Inner":{"Seq":-1},"Raw":[{"b":null}]}`,
		`{"Name":"\ud83d"}`, `{"Name":1}`, `[`, `{"Name":"x","Name":"y"}`, "{\"Name\":\"\xff\"}", `{"Count":1e2}`, `{"Raw":1.0}`,
		`{"Flag":`, `{"Inner":{"Seq":9223372036854775808}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var first request
		if err := wire.Unmarshal(data, &first); err != nil {
			var field *wire.FieldError
			var syntax *wire.SyntaxError
			if !errors.As(err, &field) && !errors.As(err, &syntax) {
				t.Fatalf("an error of another kind: %#v", err)
			}
			return
		}
		text, err := wire.Marshal(&first)
		if err != nil {
			t.Fatalf("%+v cannot be written: %v", first, err)
		}
		var second request
		if err := wire.Unmarshal(text, &second); err != nil {
			t.Fatalf("%s cannot be read again: %v", text, err)
		}
		if again, err := wire.Marshal(&second); err != nil || string(again) != string(text) {
			t.Fatalf("%s became %s (%v)", text, again, err)
		}
	})
}
