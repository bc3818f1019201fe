package event_test

import (
	"strings"
	"testing"

	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/event"
)

// The members of an open kind's value stand beside its number, those of any other under its key.
func TestOpenKind(t *testing.T) {
	type value struct {
		Reader string `json:"Peer_Account"`
		List   []int  `json:"C2cMsgInfo"`
	}
	one := value{"bob", []int{1}}
	frame, err := event.NewRouter(bus.NewMemory()).Frame(
		event.DefineOpen[value](16, "C2cMsgInfo").Of(one), event.Define[value](17, "Other").Of(one))
	want := `[{"Event":16,"Peer_Account":"bob","C2cMsgInfo":[1]},{"Event":17,"Other":{"Peer_Account":"bob","C2cMsgInfo":[1]}}]`
	if err != nil || !strings.Contains(string(frame), want) {
		t.Errorf("%v %s, want %s in it", err, frame, want)
	}
}
