package outbox

import (
	"slices"
	"testing"

	"github.com/magpie-im/magpie/internal/webhook"
)

// What shares a row is for one address and not longer than a row may be; whatever is longer is alone.
func TestTogether(t *testing.T) {
	of := func(hook string, body int) webhook.Callback {
		return webhook.Callback{App: 1, Hook: hook, Body: make([]byte, body)}
	}
	small := slices.Repeat([]webhook.Callback{of("a", 500)}, 100)
	for name, row := range map[string]struct {
		events      []webhook.Callback
		least, most int
	}{
		"one":               {small[:1], 1, 1},
		"few":               {small[:10], 10, 10},
		"many":              {small, 18, 24},
		"a long one":        {slices.Insert(slices.Clone(small), 0, of("a", 2*packBytes)), 1, 1},
		"a long one behind": {slices.Insert(slices.Clone(small), 3, of("a", 2*packBytes)), 3, 3},
		"another address":   {slices.Insert(slices.Clone(small), 3, of("b", 500)), 3, 3},
		"another app":       {slices.Insert(slices.Clone(small), 3, webhook.Callback{App: 2, Hook: "a"}), 3, 3},
	} {
		n, size := together(row.events)
		if n < row.least || n > row.most {
			t.Errorf("%s: %d share a row, want %d to %d", name, n, row.least, row.most)
		}
		var packed []byte
		for i := range n {
			packed = appendPacked(packed, 1<<62, &row.events[i])
		}
		if len(packed) > size || n > 1 && size > packBytes {
			t.Errorf("%s: %d bytes, said to be %d", name, len(packed), size)
		}
	}
}
