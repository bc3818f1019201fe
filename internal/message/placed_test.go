package message

import (
	"reflect"
	"testing"

	"github.com/magpie-im/magpie/internal/wire"
)

func TestPlacedByHandIsPlaced(t *testing.T) {
	e := &entry{from: 7, seq: 4294967295, random: 12, time: 1700000000, clock: 1700000001}
	placed := e.placed(-1, 1700000000123)
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
