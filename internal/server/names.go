package server

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/gateway"
)

// names is where each name stands that clients are sent.
type names map[string][]string

// namesPage lists the names of all members that replies and pushes to clients have, one a line. The tests of the official
// web clients hold them against the names that those read.
func namesPage() []byte {
	all := names{}
	rooms := declared()
	for _, c := range slices.Concat(rooms.commands()...) {
		if c.By&(command.Account|command.Guest) != 0 {
			all.of(c.Reply, c.Service+"."+c.Name)
		}
	}
	for _, e := range slices.Concat(rooms.events()...) {
		all.add(e.Key, "push")
		all.of(e.Type, e.Key)
	}
	all.of(gateway.LoginReply(), "im_open_status.wslogin")
	var b bytes.Buffer
	b.WriteString("{")
	for i, name := range slices.Sorted(maps.Keys(all)) {
		if i > 0 {
			b.WriteString(",")
		}
		fmt.Fprintf(&b, "\n  %q: %q", name, strings.Join(all[name], " "))
	}
	b.WriteString("\n}\n")
	return b.Bytes()
}

func (n names) add(name, where string) {
	if !slices.Contains(n[name], where) {
		n[name] = append(n[name], where)
		slices.Sort(n[name])
	}
}

// of adds the members of a type and of all types in it. No reply of this program holds itself.
func (n names) of(t reflect.Type, where string) {
	if kind := t.Kind(); kind == reflect.Pointer || kind == reflect.Slice || kind == reflect.Map {
		n.of(t.Elem(), where)
		return
	}
	if t.Kind() != reflect.Struct {
		return
	}
	for i := range t.NumField() {
		field := t.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "-" || !field.IsExported() && !field.Anonymous {
			continue
		}
		if name != "" {
			n.add(name, where)
		}
		n.of(field.Type, where)
	}
}
