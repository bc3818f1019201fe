// Package command is the one way into the rules: a capability is declared once, as a Command with its names at both
// doors, and every call passes the same chain: trace, audience, rate limit, decoding, handler, log and metrics.
//
// It does not know the doors, nor what any command does.
package command

import (
	"context"
	"errors"
	"fmt"

	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// Doors says at which doors a command answers.
type Doors int

// The doors a command may have.
const (
	REST   Doors = 1 << iota // application administrators, POST /v4/{service}/{name}
	Client                   // logged-in clients, servcmd "{service}.{name}"
	Both   = REST | Client
)

// Spec is a command's declaration.
type Spec struct {
	// Service and Name are the command's name: "openim" and "sendmsg".
	Service, Name string
	// Also lists services under which the same command answers too.
	Also  []string
	Doors Doors
	// Family gives the codes for the failures that every command has.
	Family im.Family
	// Fields gives a field its own code for a value of the wrong type; other fields take Family.BadField.
	Fields map[string]im.Code
	// Doc is one line for the table of commands, and Section the place that describes the command, "rest.md#sendmsg".
	Doc, Section string
	// RESTRate is calls per second and application at the REST door where the interface documents another figure than
	// the default; zero takes the default.
	RESTRate int
}

// Command is a declared capability. Make it with New.
type Command struct {
	Spec
	serve func(ctx context.Context, actor *im.Actor, body []byte) (any, error)
}

// New declares a command. The handler gets the request decoded; the reply's fields are joined to the envelope
// (ActionStatus, ErrorCode, ErrorInfo), and a nil reply is an envelope alone. A handler refuses by returning an
// *im.Error, with a reply beside it when the interface gives data along with the refusal.
func New[Req, Rep any](spec Spec, handle func(ctx context.Context, actor *im.Actor, request *Req) (*Rep, error)) Command {
	return Command{Spec: spec, serve: func(ctx context.Context, actor *im.Actor, body []byte) (any, error) {
		request := new(Req)
		if err := wire.Unmarshal(body, request); err != nil {
			return nil, spec.refuse(err)
		}
		reply, err := handle(ctx, actor, request)
		if reply == nil {
			return nil, err
		}
		return reply, err
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
