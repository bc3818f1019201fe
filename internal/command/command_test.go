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

func greet(_ context.Context, call *command.Call, r *greetRequest) (*greetReply, error) {
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
	return &greetReply{Text: call.UserID + " greets " + r.Name, status: "OK"}, nil
}

// house is a registry with the one command at the doors given.
func house(doors command.Callers, rate, restRate int) (*command.Registry, *bytes.Buffer) {
	log := &bytes.Buffer{}
	metrics := telemetry.NewMetrics()
	r := command.NewRegistry(slog.New(slog.NewTextHandler(log, nil)), metrics, rate, nil)
	r.Register(metrics, []command.Command{command.New(command.Spec{
		Service: "hall", Name: "greet", Also: []string{"million_hall"}, By: doors, Family: im.FamilyMessage(),
		Fields: map[string]im.Code{"Times": im.CodeMessageRandom}, RESTRate: restRate,
	}, greet)})
	return r, log
}

func caller(door im.Door) *command.Call {
	return &command.Call{Actor: im.Actor{App: &im.App{ID: 7}, UserID: "alice", Account: 1, Door: door}}
}

// The chain by example: what comes in, what the caller gets.
func TestServe(t *testing.T) {
	r, log := house(command.Administrator|command.Account, 0, 0)
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
			reply, code := r.Serve(t.Context(), caller(door), name(door, "hall", "greet"), []byte(row.body))
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
		r, log := house(command.Administrator|command.Account, 0, 0)
		ctx := telemetry.WithTrace(t.Context(), "trace-of-this-call")
		reply, code := r.Serve(ctx, caller(im.DoorREST), "hall/greet", []byte(`{"Name":"`+who+`"}`))
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
		doors command.Callers
		door  im.Door
		name  string
		found bool
	}{
		{command.Administrator | command.Account, im.DoorREST, "hall/greet", true},
		{command.Administrator | command.Account, im.DoorREST, "million_hall/greet", true},
		{command.Administrator | command.Account, im.DoorClient, "hall.greet", true},
		{command.Administrator | command.Account, im.DoorClient, "million_hall.greet", true},
		{command.Administrator, im.DoorClient, "hall.greet", false},
		{command.Account, im.DoorREST, "hall/greet", false},
		{command.Administrator | command.Account, im.DoorREST, "hall.greet", false},
		{command.Administrator | command.Account, im.DoorClient, "hall/greet", false},
		{command.Administrator | command.Account, im.DoorREST, "hall/Greet", false},
		{command.Administrator | command.Account, im.DoorREST, "/hall/greet", false},
		{command.Administrator | command.Account, im.DoorREST, "hall/greet/", false},
		{command.Administrator | command.Account, im.DoorREST, "", false},
		{command.Administrator | command.Account, im.DoorREST, strings.Repeat("x", 100_000), false},
	} {
		r, _ := house(row.doors, 0, 0)
		reply, code := r.Serve(t.Context(), caller(row.door), row.name, []byte(`{}`))
		if found := code == 0; found != row.found || !found && code != 60009 || len(reply) > 1000 {
			t.Errorf("%.40q at the %s door of doors %d: %d %.200s", row.name, row.door, row.doors, code, reply)
		}
	}
}

