package magpietest

import (
	"slices"
	"strings"
	"testing"
)

// An item is told by the shapes that the test has named beside the usual ones; one that cannot be read is a fault.
func TestShapes(t *testing.T) {
	o := options{shapes: usual()}
	Shapes(Reads("HatMod", func(hats []struct{ Color string }) (lines []string) {
		for _, hat := range hats {
			lines = append(lines, "a "+hat.Color+" hat")
		}
		return lines
	}))(&o)
	for _, row := range []struct{ raw, want string }{
		{`{"Event":99,"HatMod":[{"Color":"red"},{"Color":"blue"}]}`, "a red hat, a blue hat"},
		{`{"Event":99,"ShoeMod":[]}`, `{"Event":99,"ShoeMod":[]}`},
		{`{"Event":8,"ProfileDataMod":[{"Profile_Account":"bob","ProfileList":[{"Tag":"Nick","ValueBytes":"B"}]}]}`, `bob: Nick="B"`},
	} {
		p := Push{Raw: []byte(row.raw), shapes: o.shapes}
		if got := p.String(); got != row.want {
			t.Errorf("%s is told as %q, want %q", row.raw, got, row.want)
		}
	}
	broken := Push{Raw: []byte(`{"HatMod":5}`), shapes: o.shapes}
	if got := broken.String(); !strings.HasPrefix(got, "unreadable (HatMod: ") || !strings.HasSuffix(got, string(broken.Raw)) {
		t.Errorf("a broken hat is told as %q", got)
	}
	if lines, err := tell(o.shapes, []byte(`{"HatMod":[{"Color":"red"}]}`)); err != nil || !slices.Equal(lines, []string{"a red hat"}) {
		t.Errorf("%q (%v)", lines, err)
	}
}
