package outbox

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/internal/webhook"
)

// someEvents are callbacks at the edges of what a row may hold.
var someEvents = []webhook.Callback{
	{Body: []byte{}},
	{Command: "A.B", Lane: 7, ClientIP: "2001:db8::1", Platform: "RESTAPI", Body: []byte(`{"CallbackCommand":"A.B"}`)},
	{Command: "\x00", Lane: math.MinInt64, ClientIP: "\xff", Body: []byte("\x80")},
	{Command: strings.Repeat("x", 127), Lane: math.MaxInt64, Platform: strings.Repeat("ü", 64), Body: make([]byte, 300)},
}

// What was written reads back the same, and a row that was cut off does not read at all.
func TestUnpack(t *testing.T) {
	var row []byte
	var want []*waiting
	whole := map[int]bool{0: true}
	for i, e := range someEvents {
		id := math.MaxInt64 >> (i * 20)
		row = appendPacked(row, int64(id), &e)
		want = append(want, &waiting{
			id: int64(id), command: e.Command, lane: e.Lane, clientIP: e.ClientIP, platform: e.Platform, body: e.Body,
		})
		whole[len(row)] = true
	}
	if read, err := unpack(row); err != nil || !reflect.DeepEqual(read, want) {
		t.Errorf("%v: %x", err, row)
	}
	for n := range row {
		if read, err := unpack(row[:n]); !whole[n] && (!errors.Is(err, errPack) || read != nil) {
			t.Errorf("the first %d bytes of %d read as %d callbacks: %v", n, len(row), len(read), err)
		}
	}
}

// Whatever bytes a row has, they can be read or not, and nothing else happens. What can be read is what is written again.
func FuzzUnpack(f *testing.F) {
	var row []byte
	for _, e := range someEvents {
		row = appendPacked(row, -1, &e)
		f.Add(row)
	}
	for _, bytes := range []string{
		"", "\x00", "\xff", "\x02\x04\x02", "\x00\x00\x00\x00\x00\x00", "\x80\x00\x80\x00\x80\x00\x80\x00\x80\x00\x80\x00",
		strings.Repeat("\xff", 11), "\x00\x00" + strings.Repeat("\xff", 9) + "\x01", "\x00\x00" + strings.Repeat("\xff", 8) + "\x7f",
	} {
		f.Add([]byte(bytes))
	}
	f.Fuzz(func(t *testing.T, row []byte) {
		read, err := unpack(row)
		if err != nil {
			if read != nil {
				t.Errorf("%v, and yet %d callbacks", err, len(read))
			}
			return
		}
		var again []byte
		for _, e := range read {
			again = appendPacked(again, e.id, &webhook.Callback{
				Lane: e.lane, Command: e.command, ClientIP: e.clientIP, Platform: e.platform, Body: e.body,
			})
		}
		if second, err := unpack(again); err != nil || !reflect.DeepEqual(second, read) || len(again) > len(row) {
			t.Errorf("%x is written again as %x: %v", row, again, err)
		}
	})
}
