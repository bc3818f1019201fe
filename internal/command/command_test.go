package command_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// greetRequest and greetReply belong to the command of these tests, which greets a name a number of times.
type greetRequest struct {
	Name  string  `json:"Name"`
	Times *uint32 `json:"Times"`
}

type greetReply struct {
	Text   string `json:"Text"`
	status string
}

// ActionStatus is "OK" unless the test wants something else.
func (r *greetReply) ActionStatus() string { return r.status }

func greet(_ context.Context, actor *im.Actor, r *greetRequest) (*greetReply, error) {
	switch r.Name {
	case "refuse":
		return nil, im.Errorf(im.CodeMessageRecalled, "not %s", r.Name)
	case "refuse and tell":
		return &greetReply{Text: "look"}, im.Errorf(im.CodeMessageRecalled, "not %s", r.Name)
	case "wrapped":
		return nil, fmt.Errorf("greet: %w", im.Errorf(im.CodeMessageRecalled, "deep down"))
	case "fail":
		return nil, errors.New("the secret of the store")
	case "fail and tell":
		return &greetReply{Text: "half"}, errors.New("the secret of the store")
	case "panic":
		panic("the secret of the program")
	case "nothing":
		return nil, nil
	case "partly":
		return &greetReply{Text: "some", status: "SomeError"}, nil
	}
	return &greetReply{Text: actor.UserID + " greets " + r.Name, status: "OK"}, nil
}

// house is a registry with the one command at the doors given.
func house(doors command.Doors, rate, restRate int) (*command.Registry, *bytes.Buffer) {
	log := &bytes.Buffer{}
	metrics := telemetry.NewMetrics()
	r := command.NewRegistry(slog.New(slog.NewTextHandler(log, nil)), metrics, rate)
	r.Register(metrics, []command.Command{command.New(command.Spec{
		Service: "hall", Name: "greet", Also: []string{"million_hall"}, Doors: doors, Family: im.FamilyMessage(),
		Fields: map[string]im.Code{"Times": im.CodeMessageRandom}, RESTRate: restRate,
	}, greet)})
	return r, log
}

func actor(door im.Door) *im.Actor {
	return &im.Actor{App: &im.App{ID: 7}, UserID: "alice", Door: door}
}

// The chain by example: what comes in, what the caller gets.
func TestServe(t *testing.T) {
	r, log := house(command.Both, 0, 0)
	for _, row := range []struct {
		name, body string
		code       im.Code
		want       string // the reply, exactly, or a part of it
	}{
		{"a greeting", `{"Name":"bob"}`, 0, `{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","Text":"alice greets bob"}`},
		{"no body", ``, 0, `{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","Text":"alice greets "}`},
		{"null", `null`, 0, `"ErrorCode":0`},
		{"an envelope alone", `{"Name":"nothing"}`, 0, `{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""}`},
		{"partly done", `{"Name":"partly"}`, 0, `{"ActionStatus":"SomeError","ErrorCode":0,"ErrorInfo":"","Text":"some"}`},
		{"a refusal", `{"Name":"refuse"}`, 20023, `{"ActionStatus":"FAIL","ErrorCode":20023,"ErrorInfo":"not refuse"}`},
		{"a refusal with data", `{"Name":"refuse and tell"}`, 20023, `"ErrorInfo":"not refuse and tell","Text":"look"}`},
		{"a refusal inside an error", `{"Name":"wrapped"}`, 20023, `"ErrorInfo":"deep down"`},
		{"not JSON", `{"Name"`, 90001, `"ActionStatus":"FAIL"`},
		{"a member twice", `{"Name":"a","Name":"b"}`, 90001, `"ActionStatus":"FAIL"`},
		{"a field with a code of its own", `{"Times":"x"}`, 90005, `field Times`},
		{"any other field", `{"Name":5}`, 90010, `field Name`},
		{"no object", `[]`, 90010, `object`},
	} {
		for _, door := range []im.Door{im.DoorREST, im.DoorClient} {
			reply, code := r.Serve(t.Context(), actor(door), name(door, "hall", "greet"), []byte(row.body))
			if code != row.code || !strings.Contains(string(reply), row.want) || !json.Valid(reply) {
				t.Errorf("%s at the %s door: %d %s, want %d %s", row.name, door, code, reply, row.code, row.want)
			}
		}
	}
	if log.Len() > 0 {
		t.Errorf("the log tells of faults: %s", log)
	}
}

func name(door im.Door, service, command string) string {
	if door == im.DoorREST {
		return service + "/" + command
	}
	return service + "." + command
}

