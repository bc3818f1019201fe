package element_test

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/magpie-im/magpie/internal/chat/element"
)

// Digits are never changed, also beyond what a float64 holds; a whole number that is spelled as a fraction becomes one.
func TestNumbersKeepTheirDigits(t *testing.T) {
	for given, want := range map[string]string{
		"0": "0", "-0": "0", "7": "7", "-7": "-7",
		"9007199254740991":     "9007199254740991",
		"9007199254740992":     "9007199254740992",
		"9007199254740993":     "9007199254740993",
		"-9007199254740993":    "-9007199254740993",
		"18446744073709551615": "18446744073709551615",
		`"9007199254740993"`:   "9007199254740993",
		"9007199254740993.0":   "9007199254740993.0",
		"9.007199254740993e15": "9.007199254740993e15",
		"1.0":                  "1", "-1.00": "-1", "1e3": "1000", "12.5e1": "125", "1.5": "1.5", "100.0": "100",
		"0.0": "0", "0e5": "0", "-0.0": "0",
		"1.00000000000000000001": "1.00000000000000000001",
		"0.99999999999999999999": "0.99999999999999999999",
		"1e-400":                 "1e-400",
		"1e15":                   "1000000000000000", "1e16": "1e16", "1e300": "1e300",
	} {
		body, err := element.Parse(jsontext.Value(one("TIMFaceElem", `{"Index":`+given+`}`)), 1<<20)
		if err != nil {
			t.Errorf("%s: %v", given, err)
			continue
		}
		if got := string(body.JSON()); !strings.Contains(got, `{"Index":`+want+`}`) {
			t.Errorf("%s became %s, want %s", given, got, want)
		}
	}
}

// So do those in members that are not documented.
func TestNumbersElsewhereKeepTheirDigits(t *testing.T) {
	const content = `{"Data":"x","mine":{"id":9007199254740993,"list":[18446744073709551615,1.0]}}`
	body, err := element.Parse(jsontext.Value(one("TIMCustomElem", content)), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(body.JSON()); !strings.Contains(got, content) {
		t.Errorf("%s became %s", content, got)
	}
}
