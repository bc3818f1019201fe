package setting

import (
	"maps"
	"slices"

	"github.com/magpie-im/magpie/internal/im"
)

// GroupSpec is the declaration of a group.
type GroupSpec struct {
	// Prefix begins the names of the group's settings, "webhook". It has no dot.
	Prefix string
	// Most bounds how many members an application may have, the nameless one included.
	Most int
	// Doc says what a member is, "address of the back end".
	Doc string
}

// Group is a set of settings that an application may have several times: the members of the group. The nameless member's
// settings are "webhook.url" and so on, those of a member that the operator named are "webhook.NAME.url". T is the type of
// a member. A member exists while one of its settings differs from its default.
type Group[T any] struct {
	spec   GroupSpec
	fields []untyped
	build  func(name string, chosen im.Choices) T
}

// NewGroup declares a group with these settings. build makes a member of what was chosen for it, which it reads with In;
// it is called once for each change.
func NewGroup[T any](spec GroupSpec, build func(name string, chosen im.Choices) T, fields ...Field) *Group[T] {
	g := &Group[T]{spec: spec, build: build}
	for _, f := range fields {
		e := f.untyped()
		e.Group = spec.Prefix
		g.fields = append(g.fields, e)
	}
	return g
}

// Of returns the application's members in the order of their names. It costs no lock and no allocation, and the members
// are not to be changed.
func (g *Group[T]) Of(app *im.App) []T {
	if app.Chosen == nil {
		return nil
	}
	members, _ := app.Chosen.Choice(g)
	list, _ := members.([]T)
	return list
}

// group is a Group without its type.
type group struct {
	GroupSpec
	fields map[string]untyped
	// finish puts into the values what Of reads.
	finish func(into *Values, members map[string]*Values)
}

func (g *Group[T]) declare(t *Table) {
	known := &group{GroupSpec: g.spec, fields: map[string]untyped{}, finish: g.finish}
	t.addGroup(known)
	for _, e := range g.fields {
		if _, twice := known.fields[e.Name]; twice {
			panic("setting declared twice: " + known.name("", e.Name))
		}
		e.verify()
		known.fields[e.Name] = e
		shown := e.Description
		shown.Name = known.name("", e.Name)
		t.order = append(t.order, shown)
	}
}

func (g *Group[T]) finish(into *Values, members map[string]*Values) {
	list := make([]T, 0, len(members))
	for _, name := range slices.Sorted(maps.Keys(members)) {
		list = append(list, g.build(name, members[name]))
	}
	into.byKey[g] = list
}

// name is the whole name of a member's setting.
func (g *group) name(member, field string) string {
	if member == "" {
		return g.Prefix + "." + field
	}
	return g.Prefix + "." + member + "." + field
}
