// Package command leads every call to its handler. A capability is declared once, as a Command with its names at both
// doors, and every call passes the same chain: trace, who may call, rate, decoding, handler, log and metrics.
//
// It does not know the doors, nor what any command does.
package command

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// Callers says who may call a command. It also says at which doors the command answers: administrators call at the REST
// door, POST /v4/{service}/{name}, the others at the client door, servcmd "{service}.{name}".
type Callers int

// Who may call a command. Anybody else is refused as if the command did not exist, or told to log in.
const (
	Administrator Callers = 1 << iota // an application's administrator, by REST
	Account                           // an account that is logged in
	Guest                             // a connection that is not logged in; its call has no Account
)

// rest and client report whether the command answers at the door.
func (c Callers) rest() bool   { return c&Administrator != 0 }
func (c Callers) client() bool { return c&(Account|Guest) != 0 }

// String lists the doors for the table of commands: "REST, client".
func (c Callers) String() string {
	var names []string
	if c.rest() {
		names = append(names, "REST")
	}
	if c.client() {
		names = append(names, "client")
	}
	return strings.Join(names, ", ")
}

// Feature is a bit of the string by which clients know what they may use (docs/protocol/wire.md#config). Zero is none.
type Feature int

// featureBits is the length of that string.
const featureBits = 64

// Codes replaces codes of a handler's refusals by those that the command documents at each door. Any other code stays.
type Codes struct{ REST, Client map[im.Code]im.Code }

// at gives a refusal the code that the command documents at the door; any other error stays as it is.
func (c *Codes) at(door im.Door, err error) error {
	refusal, ok := im.Refusal(err)
	if !ok {
		return err
	}
	own := c.REST
	if door == im.DoorClient {
		own = c.Client
	}
	if code, ok := own[refusal.Code]; ok {
		return &im.Error{Code: code, Info: refusal.Info}
	}
	return err
}

// Spec is a command's declaration.
type Spec struct {
	// Service and Name are the command's name: "openim" and "sendmsg".
	Service, Name string
	// Also lists services under which the same command answers too.
	Also []string
	// By is who may call it.
	By Callers
	// Family gives the codes for the refusals that every command has.
	Family im.Family
	// Fields gives a field its own code for a value of the wrong type; other fields take Family.BadField.
	Fields map[string]im.Code
	// Doc is one line for the table of commands, and Section the section that describes the command, "rest.md#sendmsg".
	Doc, Section string
	// RESTRate is calls per second and application at the REST door where the interface documents another figure than
	// the default; zero takes the default.
	RESTRate int
	// ClientRate is calls per second and account at the client door, and of guests per address, where the interface or a
	// little trust in guests asks for a bound of the command's own; zero is none.
	ClientRate int
	// Feature is the bit that clients look for before they use the command; it is set once the command is registered.
	Feature Feature
	// Codes are the codes of refusals that differ for this command.
	Codes Codes
}

// Command is a declared capability. Make it with New or NewDeferred.
type Command struct {
	Spec
	// Reply is the type whose members the reply has beside the envelope's.
	Reply    reflect.Type
	serve    func(ctx context.Context, call *Call, body []byte, answer answerer)
	deferred bool
}

// answerer takes the result of a handler, once.
type answerer func(reply any, err error)

// New declares a command. The handler gets the request decoded; the reply's fields are joined to the envelope
// (ActionStatus, ErrorCode, ErrorInfo), and a nil reply is an envelope alone. A handler refuses by returning an
// *im.Error, with a reply beside it when the interface gives data along with the refusal.
func New[Req, Rep any](spec Spec, handle func(ctx context.Context, call *Call, request *Req) (*Rep, error)) Command {
	c := NewDeferred(spec, func(ctx context.Context, call *Call, request *Req, answer func(*Rep, error)) {
		answer(handle(ctx, call, request))
	})
	c.deferred = false
	return c
}

// NewDeferred declares a command whose handler may return before it has answered; another goroutine then answers, such as
// the one that is told of commits. The handler answers exactly once, with what a handler of New returns. Its context
// ends with the answer.
//
// Deferred calls of one session may be under way side by side: the next one begins when the handler of the one before
// has returned, answered or not. So the handler settles the order of its work before it returns. A call of any other
// command begins when all of them are answered.
func NewDeferred[Req, Rep any](
	spec Spec, handle func(ctx context.Context, call *Call, request *Req, answer func(*Rep, error)),
) Command {
	return Command{Spec: spec, Reply: reflect.TypeFor[Rep](), deferred: true, serve: func(ctx context.Context, call *Call, body []byte, answer answerer) {
		request := new(Req)
		if err := wire.Unmarshal(body, request); err != nil {
			answer(nil, spec.refuse(err))
			return
		}
		handle(ctx, call, request, func(reply *Rep, err error) {
			err = spec.Codes.at(call.Door, err)
			if reply == nil {
				answer(nil, err)
				return
			}
			answer(reply, err)
		})
	}}
}

func (s *Spec) refuse(err error) error {
	var field *wire.FieldError
	if !errors.As(err, &field) {
		return im.Errorf(s.Family.BadJSON, "%v", err)
	}
	if code, ok := s.Fields[field.Top()]; ok {
		return im.Errorf(code, "%v", err)
	}
	return im.Errorf(s.Family.BadField, "%v", err)
}

// None is the request or reply of a command that has no fields of its own.
type None struct{}

// Status is what a reply says of itself when it is neither plain success nor a refusal: a batch of which a part failed.
type Status interface {
	// ActionStatus is "OK", "FAIL" or, for a batch, "SomeError".
	ActionStatus() string
}

type envelope struct {
	ActionStatus string  `json:"ActionStatus"`
	ErrorCode    im.Code `json:"ErrorCode"`
	ErrorInfo    string  `json:"ErrorInfo"`
}

// Encode writes a reply with its envelope.
func Encode(reply any, code im.Code, info string) ([]byte, error) {
	head := envelope{ActionStatus: "OK", ErrorCode: code, ErrorInfo: info}
	if code != im.CodeOK {
		head.ActionStatus = "FAIL"
	}
	if s, ok := reply.(Status); ok && code == im.CodeOK {
		head.ActionStatus = s.ActionStatus()
	}
	top, err := wire.Marshal(head)
	if err != nil {
		return nil, fmt.Errorf("encode envelope: %w", err)
	}
	if reply == nil {
		return top, nil
	}
	rest, err := wire.Marshal(reply)
	if err != nil {
		return nil, fmt.Errorf("encode reply: %w", err)
	}
	return wire.Join(top, rest), nil
}
