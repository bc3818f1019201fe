package webhook

import (
	"reflect"
	"strings"

	"github.com/magpie-im/magpie/internal/im"
)

// Spec is a callback's declaration, beside the rule that tells or asks it.
type Spec struct {
	// Command is the callback's name, "C2C.CallbackAfterSendMsg".
	Command string
	// Doc is one line for the table of callbacks, and Section the section that describes it, "webhooks.md#statestatechange".
	Doc, Section string

	// Refused is the actor's code when a back end answers a callback that blocks with 1.
	Refused im.Code
	// Unanswered is the actor's code when there is no usable answer and the address's policy is to refuse.
	Unanswered im.Code
	// Low and High are the codes that the back end may choose itself; the actor gets them with the back end's words.
	Low, High im.Code
	// MaySilence says that the answer 2 drops the operation while the actor sees success.
	MaySilence bool

	// UpperIOS writes the platform iOS in capitals, as the reference system does in one callback.
	UpperIOS bool
}

// Declaration is a declared callback, for documentation.
type Declaration struct {
	Spec
	// Blocking says that the back end is asked before something happens, not told afterwards.
	Blocking bool
	// Body is a zero value of the body.
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

// Before is a callback that is asked before something happens and may refuse, silence or change it. T is its body
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

// platform is the query's OptPlatform for what an actor does: the back end's own calls come from no platform.
func (s *Spec) platform(by *im.Actor) string {
	switch name := PlatformName(by.Platform); {
	case by.Admin():
		return "RESTAPI"
	case s.UpperIOS && by.Platform == im.PlatformIOS:
		return strings.ToUpper(name)
	default:
		return name
	}
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