// Our own faults: the caller learns a number to ask with, the log everything, and the server goes on.
func TestServeOwnFaults(t *testing.T) {
	for _, who := range []string{"fail", "fail and tell", "panic"} {
		r, log := house(command.Both, 0, 0)
		ctx := telemetry.WithTrace(t.Context(), "trace-of-this-call")
		reply, code := r.Serve(ctx, actor(im.DoorREST), "hall/greet", []byte(`{"Name":"`+who+`"}`))
		want := `{"ActionStatus":"FAIL","ErrorCode":91000,"ErrorInfo":"internal error, trace trace-of-this-call"}`
		if code != 91000 || string(reply) != want {
			t.Errorf("%s: %d %s, want %s", who, code, reply, want)
		}
		if !strings.Contains(log.String(), "the secret of the") || !strings.Contains(log.String(), "trace-of-this-call") {
			t.Errorf("%s: the log says %s", who, log)
		}
	}
}

// A command answers under its names at its doors, and nowhere else.
func TestNamesAndDoors(t *testing.T) {
	for _, row := range []struct {
		doors command.Doors
		door  im.Door
		name  string
		found bool
	}{
		{command.Both, im.DoorREST, "hall/greet", true},
		{command.Both, im.DoorREST, "million_hall/greet", true},
		{command.Both, im.DoorClient, "hall.greet", true},
		{command.Both, im.DoorClient, "million_hall.greet", true},
		{command.REST, im.DoorClient, "hall.greet", false},
		{command.Client, im.DoorREST, "hall/greet", false},
		{command.Both, im.DoorREST, "hall.greet", false},
		{command.Both, im.DoorClient, "hall/greet", false},
		{command.Both, im.DoorREST, "hall/Greet", false},
		{command.Both, im.DoorREST, "/hall/greet", false},
		{command.Both, im.DoorREST, "hall/greet/", false},
		{command.Both, im.DoorREST, "", false},
		{command.Both, im.DoorREST, strings.Repeat("x", 100_000), false},
	} {
		r, _ := house(row.doors, 0, 0)
		reply, code := r.Serve(t.Context(), actor(row.door), row.name, []byte(`{}`))
		if found := code == 0; found != row.found || !found && code != 60009 || len(reply) > 1000 {
			t.Errorf("%.40q at the %s door of doors %d: %d %.200s", row.name, row.door, row.doors, code, reply)
		}
	}
}

// REST calls of one command by one application in one second are bounded; clients' are not, nor are others'.
func TestRate(t *testing.T) {
	for _, row := range []struct{ usual, own, want int }{{5, 0, 5}, {5, 3, 3}, {5, 9, 5}, {0, 3, 100}} {
		r, _ := house(command.Both, row.usual, row.own)
		count := func(a *im.Actor, n string) (served int, refused im.Code) {
			for range 100 {
				if _, code := r.Serve(t.Context(), a, n, nil); code == 0 {
					served++
				} else {
					refused = code
				}
			}
			return served, refused
		}
		// The second may end in between, so up to twice the bound is right.
		served, code := count(actor(im.DoorREST), "hall/greet")
		if served < row.want || served > 2*row.want || served < 100 && code != 60007 {
			t.Errorf("bounds %d and %d: %d of 100 served, the others answered %d", row.usual, row.own, served, code)
		}
		other := actor(im.DoorREST)
		other.App = &im.App{ID: 8}
		if served, _ := count(other, "hall/greet"); served < row.want {
			t.Errorf("bounds %d and %d: another application got %d", row.usual, row.own, served)
		}
		if served, _ := count(actor(im.DoorClient), "hall.greet"); served != 100 {
			t.Errorf("bounds %d and %d: a client got %d of 100", row.usual, row.own, served)
		}
	}
}

// Two commands of one name are a mistake that must not wait for a caller to be found.
func TestRegisterTwice(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("the second command of the name was taken")
		}
	}()
	metrics := telemetry.NewMetrics()
	r := command.NewRegistry(slog.New(slog.DiscardHandler), metrics, 0)
	one := command.New(command.Spec{Service: "hall", Name: "greet", Doors: command.REST}, greet)
	r.Register(metrics, []command.Command{one})
	r.Register(metrics, []command.Command{one})
}

// A reply that cannot be written is our own fault too.
func TestReplyThatCannotBeWritten(t *testing.T) {
	metrics := telemetry.NewMetrics()
	r := command.NewRegistry(slog.New(slog.DiscardHandler), metrics, 0)
	type broken struct {
		Raw json.RawMessage `json:"Raw"`
	}
	r.Register(metrics, []command.Command{command.New(command.Spec{
		Service: "hall", Name: "break", Doors: command.REST, Family: im.FamilyProfile(),
	}, func(context.Context, *im.Actor, *command.None) (*broken, error) {
		return &broken{json.RawMessage(`{`)}, nil
	})})
	reply, code := r.Serve(t.Context(), actor(im.DoorREST), "hall/break", nil)
	if code != 40006 || !strings.Contains(string(reply), `"ErrorCode":40006`) {
		t.Errorf("%d %s, want the profile service's internal error", code, reply)
	}
}
