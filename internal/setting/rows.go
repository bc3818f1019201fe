package setting

import (
	"maps"
	"slices"
	"strings"

	"github.com/magpie-im/magpie/internal/im"
)

// Row is a setting as it stands for one application.
type Row struct {
	// Description has the whole name, that of the member included.
	Description
	// Text is the value; of a secret it is empty.
	Text string
	// Chosen says that the value is not the default. Of a secret it says whether there is one.
	Chosen bool
}

// Rows lists the application's settings: in the order of Describe, and then those of its named members.
func (t *Table) Rows(app *im.App) []Row {
	v := valuesOf(app)
	rows := make([]Row, 0, len(t.order))
	for _, d := range t.order {
		rows = append(rows, v.row(d))
	}
	for _, prefix := range slices.Sorted(maps.Keys(t.groups)) {
		for _, member := range t.named(v, prefix) {
			rows = append(rows, t.member(v, prefix, member)...)
		}
	}
	return rows
}

// named lists the named members that a group has.
func (t *Table) named(v *Values, prefix string) []string {
	members := map[string]bool{}
	for name := range v.texts {
		if at, _ := t.find(name); at.group != nil && at.group.Prefix == prefix && at.member != "" {
			members[at.member] = true
		}
	}
	return slices.Sorted(maps.Keys(members))
}

func (t *Table) member(v *Values, prefix, member string) []Row {
	var rows []Row
	for _, d := range t.order {
		if d.Group == prefix {
			d.Name = t.groups[prefix].name(member, strings.TrimPrefix(d.Name, prefix+"."))
			rows = append(rows, v.row(d))
		}
	}
	return rows
}

// valuesOf returns what was chosen for the application, never nil.
func valuesOf(app *im.App) *Values {
	if v, ok := app.Chosen.(*Values); ok && v != nil {
		return v
	}
	return newValues()
}

func (v *Values) row(d Description) Row {
	text, chosen := v.texts[d.Name]
	switch {
	case d.Secret:
		text = ""
	case !chosen:
		text = d.Default
	}
	return Row{d, text, chosen}
}
