package setting

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Table is all settings that a program knows. It never changes.
type Table struct {
	byName map[string]untyped // those outside of groups
	groups map[string]*group  // by prefix
	order  []Description
}

// NewTable gathers what the rooms declare. Two settings of one name, and a default that the setting would refuse, are
// faults of the program, so it panics.
func NewTable(rooms ...[]Declaration) *Table {
	t := &Table{byName: map[string]untyped{}, groups: map[string]*group{}}
	for _, declarations := range rooms {
		for _, d := range declarations {
			d.declare(t)
		}
	}
	return t
}

func (t *Table) add(e untyped) {
	if _, twice := t.byName[e.Name]; twice {
		panic("setting declared twice: " + e.Name)
	}
	e.verify()
	t.byName[e.Name] = e
}

func (t *Table) addGroup(g *group) {
	if t.groups[g.Prefix] != nil {
		panic("group of settings declared twice: " + g.Prefix)
	}
	t.groups[g.Prefix] = g
}

func (e *untyped) verify() {
	if (e.Type == TypeText || e.Type == TypeList) && e.High <= 0 {
		panic("setting without a bound: " + e.Name)
	}
	if _, _, err := e.read(e.Default); err != nil {
		panic(fmt.Sprintf("setting %s: the default %q: %v", e.Name, e.Default, err))
	}
}

// Describe lists the declared settings in the order of the declarations, each group's for its nameless member.
func (t *Table) Describe() []Description { return slices.Clone(t.order) }

// Groups lists the declared groups by prefix.
func (t *Table) Groups() []GroupSpec {
	list := make([]GroupSpec, 0, len(t.groups))
	for _, prefix := range slices.Sorted(maps.Keys(t.groups)) {
		list = append(list, t.groups[prefix].GroupSpec)
	}
	return list
}

// found is the setting that a name stands for, and of a group's setting the group and the member.
type found struct {
	untyped
	group  *group // nil outside of groups
	member string
}

var memberName = regexp.MustCompile(`^[a-z0-9_-]{1,32}$`)

func (t *Table) find(name string) (found, bool) {
	if e, ok := t.byName[name]; ok {
		return found{untyped: e}, true
	}
	prefix, rest, _ := strings.Cut(name, ".")
	g := t.groups[prefix]
	if g == nil {
		return found{}, false
	}
	member, field, named := strings.Cut(rest, ".")
	if !named {
		member, field = "", rest
	} else if !memberName.MatchString(member) {
		return found{}, false
	}
	e, ok := g.fields[field]
	return found{e, g, member}, ok
}

// readAs is untyped.read with an *Error, which names the setting.
func (f *found) readAs(name, text string) (value any, written string, err error) {
	value, written, err = f.read(text)
	if err == nil {
		return value, written, nil
	}
	if f.Secret {
		return nil, "", &Error{name, err.Error()}
	}
	return nil, "", &Error{name, fmt.Sprintf("%v, not %.80q", err, text)}
}

// Read makes values of stored texts. A text that this program cannot read, because its name or its value comes from
// another version, is left out and reported.
func (t *Table) Read(texts map[string]string) (*Values, []error) {
	var unread []error
	v := newValues()
	members := map[*group]map[string]*Values{}
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		at, ok := t.find(name)
		if !ok {
			unread = append(unread, &Error{name, "this version has no such setting"})
			continue
		}
		value, written, err := at.readAs(name, texts[name])
		if err != nil {
			unread = append(unread, err)
			continue
		}
		if written == at.Default {
			continue
		}
		v.texts[name] = written
		of := v
		if at.group != nil {
			of = memberOf(members, at.group, at.member)
		}
		of.byKey[at.key] = value
	}
	for g, all := range members {
		g.finish(v, all)
	}
	return v, unread
}

func memberOf(members map[*group]map[string]*Values, g *group, name string) *Values {
	if members[g] == nil {
		members[g] = map[string]*Values{}
	}
	if members[g][name] == nil {
		members[g][name] = newValues()
	}
	return members[g][name]
}

// Change returns the stored texts with changes made to them, all or none; an *Error says which is refused and why. Only
// what differs from its default is stored, so that a new default reaches old applications. Texts that changes do not name
// stay, also those that this program cannot read.
func (t *Table) Change(texts, changes map[string]string) (map[string]string, error) {
	fresh := maps.Clone(texts)
	if fresh == nil {
		fresh = map[string]string{}
	}
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		at, ok := t.find(name)
		if !ok {
			return nil, &Error{fmt.Sprintf("%.80q", name), "there is no such setting"}
		}
		_, text, err := at.readAs(name, changes[name])
		if err != nil {
			return nil, err
		}
		if fresh[name] = text; text == at.Default {
			delete(fresh, name)
		}
	}
	if err := t.count(fresh, changes); err != nil {
		return nil, err
	}
	return fresh, nil
}

// count refuses changes that make more members of a group than it may have.
func (t *Table) count(texts, changes map[string]string) error {
	members := map[*group]map[string]bool{}
	for name := range texts {
		at, ok := t.find(name)
		if !ok || at.group == nil {
			continue
		}
		if members[at.group] == nil {
			members[at.group] = map[string]bool{}
		}
		members[at.group][at.member] = true
	}
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		if at, _ := t.find(name); at.group != nil && len(members[at.group]) > at.group.Most {
			return &Error{name, fmt.Sprintf("want at most %d of %s", at.group.Most, at.group.Prefix)}
		}
	}
	return nil
}
