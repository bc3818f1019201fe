package element_test

import (
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/magpie-im/magpie/internal/chat/element"
	"github.com/magpie-im/magpie/internal/im"
)

const maxBytes = 12 << 10

// one makes a body of one element.
func one(kind, content string) string {
	return `[{"MsgType":"` + kind + `","MsgContent":` + content + `}]`
}

func TestParseNormalises(t *testing.T) {
	for _, c := range []struct{ name, raw, want string }{
		{"as it is", one("TIMTextElem", `{"Text":"hi"}`), one("TIMTextElem", `{"Text":"hi"}`)},
		{"space", "\n[ { \"MsgType\" : \"TIMTextElem\",\t\"MsgContent\": { \"Text\" : \"a b\" } } ] ", one("TIMTextElem", `{"Text":"a b"}`)},
		{"content first", `[{"MsgContent":{"Text":"hi"},"MsgType":"TIMTextElem"}]`, one("TIMTextElem", `{"Text":"hi"}`)},
		{"escapes", one("TIMTextElem", `{"Text":"\u4e2d\u6587\/\ud83d\ude00\n"}`), one("TIMTextElem", `{"Text":"中文/😀\n"}`)},
		{"escaped names", one("TIMTextElem", `{"\u0054ext":"hi","\u0078":1}`), one("TIMTextElem", `{"Text":"hi","x":1}`)},
		{"NUL", one("TIMTextElem", `{"Text":"a\u0000b","x":"\u0000"}`), one("TIMTextElem", `{"Text":"a\u0000b","x":"\u0000"}`)},
		{"invalid UTF-8", one("TIMTextElem", "{\"Text\":\"a\xff\",\"x\":\"\xfe\",\"\xfd\":1}"), one("TIMTextElem", `{"Text":"a�","x":"�","�":1}`)},
		{"lone surrogate", one("TIMTextElem", `{"Text":"a\ud83d"}`), one("TIMTextElem", `{"Text":"a�"}`)},
		{"unknown members", `[{"MsgType":"TIMTextElem","Extra":[1.0, {}],"MsgContent":{"Text":"hi","New":{ "a" : null },"text":1}}]`,
			`[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hi","New":{"a":null},"text":1},"Extra":[1.0,{}]}]`},
		{"unknown only", one("TIMCustomElem", `{ "a":1 }`), one("TIMCustomElem", `{"a":1}`)},
		{"null fields", one("TIMCustomElem", `{"Data":null,"Desc":"d","Ext":null}`), one("TIMCustomElem", `{"Desc":"d"}`)},
		{"nothing left", one("TIMCustomElem", `{"Data":null}`), one("TIMCustomElem", `{}`)},
		{"numbers", one("TIMFaceElem", `{"Index":1.0}`), one("TIMFaceElem", `{"Index":1}`)},
		{"number with exponent", one("TIMFaceElem", `{"Index":12e2}`), one("TIMFaceElem", `{"Index":1200}`)},
		{"number as text", one("TIMFaceElem", `{"Index":"12","Data":"12"}`), one("TIMFaceElem", `{"Index":12,"Data":"12"}`)},
		{"long numbers", one("TIMFaceElem", `{"Index":123456789012345678901}`), one("TIMFaceElem", `{"Index":123456789012345678901}`)},
		{"fractions", one("TIMLocationElem", `{"Desc":"d","Latitude":29.340656774469956,"Longitude":-116.770}`),
			one("TIMLocationElem", `{"Desc":"d","Latitude":29.340656774469956,"Longitude":-116.770}`)},
	} {
		t.Run(c.name, func(t *testing.T) {
			body, err := element.Parse(jsontext.Value(c.raw), maxBytes)
			if err != nil {
				t.Fatal(err)
			}
			if got := string(body.JSON()); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestParseWebSDK sends through what the web SDK sent.
func TestParseWebSDK(t *testing.T) {
	raw, err := os.ReadFile("testdata/websdk_media.json")
	if err != nil {
		t.Fatal(err)
	}
	body, err := element.Parse(raw, maxBytes)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"TIMFileElem", "TIMImageElem", "TIMVideoFileElem", "TIMSoundElem"}
	if got := body.Kinds(); !slices.Equal(got, want) {
		t.Errorf("kinds %v, want %v", got, want)
	}
	// Nothing is lost: both mean the same to a reader who knows nothing of elements.
	if got, want := canonical(t, body.JSON()), canonical(t, raw); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if !strings.Contains(string(body.JSON()), `"InstanceId":9745848`) {
		t.Error("a member that is not documented was lost")
	}
}

func canonical(t *testing.T, raw []byte) string {
	t.Helper()
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestParseAccepts(t *testing.T) {
	for name, raw := range map[string]string{
		"empty text":         one("TIMTextElem", `{"Text":""}`),
		"bare custom":        one("TIMCustomElem", `{}`),
		"bare face":          one("TIMFaceElem", `{}`),
		"bare location":      one("TIMLocationElem", `{}`),
		"sound":              one("TIMSoundElem", `{"Url":"http://x","UUID":"u","Download_Flag":2}`),
		"file":               one("TIMFileElem", `{"Url":"http://x","UUID":"u","Download_Flag":"2","FileSize":"62351"}`),
		"image":              one("TIMImageElem", `{"UUID":"u","ImageFormat":1,"ImageInfoArray":[{"Type":1,"Size":1,"Width":0,"Height":0,"URL":"http://x"}]}`),
		"merged inline":      one("TIMRelayElem", `{"Title":"t","AbstractList":["a","b"],"CompatibleText":"c","Version":1,"MsgNum":2,"MsgList":[{"MsgBody":[]},{}],"LayersOverLimit":0}`),
		"merged by key":      one("TIMRelayElem", `{"Title":"t","MsgNum":300,"JsonMsgKey":"k","PbMsgKey":"p"}`),
		"merged too often":   one("TIMRelayElem", `{"Title":"t","LayersOverLimit":1}`),
		"too often, as SDKs": one("TIMRelayElem", `{"Title":"t","LayersOverLimit":true}`),
		"not too often":      one("TIMRelayElem", `{"Title":"t","MsgNum":1,"JsonMsgKey":"k","PbMsgKey":"p","LayersOverLimit":false}`),
		"text, face, text":   `[` + inner("TIMTextElem", `{"Text":"a"}`) + `,` + inner("TIMFaceElem", `{"Index":1}`) + `,` + inner("TIMTextElem", `{"Text":"b"}`) + `]`,
		"as many as may be":  many(element.MaxElements),
		"as deep as may be":  one("TIMCustomElem", `{"x":`+nested(element.MaxDepth-3)+`}`),
	} {
		if _, err := element.Parse(jsontext.Value(raw), 1<<20); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func inner(kind, content string) string { return strings.Trim(one(kind, content), "[]") }

func many(n int) string {
	return `[` + strings.Repeat(inner("TIMTextElem", `{"Text":"a"}`)+`,`, n-1) + inner("TIMTextElem", `{"Text":"a"}`) + `]`
}

func nested(levels int) string { return strings.Repeat("[", levels) + strings.Repeat("]", levels) }

func TestParseRefuses(t *testing.T) {
	video := `{"VideoUrl":"v","VideoUUID":"u","VideoDownloadFlag":2,"ThumbUrl":"t","ThumbUUID":"u","ThumbWidth":1,"ThumbHeight":1,"ThumbDownloadFlag":2}`
	for _, c := range []struct {
		name, raw string
		code      im.Code
		info      string
	}{
		{"nothing", ``, im.CodeMessageBodyArray, "MsgBody is not an array of elements"},
		{"null", `null`, im.CodeMessageBodyArray, "MsgBody is not an array of elements"},
		{"object", `{"MsgType":"TIMTextElem"}`, im.CodeMessageBodyArray, "MsgBody is not an array of elements"},
		{"text", `"hi"`, im.CodeMessageBodyArray, "MsgBody is not an array of elements"},
		{"cut short", `[{"MsgType":"TIMTextElem"`, im.CodeMessageBadJSON, "MsgBody is not JSON"},
		{"not JSON", `[{"MsgType":TIMTextElem}]`, im.CodeMessageBadJSON, "MsgBody is not JSON"},
		{"more after it", one("TIMTextElem", `{"Text":"a"}`) + `,`, im.CodeMessageBadJSON, "MsgBody is not JSON"},

		{"empty", `[]`, im.CodeMessageBody, "MsgBody has no elements"},
		{"element a text", `["hi"]`, im.CodeMessageBody, "MsgBody[0] is not an object"},
		{"element null", `[null]`, im.CodeMessageBody, "MsgBody[0] is not an object"},
		{"element empty", `[{}]`, im.CodeMessageBody, "MsgBody[0].MsgType is missing"},
		{"no type", `[{"MsgContent":{"Text":"a"}}]`, im.CodeMessageBody, "MsgBody[0].MsgType is missing"},
		{"type a number", `[{"MsgType":1,"MsgContent":{}}]`, im.CodeMessageBody, "MsgBody[0].MsgType is not text"},
		{"type unknown", one("TIMStreamElem", `{}`), im.CodeMessageBody, `MsgBody[0].MsgType "TIMStreamElem" is not a kind of element`},
		{"type in other case", one("timTextElem", `{"Text":"a"}`), im.CodeMessageBody, `MsgBody[0].MsgType "timTextElem" is not a kind of element`},
		{"type very long", one(strings.Repeat("x", 999), `{}`), im.CodeMessageBody, `MsgBody[0].MsgType "` + strings.Repeat("x", 40) + `" is not a kind of element`},
		{"no content", `[{"MsgType":"TIMTextElem"}]`, im.CodeMessageBody, "MsgBody[0].MsgContent is missing"},
		{"content null", `[{"MsgType":"TIMTextElem","MsgContent":null}]`, im.CodeMessageBody, "MsgBody[0].MsgContent is not an object"},
		{"content a text", `[{"MsgContent":"a","MsgType":"TIMTextElem"}]`, im.CodeMessageBody, "MsgBody[0].MsgContent is not an object"},
		{"second custom", `[` + inner("TIMCustomElem", `{}`) + `,` + inner("TIMCustomElem", `{}`) + `]`, im.CodeMessageBody,
			"MsgBody[1].MsgType is a second TIMCustomElem, and a message may carry one"},
		{"too many", many(element.MaxElements + 1), im.CodeMessageBody, "MsgBody has more elements than a message may have"},
		{"too deep", one("TIMCustomElem", `{"x":`+nested(element.MaxDepth-2)+`}`), im.CodeMessageBody, "MsgBody is nested deeper than 32 levels"},
		{"much too deep", nested(1 << 20), im.CodeMessageBody, "MsgBody is nested deeper than 32 levels"},
		{"same name twice", one("TIMTextElem", `{"Text":"a","Text":"b"}`), im.CodeMessageBody, "MsgBody has two members of one name in an object"},
		{"same unknown name twice", one("TIMTextElem", `{"Text":"a","x":{"y":1,"y":2}}`), im.CodeMessageBody, "MsgBody has two members of one name in an object"},
		{"two types", `[{"MsgType":"TIMTextElem","MsgType":"TIMTextElem","MsgContent":{"Text":"a"}}]`, im.CodeMessageBody,
			"MsgBody has two members of one name in an object"},

		{"no text", one("TIMTextElem", `{}`), im.CodeMessageFormat, "MsgBody[0].MsgContent.Text is missing"},
		{"text null", one("TIMTextElem", `{"Text":null}`), im.CodeMessageFormat, "MsgBody[0].MsgContent.Text is missing"},
		{"text in other case", one("TIMTextElem", `{"text":"a"}`), im.CodeMessageFormat, "MsgBody[0].MsgContent.Text is missing"},
		{"text a number", one("TIMTextElem", `{"Text":1}`), im.CodeMessageFormat, "MsgBody[0].MsgContent.Text is not text"},
		{"late fault", `[{"MsgContent":{"Text":1},"MsgType":"TIMTextElem"}]`, im.CodeMessageFormat, "MsgBody[0].MsgContent.Text is not text"},
		{"third element", `[` + inner("TIMTextElem", `{"Text":"a"}`) + `,` + inner("TIMFaceElem", `{}`) + `,` + inner("TIMCustomElem", `{"Data":{}}`) + `]`,
			im.CodeMessageFormat, "MsgBody[2].MsgContent.Data is not text"},
		{"number a word", one("TIMFaceElem", `{"Index":"one"}`), im.CodeMessageFormat, "MsgBody[0].MsgContent.Index is not a number"},
		{"number an empty text", one("TIMFaceElem", `{"Index":""}`), im.CodeMessageFormat, "MsgBody[0].MsgContent.Index is not a number"},
		{"number with a space", one("TIMFaceElem", `{"Index":"1 "}`), im.CodeMessageFormat, "MsgBody[0].MsgContent.Index is not a number"},
		{"number a truth", one("TIMFaceElem", `{"Index":true}`), im.CodeMessageFormat, "MsgBody[0].MsgContent.Index is not a number"},
		{"number too large", one("TIMFaceElem", `{"Index":1e999}`), im.CodeMessageFormat, "MsgBody[0].MsgContent.Index is too large a number"},

		{"sound without Url", one("TIMSoundElem", `{"UUID":"u","Download_Flag":2}`), im.CodeMessageFormat, "MsgBody[0].MsgContent.Url is missing"},
		{"sound with empty UUID", one("TIMSoundElem", `{"Url":"x","UUID":"","Download_Flag":2}`), im.CodeMessageFormat, "MsgBody[0].MsgContent.UUID is empty"},
		{"file without flag", one("TIMFileElem", `{"Url":"x","UUID":"u"}`), im.CodeMessageFormat, "MsgBody[0].MsgContent.Download_Flag is missing"},
		{"file with another flag", one("TIMFileElem", `{"Url":"x","UUID":"u","Download_Flag":1}`), im.CodeMessageFormat, "MsgBody[0].MsgContent.Download_Flag is not 2"},
		{"image without UUID", one("TIMImageElem", `{}`), im.CodeMessageFormat, "MsgBody[0].MsgContent.UUID is missing"},
		{"image without sizes", one("TIMImageElem", `{"UUID":"u"}`), im.CodeMessageFormat, "MsgBody[0].MsgContent.ImageInfoArray is missing"},
		{"image with no sizes", one("TIMImageElem", `{"UUID":"u","ImageInfoArray":[]}`), im.CodeMessageFormat, "MsgBody[0].MsgContent.ImageInfoArray is empty"},
		{"image sizes an object", one("TIMImageElem", `{"UUID":"u","ImageInfoArray":{}}`), im.CodeMessageFormat, "MsgBody[0].MsgContent.ImageInfoArray is not an array"},
		{"image size a text", one("TIMImageElem", `{"UUID":"u","ImageInfoArray":["x"]}`), im.CodeMessageFormat, "MsgBody[0].MsgContent.ImageInfoArray[0] is not an object"},
		{"image size without width", one("TIMImageElem", `{"UUID":"u","ImageInfoArray":[{"URL":"x","Width":1,"Height":1},{"URL":"x","Height":1}]}`),
			im.CodeMessageFormat, "MsgBody[0].MsgContent.ImageInfoArray[1].Width is missing"},
		{"image size with wrong URL", one("TIMImageElem", `{"UUID":"u","ImageInfoArray":[{"URL":1}]}`), im.CodeMessageFormat, "MsgBody[0].MsgContent.ImageInfoArray[0].URL is not text"},
		{"video without cover", one("TIMVideoFileElem", strings.Replace(video, "ThumbUrl", "x", 1)), im.CodeMessageFormat, "MsgBody[0].MsgContent.ThumbUrl is missing"},
		{"video without cover size", one("TIMVideoFileElem", strings.Replace(video, "ThumbHeight", "x", 1)), im.CodeMessageFormat, "MsgBody[0].MsgContent.ThumbHeight is missing"},
		{"merged without messages", one("TIMRelayElem", `{"Title":"t"}`), im.CodeMessageFormat, "MsgBody[0].MsgContent.MsgList is missing, and so are JsonMsgKey and PbMsgKey"},
		{"merged list an object", one("TIMRelayElem", `{"MsgList":{}}`), im.CodeMessageFormat, "MsgBody[0].MsgContent.MsgList is not an array"},
		{"merged of too many", one("TIMRelayElem", `{"MsgList":[`+strings.Repeat("{},", 300)+`{}]}`), im.CodeMessageFormat, "MsgBody[0].MsgContent.MsgList has more than 300 messages"},
		{"merged of far too many", one("TIMRelayElem", `{"JsonMsgKey":"k","MsgNum":301}`), im.CodeMessageFormat, "MsgBody[0].MsgContent.MsgNum is more than 300"},
		{"merged with wrong abstract", one("TIMRelayElem", `{"JsonMsgKey":"k","AbstractList":["a",1]}`), im.CodeMessageFormat, "MsgBody[0].MsgContent.AbstractList[1] is not text"},

		{"too long", one("TIMTextElem", `{"Text":"`+strings.Repeat("a", maxBytes)+`"}`), im.CodeMessageTooLong, "MsgBody is too long"},
	} {
		t.Run(c.name, func(t *testing.T) {
			body, err := element.Parse(jsontext.Value(c.raw), maxBytes)
			var e *im.Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v, want *im.Error; body %s", err, body.JSON())
			}
			if e.Code != c.code || e.Info != c.info {
				t.Errorf("got  %d %s\nwant %d %s", e.Code, e.Info, c.code, c.info)
			}
		})
	}
}

// TestParseLength counts the stored form: neither space nor the six letters of an escape are the message's fault.
func TestParseLength(t *testing.T) {
	raw := "[ " + strings.Repeat(" ", 500) + inner("TIMTextElem", `{"Text":"`+strings.Repeat(`\u4e2d`, 100)+`"}`) + " ]"
	body, err := element.Parse(jsontext.Value(raw), 400)
	if err != nil {
		t.Fatal(err)
	}
	n := len(body.JSON())
	if _, err := element.Parse(jsontext.Value(raw), n); err != nil {
		t.Errorf("a body of exactly the limit was refused: %v", err)
	}
	if _, err := element.Parse(jsontext.Value(raw), n-1); err == nil {
		t.Error("a body of one byte more than the limit was accepted")
	}
}

func TestDigest(t *testing.T) {
	for _, c := range []struct{ name, raw, english, chinese string }{
		{"text", one("TIMTextElem", `{"Text":"hello"}`), "hello", "hello"},
		{"text and custom", `[` + inner("TIMTextElem", `{"Text":"hello"}`) + `,` + inner("TIMCustomElem", `{"Data":"d","Desc":"world"}`) + `]`, "helloworld", "helloworld"},
		{"face between", `[` + inner("TIMTextElem", `{"Text":"a"}`) + `,` + inner("TIMFaceElem", `{"Index":1}`) + `,` + inner("TIMTextElem", `{"Text":"b"}`) + `]`, "a[Face]b", "a[表情]b"},
		{"location", one("TIMLocationElem", `{"Desc":"home"}`), "[Location]", "[位置]"},
		{"custom without Desc", one("TIMCustomElem", `{"Data":"d"}`), "", ""},
		{"file", one("TIMFileElem", `{"Url":"x","UUID":"u","Download_Flag":2}`), "[File]", "[文件]"},
		{"merged", one("TIMRelayElem", `{"JsonMsgKey":"k"}`), "[Chat History]", "[聊天记录]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			body, err := element.Parse(jsontext.Value(c.raw), maxBytes)
			if err != nil {
				t.Fatal(err)
			}
			for lang, want := range map[element.Language]string{element.English: c.english, element.Chinese: c.chinese} {
				if got := body.Digest(lang); got != want {
					t.Errorf("language %d: got %q, want %q", lang, got, want)
				}
				if got := element.Digest(body.JSON(), lang); got != want {
					t.Errorf("language %d, stored: got %q, want %q", lang, got, want)
				}
			}
			if got := body.Digest(); got != c.english {
				t.Errorf("no language: got %q, want %q", got, c.english)
			}
		})
	}
}

// TestDigestOfStored reads bodies that could not be sent any more.
func TestDigestOfStored(t *testing.T) {
	for name, c := range map[string]struct{ raw, want string }{
		"unknown kind between": {`[` + inner("TIMTextElem", `{"Text":"a"}`) + `,{"MsgType":"New","MsgContent":{"x":[1]}},` + inner("TIMTextElem", `{"Text":"b"}`) + `]`, "ab"},
		"old sound":            {one("TIMSoundElem", `{"UUID":"305c0201","Size":62351,"Second":1}`), "[Voice]"},
		"two customs":          {`[` + inner("TIMCustomElem", `{"Desc":"a"}`) + `,` + inner("TIMCustomElem", `{"Desc":"b"}`) + `]`, "ab"},
		"empty":                {`[]`, ""},
		"nothing":              {``, ""},
		"not an array":         {`{}`, ""},
		"cut short":            {`[` + inner("TIMTextElem", `{"Text":"a"}`) + `,{`, "a"},
	} {
		if got := element.Digest(jsontext.Value(c.raw)); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestZeroBody(t *testing.T) {
	var b element.Body
	if b.JSON() != nil || b.Digest() != "" || len(b.Kinds()) != 0 {
		t.Error("the zero Body is not empty")
	}
}

// TestParseAllocates keeps the path of nearly every message cheap. It makes 6 allocations; the race detector adds some.
func TestParseAllocates(t *testing.T) {
	raw := jsontext.Value(one("TIMTextElem", `{"Text":"hi bob"}`))
	if n := testing.AllocsPerRun(100, func() { _, _ = element.Parse(raw, maxBytes) }); n > 10 {
		t.Errorf("%v allocations for one text, want 6", n)
	}
}