// REST calls of one command by one application in one second are bounded; clients' are not, nor are others'.
func TestRate(t *testing.T) {
	for _, row := range []struct{ usual, own, want int }{{5, 0, 5}, {5, 3, 3}, {5, 9, 5}, {0, 3, 100}} {
		r, _ := house(command.Administrator|command.Account, row.usual, row.own)
		count := func(a *command.Call, n string) (served int, refused im.Code) {
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
		served, code := count(caller(im.DoorREST), "hall/greet")
		if served < row.want || served > 2*row.want || served < 100 && code != 60007 {
			t.Errorf("bounds %d and %d: %d of 100 served, the others answered %d", row.usual, row.own, served, code)
		}
		other := caller(im.DoorREST)
		other.App = &im.App{ID: 8}
		if served, _ := count(other, "hall/greet"); served < row.want {
			t.Errorf("bounds %d and %d: another application got %d", row.usual, row.own, served)
		}
		if served, _ := count(caller(im.DoorClient), "hall.greet"); served != 100 {
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
	r := command.NewRegistry(slog.New(slog.DiscardHandler), metrics, 0, nil)
	one := command.New(command.Spec{Service: "hall", Name: "greet", By: command.Administrator}, greet)
	r.Register(metrics, []command.Command{one})
	r.Register(metrics, []command.Command{one})
}

// A reply that cannot be written is our own fault too.
func TestReplyThatCannotBeWritten(t *testing.T) {
	metrics := telemetry.NewMetrics()
	r := command.NewRegistry(slog.New(slog.DiscardHandler), metrics, 0, nil)
	type broken struct {
		Raw json.RawMessage `json:"Raw"`
	}
	r.Register(metrics, []command.Command{command.New(command.Spec{
		Service: "hall", Name: "break", By: command.Administrator, Family: im.Family{Internal: im.CodeProfileInternal},
	}, func(context.Context, *command.Call, *command.None) (*broken, error) {
		return &broken{json.RawMessage(`{`)}, nil
	})})
	reply, code := r.Serve(t.Context(), caller(im.DoorREST), "hall/break", nil)
	if code != 40006 || !strings.Contains(string(reply), `"ErrorCode":40006`) {
		t.Errorf("%d %s, want the profile service's internal error", code, reply)
	}
}

// Guests reach the commands that are theirs, and learn of no others; whoever is logged in reaches no guests' command.
func TestCallers(t *testing.T) {
	guest := caller(im.DoorClient)
	guest.Account, guest.UserID = 0, ""
	for _, row := range []struct {
		by            command.Callers
		member, guest im.Code
	}{
		{command.Account, 0, 20002},
		{command.Account | command.Guest, 0, 0},
		{command.Guest, 60009, 0},
		{command.Administrator, 60009, 20002},
	} {
		r, _ := house(row.by, 0, 0)
		if _, code := r.Serve(t.Context(), caller(im.DoorClient), "hall.greet", nil); code != row.member {
			t.Errorf("a command for %d answers a member with %d, want %d", row.by, code, row.member)
		}
		if _, code := r.Serve(t.Context(), guest, "hall.greet", nil); code != row.guest {
			t.Errorf("a command for %d answers a guest with %d, want %d", row.by, code, row.guest)
		}
	}
}

// declare makes a registry of one command that refuses with CodeMessageRecalled.
func declare(spec command.Spec) *command.Registry {
	metrics := telemetry.NewMetrics()
	r := command.NewRegistry(slog.New(slog.DiscardHandler), metrics, 0, nil)
	spec.Service, spec.Name, spec.Family = "hall", "greet", im.FamilyMessage()
	r.Register(metrics, []command.Command{command.New(spec, greet)})
	return r
}

// A command's own bound at the client door counts each account, and each guest's address, by itself.
func TestClientRate(t *testing.T) {
	r := declare(command.Spec{By: command.Administrator | command.Account | command.Guest, ClientRate: 5})
	count := func(account im.AccountID, address string, door im.Door) (served int) {
		for range 100 {
			call := caller(door)
			call.Account, call.Address = account, address
			name := name(door, "hall", "greet")
			if _, code := r.Serve(t.Context(), call, name, nil); code == 0 {
				served++
			} else if code != 60018 {
				t.Fatalf("a call too many is answered with %d", code)
			}
		}
		return served
	}
	for _, of := range []struct {
		account im.AccountID
		address string
	}{{1, "a"}, {2, "a"}, {0, "a"}, {0, "b"}} {
		// The second may end in between, so up to twice the bound is right.
		if served := count(of.account, of.address, im.DoorClient); served < 5 || served > 10 {
			t.Errorf("account %d at %s: %d of 100 served, want 5", of.account, of.address, served)
		}
	}
	if served := count(1, "a", im.DoorREST); served != 100 {
		t.Errorf("the back end: %d of 100 served", served)
	}
}

// The bits that a client is sent are those of the registered commands.
func TestFeatures(t *testing.T) {
	none := strings.Repeat("0", 64)
	if got := declare(command.Spec{By: command.Account}).Features(); got != none {
		t.Errorf("features of a command without any: %s", got)
	}
	if got, want := declare(command.Spec{By: command.Account, Feature: 9}).Features(), none[:54]+"1"+none[:9]; got != want {
		t.Errorf("features of a command with bit 9: %s, want %s", got, want)
	}
}

// A command's own codes stand for the usual ones, at the door for which they are declared.
func TestOwnCodes(t *testing.T) {
	other := map[im.Code]im.Code{im.CodeMessageRecalled: im.CodeMessageUnknown, im.CodeOK: im.CodeMessageUnknown}
	for door, codes := range map[im.Door]command.Codes{im.DoorREST: {REST: other}, im.DoorClient: {Client: other}} {
		r := declare(command.Spec{By: command.Administrator | command.Account, Codes: codes})
		for _, at := range []im.Door{im.DoorREST, im.DoorClient} {
			want := im.CodeMessageRecalled
			if at == door {
				want = im.CodeMessageUnknown
			}
			reply, code := r.Serve(t.Context(), caller(at), name(at, "hall", "greet"), []byte(`{"Name":"refuse"}`))
			if code != want || !strings.Contains(string(reply), `"ErrorInfo":"not refuse"`) {
				t.Errorf("codes of the %s door, at the %s door: %s, want %d", door, at, reply, want)
			}
			if _, code := r.Serve(t.Context(), caller(at), name(at, "hall", "greet"), nil); code != 0 {
				t.Errorf("success is answered with %d", code)
			}
		}
	}
}
