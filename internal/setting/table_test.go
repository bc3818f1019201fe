package setting_test

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/setting"
)

// door is a member of the group that these tests declare.
type door struct {
	name, color string
	open        bool
}

// house is a group with a table that has it beside one setting outside.
type house struct {
	doors *setting.Group[door]
	table *setting.Table
}

func newHouse() house {
	color := setting.Text(setting.Spec[string]{Name: "color", High: 10, Doc: "paint"})
	open := setting.Bool(setting.Spec[bool]{Name: "open", Default: true, Doc: "whether it is open"})
	doors := setting.NewGroup(setting.GroupSpec{Prefix: "door", Most: 3, Doc: "door of the house"}, func(name string, chosen im.Choices) door {
		return door{name, color.In(chosen), open.In(chosen)}
	}, color, open)
	floors := setting.Int(setting.Spec[int]{Name: "floors", Default: 1, Low: 1, High: 9, Doc: "floors"})
	return house{doors, setting.NewTable([]setting.Declaration{doors}, []setting.Declaration{floors})}
}

// A group's members are in the order of their names, the nameless one first, and exist while something of them is chosen.
func TestGroup(t *testing.T) {
	h := newHouse()
	app := chosen(t, h.table, map[string]string{
		"door.b.color": "red", "door.color": "blue", "door.a.open": "off", "door.c.open": "on", "floors": "2",
	})
	want := []door{{"", "blue", true}, {"a", "", false}, {"b", "red", true}}
	if got := h.doors.Of(app); !reflect.DeepEqual(got, want) {
		t.Errorf("the doors are %v, want %v", got, want)
	}
	if h.doors.Of(&im.App{}) != nil || h.doors.Of(chosen(t, h.table, nil)) != nil {
		t.Error("an application that chose nothing has doors")
	}
	got := ""
	for _, row := range h.table.Rows(app) {
		got += fmt.Sprintf("%s=%s %v\n", row.Name, row.Text, row.Chosen)
	}
	const rows = `door.color=blue true
door.open=on false
floors=2 true
door.a.color= false
door.a.open=off true
door.b.color=red true
door.b.open=on false
`
	if got != rows {
		t.Errorf("the rows are\n%s", got)
	}
	if groups := h.table.Groups(); len(groups) != 1 || groups[0].Prefix != "door" || groups[0].Most != 3 {
		t.Errorf("the groups are %+v", groups)
	}
}

func TestMemberNames(t *testing.T) {
	table := newHouse().table
	for name, ok := range map[string]bool{
		"door.a.color": true, "door.color.color": true, "door.0-_.open": true, "door." + strings.Repeat("x", 32) + ".color": true,
		"door..color": false, "door.A.color": false, "door.a.b.color": false, "door.a": false, "door.a.": false, "door.": false, "door": false,
		"door." + strings.Repeat("x", 33) + ".color": false, "door.ü.color": false, "gate.a.color": false, "floors.a.color": false, "": false,
	} {
		value := ""
		if strings.HasSuffix(name, "open") {
			value = "on"
		}
		if _, err := table.Change(nil, map[string]string{name: value}); (err == nil) != ok {
			t.Errorf("%s: %v, want taken: %v", name, err, ok)
		}
	}
}

// A group has so many members and no more, in whatever order the changes come, and one may go as another comes.
func TestGroupIsBounded(t *testing.T) {
	table := newHouse().table
	full := map[string]string{"door.color": "red", "door.a.color": "red", "door.b.open": "off"}
	for _, row := range []struct {
		changes map[string]string
		ok      bool
	}{
		{map[string]string{"door.c.color": "red"}, false},
		{map[string]string{"door.c.color": "red", "door.a.color": ""}, true},
		{map[string]string{"door.0.color": "red", "door.b.open": "on"}, true},
		{map[string]string{"door.c.color": ""}, true}, // its default: nothing is chosen
		{map[string]string{"door.a.open": "off"}, true},
	} {
		if _, err := table.Change(full, row.changes); (err == nil) != row.ok {
			t.Errorf("%v: %v, want taken: %v", row.changes, err, row.ok)
		}
	}
	over := maps.Clone(full)
	over["door.d.color"] = "red" // another version took more
	if _, err := table.Change(over, map[string]string{"floors": "2"}); err != nil {
		t.Errorf("a setting beside a group that is too large: %v", err)
	}
}

// Changes are made all or none, and leave alone what they do not name.
func TestChange(t *testing.T) {
	table := newHouse().table
	texts := map[string]string{"floors": "3", "door.color": "red", "newer.setting": "x", "door.newer": "y"}
	for _, row := range []struct {
		changes, want map[string]string // want is nil: refused
		name          string            // the setting that is refused
	}{
		{map[string]string{}, texts, ""},
		{
			map[string]string{"floors": "4", "door.a.open": "off"},
			map[string]string{
				"floors": "4", "door.a.open": "off", "door.color": "red", "newer.setting": "x", "door.newer": "y",
			}, "",
		},
		{
			map[string]string{"floors": "1", "door.color": ""}, // the defaults are not stored
			map[string]string{"newer.setting": "x", "door.newer": "y"}, "",
		},
		{map[string]string{"floors": "4", "door.open": "perhaps"}, nil, "door.open"},
		{map[string]string{"floors": "4", "roof": "red"}, nil, `"roof"`},
		{map[string]string{"newer.setting": "z"}, nil, `"newer.setting"`},
	} {
		before := maps.Clone(texts)
		got, err := table.Change(texts, row.changes)
		if row.want != nil && (err != nil || !maps.Equal(got, row.want)) {
			t.Errorf("%v: %v, %v; want %v", row.changes, got, err, row.want)
		}
		var refusal *setting.Error
		if row.want == nil && (got != nil || !errors.As(err, &refusal) || refusal.Name != row.name) {
			t.Errorf("%v: %v, %v; want a refusal of %s", row.changes, got, err, row.name)
		}
		if !maps.Equal(texts, before) {
			t.Fatalf("%v changed what was given: %v", row.changes, texts)
		}
	}
}

// What another version stored is left out and reported, one error each, and the rest is read.
func TestReadOfAnotherVersion(t *testing.T) {
	h := newHouse()
	v, unread := h.table.Read(map[string]string{
		"floors": "99", "newer.setting": "x", "door.newer": "y", "door.color": "red", "door.a.open": "perhaps",
	})
	app := &im.App{Chosen: v}
	if got := h.doors.Of(app); len(got) != 1 || got[0] != (door{"", "red", true}) {
		t.Errorf("the doors are %v", got)
	}
	if rows := h.table.Rows(app); rows[2].Name != "floors" || rows[2].Text != "1" {
		t.Errorf("the rows are %v", rows)
	}
	const want = `[door.a.open: want on or off, not "perhaps" door.newer: this version has no such setting ` +
		`floors: want a whole number from 1 to 9, not "99" newer.setting: this version has no such setting]`
	if fmt.Sprint(unread) != want {
		t.Errorf("reported is %v", unread)
	}
}
