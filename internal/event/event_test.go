package event_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"

	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
)

// heard records what arrives for an account.
type heard struct{ messages [][]byte }

// Receive keeps the message.
func (h *heard) Receive(_ bus.Subject, message []byte) {
	h.messages = append(h.messages, bytes.Clone(message))
}

func listen(t *testing.T) (*event.Router, *heard) {
	t.Helper()
	b, h := bus.NewMemory(), &heard{}
	if err := b.Subscribe(event.Devices(7).Subject(), h); err != nil {
		t.Fatal(err)
	}
	return event.NewRouter(b), h
}

func (h *heard) one(t *testing.T) event.BusMessage {
	t.Helper()
	if len(h.messages) != 1 {
		t.Fatalf("%d messages, want one", len(h.messages))
	}
	d, err := event.ReadBusMessage(h.messages[0])
	if err != nil {
		t.Fatal(err)
	}
	return d
}

var greeting = event.Define[[]string](9, "Greetings")

// What a room pushes arrives as the frame that clients read, with what the gateway must know beside it.
func TestPush(t *testing.T) {
	router, h := listen(t)
	brings := event.Sequence{Chat: 10, Number: 11}
	to := event.Devices(7).Except(8).Only(9).At(brings)
	if err := router.Push(to, greeting.Of([]string{"hi", "<&>"}), greeting.Of(nil)); err != nil {
		t.Fatal(err)
	}
	d := h.one(t)
	if d.Except != 8 || d.Only != 9 || d.Brings != brings || d.Kick || d.Replace {
		t.Errorf("delivered %+v", d)
	}
	want := `{"head":{"servcmd":"im_open_push.msg_push","seq":1},"body":{"EventArray":[` +
		`{"Event":9,"Greetings":["hi","<&>"]},{"Event":9,"Greetings":[]}]}}`
	if string(d.Frame) != want || !json.Valid(d.Frame) {
		t.Errorf("the frame is %s, want %s", d.Frame, want)
	}
}

// Other accounts hear nothing of it.
func TestPushToSomebodyElse(t *testing.T) {
	router, h := listen(t)
	if err := router.Push(event.Devices(6), greeting.Of(nil)); err != nil || len(h.messages) != 0 {
		t.Errorf("%d messages (%v)", len(h.messages), err)
	}
}

func TestKick(t *testing.T) {
	router, h := listen(t)
	if err := router.Kick(event.Devices(7).Only(5), 3, 0); err != nil {
		t.Fatal(err)
	}
	d := h.one(t)
	want := `{"head":{"servcmd":"im_open_status.stat_forceoffline","seq":1},"body":{"EventArray":[` +
		`{"Event":15,"C2cNotifyMsgArray":[{"KickoutMsgNotify":{"KickType":3}}]}]}}`
	if !d.Kick || d.Reason != 3 || d.Only != 5 || string(d.Frame) != want {
		t.Errorf("delivered %+v %s, want %s", d, d.Frame, want)
	}
}

func TestReplace(t *testing.T) {
	router, h := listen(t)
	if err := router.Replace(7, 5, 1<<63|42); err != nil {
		t.Fatal(err)
	}
	d := h.one(t)
	if !d.Replace || d.Kick || d.Only != 5 || !bytes.Equal(d.Frame, []byte{0x80, 0, 0, 0, 0, 0, 0, 42}) {
		t.Errorf("delivered %+v", d)
	}
}

// Nodes are told of accounts that leave a group where the group's pushes go, in one bus message, and each where its own go, as
// of one that joined.
func TestMembership(t *testing.T) {
	b, inGroup, own := bus.NewMemory(), &heard{}, &heard{}
	for subject, h := range map[bus.Subject]*heard{event.Group(9).Subject(): inGroup, event.Devices(7).Subject(): own} {
		if err := b.Subscribe(subject, h); err != nil {
			t.Fatal(err)
		}
	}
	router := event.NewRouter(b)
	for _, err := range []error{router.Leave(9, 7, 8), router.LeaveOwn(9, 7), router.Join(9, 7)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if d := inGroup.one(t); !d.Leave || !slices.Equal(d.Accounts, []im.AccountID{7, 8}) || d.Group != 9 || d.Join || d.Empty || d.Kick {
		t.Errorf("the group heard %+v", d)
	}
	for i, message := range own.messages {
		d, err := event.ReadBusMessage(message)
		if err != nil || d.Leave != (i == 0) || d.Join != (i == 1) || d.Group != 9 || !slices.Equal(d.Accounts, []im.AccountID{7}) {
			t.Errorf("the account heard %+v, %v", d, err)
		}
	}
	if len(own.messages) != 2 {
		t.Errorf("the account heard %d bus messages, want a leave and a join", len(own.messages))
	}
	for _, cut := range []int{1, 16} {
		if _, err := event.ReadBusMessage(own.messages[0][:len(own.messages[0])-cut]); err == nil {
			t.Errorf("a membership without its last %d bytes was read", cut)
		}
	}
}

// Many who leave a group together are some bus messages, and everybody is one.
func TestManyLeave(t *testing.T) {
	b, inGroup := bus.NewMemory(), &heard{}
	if err := b.Subscribe(event.Group(9).Subject(), inGroup); err != nil {
		t.Fatal(err)
	}
	router := event.NewRouter(b)
	if err := router.Leave(9, make([]im.AccountID, 2001)...); err != nil || len(inGroup.messages) != 3 {
		t.Errorf("%d bus messages, %v", len(inGroup.messages), err)
	}
	inGroup.messages = nil
	if err := router.Empty(9); err != nil {
		t.Fatal(err)
	}
	if d := inGroup.one(t); !d.Empty || d.Leave || d.Join || len(d.Accounts) != 0 {
		t.Errorf("the group heard %+v", d)
	}
}

// What may be different of a presence is one small bus message, which is no push.
func TestTellPresence(t *testing.T) {
	router, h := listen(t)
	if err := router.TellPresence(event.Devices(7), event.CustomChanged); err != nil {
		t.Fatal(err)
	}
	if d := h.one(t); d.Presence != event.CustomChanged || len(d.Frame) != 0 || d.Kick || d.Replace || d.Join || d.Leave {
		t.Errorf("read %+v", d)
	}
}

// A client that was told "you missed something" asks for it.
func TestResync(t *testing.T) {
	router, _ := listen(t)
	frame, err := router.Resync()
	want := `{"head":{"servcmd":"im_open_push.msg_push","seq":1},"body":{"EventArray":[{"Event":9,"C2cMsgArray":[]}],"Flag":1}}`
	if err != nil || string(frame) != want {
		t.Errorf("%s (%v), want %s", frame, err, want)
	}
}

// What another version, or somebody else, publishes on the bus is refused and breaks nothing.
func TestReadBusMessageRefuses(t *testing.T) {
	router, h := listen(t)
	if err := router.Push(event.Devices(7), greeting.Of(nil)); err != nil {
		t.Fatal(err)
	}
	good := h.messages[0]
	head := len(good) - len(h.one(t).Frame)
	for n := range head {
		if _, err := event.ReadBusMessage(good[:n]); err == nil {
			t.Errorf("%d of %d bytes were read", n, head)
		}
	}
	for _, action := range []byte{0, 8, 255} {
		strange := bytes.Clone(good)
		strange[0] = action
		if _, err := event.ReadBusMessage(strange); err == nil {
			t.Errorf("action %d was read", action)
		}
	}
	if d, err := event.ReadBusMessage(good[:head]); err != nil || len(d.Frame) != 0 {
		t.Errorf("an empty frame: %+v (%v)", d, err)
	}
}
