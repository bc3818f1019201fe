package message

import (
	"reflect"
	"testing"

	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/send"
	"github.com/magpie-im/magpie/internal/wire"
)

func TestPlacedByHandIsPlaced(t *testing.T) {
	d := &Draft{Draft: send.Draft{Draft: chat.Draft{From: 7, Seq: 4294967295, Random: 12, ClientTime: 1700000001}}}
	d.Compose(1700000000)
	placed := d.placed(-1, 1700000000123)
	for i, v := 0, reflect.ValueOf(*placed); i < v.NumField(); i++ {
		if v.Field(i).IsZero() {
			t.Fatalf("%s is zero: the test would not see it missing", v.Type().Field(i).Name)
		}
	}
	want, err := wire.Marshal(placed)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(placed.json()); got != string(want) {
		t.Errorf("by hand %s, by the encoder %s", got, want)
	}
}
