package webhook

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// Spec is a callback's declaration, beside the rule that fires it.
type Spec struct {
	// Command is the callback's name, "C2C.CallbackAfterSendMsg".
	Command string
	// Doc is one line for the table of callbacks, and Section the place that describes it, "webhooks.md#statestatechange".
	Doc, Section string

	// Refused is what the caller gets when a back end answers a callback that blocks with 1.
	Refused im.Code
	// Unanswered is what he gets when there is no usable answer and the address's policy is to refuse.
	Unanswered im.Code
	// Low and High are the codes that the back end may choose itself; the caller gets them with the back end's words.
	Low, High im.Code
	// MaySilence says that the answer 2 drops the operation while the caller sees success.
	MaySilence bool
}

// Declaration is a declared callback, for documentation.
type Declaration struct {
	Spec
	// Blocking says that the back end is asked before something happens, not told afterwards.
	Blocking bool
	// Body is a zero value of what is sent.
	Body any
}

// Fields lists the names of the body's fields.
func (d Declaration) Fields() []string { return fieldNames(reflect.TypeOf(d.Body)) }

func fieldNames(of reflect.Type) []string {
	if of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	var names []string
	for i := range of.NumField() {
		field := of.Field(i)
		if field.Anonymous {
			names = append(names, fieldNames(field.Type)...)
			continue
		}
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

// Before is a callback that is asked before something happens and may refuse, silence or rewrite it. T is its body
// without CallbackCommand.
type Before[T any] struct{ spec Spec }

// NewBefore declares a callback that blocks.
func NewBefore[T any](spec Spec) Before[T] { return Before[T]{spec} }

// Declaration returns what was declared.
func (b Before[T]) Declaration() Declaration {
	var body T
	return Declaration{b.spec, true, body}
}

// After is a callback that tells what has happened. T is its body without CallbackCommand.
type After[T any] struct{ spec Spec }

// NewAfter declares a callback that only notifies.
func NewAfter[T any](spec Spec) After[T] { return After[T]{spec} }

// Declaration returns what was declared.
func (a After[T]) Declaration() Declaration {
	var body T
	return Declaration{a.spec, false, body}
}

// Origin is who caused what a callback tells.
type Origin struct {
	App *im.App
	// Address is the client's or the back end's, without a port.
	Address string
	// Platform is the query's OptPlatform.
	Platform string
}

// By is the origin of what an actor does.
func By(actor *im.Actor) Origin {
	if actor.Admin() {
		return Origin{actor.App, actor.Address, "RESTAPI"}
	}
	return Origin{actor.App, actor.Address, PlatformName(actor.Platform)}
}

// PlatformName is the callback interface's name of a client platform (docs/protocol/webhooks.md#protocol).
func PlatformName(p im.Platform) string {
	switch p {
	case im.PlatformAndroid:
		return "Android"
	case im.PlatformIOS:
		return "iOS"
	case im.PlatformMac:
		return "Mac"
	case im.PlatformIPad:
		return "iPad"
	case im.PlatformWindows:
		return "Windows"
	case im.PlatformWeb:
		return "Web"
	default:
		return "Unknown"
	}
}

// Event is a callback on its way into the store: one for each address that ticked it.
type Event struct {
	app      im.AppID
	hook     string
	command  string
	lane     int64
	address  string
	platform string
	body     []byte
}

// Wanted reports whether an address of the application ticked the callback.
func (a After[T]) Wanted(app *im.App) bool {
	for i := range app.Settings.Webhooks {
		if app.Settings.Webhooks[i].Wants(a.spec.Command) {
			return true
		}
	}
	return false
}

// Events makes the callback, for Webhooks.Add; none if nobody ticked it. Callbacks of one lane, such as a chat's, arrive
// in the order in which they were stored.
func (a After[T]) Events(by Origin, lane int64, body T) ([]Event, error) {
	if !a.Wanted(by.App) {
		return nil, nil
	}
	text, err := encodeBody(a.spec.Command, body)
	if err != nil {
		return nil, err
	}
	var events []Event
	for i := range by.App.Settings.Webhooks {
		if hook := &by.App.Settings.Webhooks[i]; hook.Wants(a.spec.Command) {
			events = append(events, Event{by.App.ID, hook.Name, a.spec.Command, lane, by.Address, by.Platform, text})
		}
	}
	return events, nil
}

// With returns the event with more fields, a JSON object: for what is known only when the event is stored.
func (e Event) With(fields []byte) Event {
	e.body = wire.Join(e.body, fields)
	return e
}

// encodeBody writes the body with the callback's name in front.
func encodeBody(command string, body any) ([]byte, error) {
	text, err := wire.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("encode callback %s: %w", command, err)
	}
	return wire.Join([]byte(`{"CallbackCommand":"`+command+`"}`), text), nil
}
