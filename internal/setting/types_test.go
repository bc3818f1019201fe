package setting_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/setting"
)

type color string

// declared is one setting of each type.
type declared struct {
	number *setting.Setting[int]
	swatch *setting.Setting[bool]
	text   *setting.Setting[string]
	secret *setting.Setting[string]
	choice *setting.Setting[color]
	list   *setting.Setting[[]string]
}

func declare() declared {
	return declared{
		setting.Int(setting.Spec[int]{Name: "a.number", Default: 7, Low: -1, High: 12, Unit: "seconds", Doc: "a number"}),
		setting.Bool(setting.Spec[bool]{Name: "a.switch", Default: true, Doc: "a switch"}),
		setting.Text(setting.Spec[string]{Name: "a.text", Default: "so", High: 5, Doc: "a text", Check: noBlank}),
		setting.Text(setting.Spec[string]{Name: "a.secret", High: 5, Doc: "a secret", Secret: true}),
		setting.Choice(setting.Spec[color]{Name: "a.choice", Default: "red", Doc: "a choice"}, "red", "green"),
		setting.List(setting.Spec[[]string]{Name: "a.list", High: 3, Doc: "a list"}),
	}
}

func noBlank(text string) error {
	if strings.Contains(text, " ") {
		return errors.New("want no blank")
	}
	return nil
}

func (d declared) all() []setting.Declaration {
	return []setting.Declaration{d.number, d.swatch, d.text, d.secret, d.choice, d.list}
}

// chosen makes an application for which these texts are stored.
func chosen(t *testing.T, table *setting.Table, texts map[string]string) *im.App {
	t.Helper()
	values, unread := table.Read(texts)
	if len(unread) > 0 {
		t.Fatalf("not read: %v", unread)
	}
	return &im.App{Chosen: values}
}

// Every type takes these texts and reads them as these values, and refuses those with a sentence that says what it wants.
func TestTypes(t *testing.T) {
	d := declare()
	table := setting.NewTable(d.all())
	for name, c := range map[string]struct {
		of      func(*im.App) any
		takes   map[string]string // the value, printed
		refuses []string
		want    string
	}{
		"a.number": {
			func(app *im.App) any { return d.number.Of(app) },
			map[string]string{"7": "7", "-1": "-1", "12": "12", "0": "0", "+3": "3", "007": "7"},
			[]string{"", "-2", "13", "1e1", "1.0", " 1", "x", "99999999999999999999"}, `want a whole number from -1 to 12`,
		},
		"a.switch": {
			func(app *im.App) any { return d.swatch.Of(app) },
			map[string]string{"on": "true", "off": "false"},
			[]string{"", "On", "true", "1"}, `want on or off`,
		},
		"a.text": {
			func(app *im.App) any { return d.text.Of(app) },
			map[string]string{"": "", "so": "so", "12345": "12345", "ü&=\n": "ü&=\n"}, []string{"123456"}, `want at most 5 bytes`,
		},
		"a.choice": {
			func(app *im.App) any { return d.choice.Of(app) },
			map[string]string{"red": "red", "green": "green"}, []string{"", "Red", "blue", "red,green"}, `want one of red, green`,
		},
		"a.list": {
			func(app *im.App) any { return d.list.Of(app) },
			map[string]string{"": "[]", "x": "[x]", "a,b,c": "[a b c]"},
			[]string{"a,b,c,d"}, `want at most 3, split by commas`,
		},
	} {
		for text, value := range c.takes {
			fresh, err := table.Change(nil, map[string]string{name: text})
			if err != nil {
				t.Errorf("%s=%q: %v", name, text, err)
				continue
			}
			if got := fmt.Sprint(c.of(chosen(t, table, fresh))); got != value {
				t.Errorf("%s=%q is %s, want %s", name, text, got, value)
			}
		}
		for _, text := range c.refuses {
			_, err := table.Change(nil, map[string]string{name: text})
			if want := fmt.Sprintf("%s: %s, not %q", name, c.want, text); err == nil || err.Error() != want {
				t.Errorf("%s=%q: %v, want %s", name, text, err, want)
			}
		}
	}
	if _, err := table.Change(nil, map[string]string{"a.text": "a b"}); err == nil || !strings.Contains(err.Error(), "want no blank") {
		t.Errorf("what Check refuses: %v", err)
	}
}

// Blanks and repetitions in a list do not matter, and it is stored without them.
func TestListIsTidied(t *testing.T) {
	d := declare()
	table := setting.NewTable(d.all())
	fresh, err := table.Change(nil, map[string]string{"a.list": " x , ,y,x,"})
	if err != nil || fresh["a.list"] != "x,y" || !slices.Equal(d.list.Of(chosen(t, table, fresh)), []string{"x", "y"}) {
		t.Errorf("the list is stored as %q (%v)", fresh["a.list"], err)
	}
}

// Without a choice the defaults hold, whatever the application has.
func TestDefaults(t *testing.T) {
	d := declare()
	table := setting.NewTable(d.all())
	for _, app := range []*im.App{{}, {Chosen: (*setting.Values)(nil)}, chosen(t, table, nil), chosen(t, setting.NewTable(), nil)} {
		if d.number.Of(app) != 7 || !d.swatch.Of(app) || d.text.Of(app) != "so" || d.choice.Of(app) != "red" || d.list.Of(app) != nil {
			t.Errorf("%+v does not have the defaults", app)
		}
		if rows := table.Rows(app); len(rows) != 6 || rows[0].Text != "7" || rows[0].Chosen || rows[1].Text != "on" {
			t.Errorf("the rows are %+v", rows)
		}
	}
}

// A secret is read by its room and shown to nobody.
func TestSecretsAreNotShown(t *testing.T) {
	d := declare()
	table := setting.NewTable(d.all())
	app := chosen(t, table, map[string]string{"a.secret": "key12", "a.text": "open"})
	if d.secret.Of(app) != "key12" {
		t.Errorf("the secret is read as %q", d.secret.Of(app))
	}
	at := slices.IndexFunc(table.Rows(app), func(r setting.Row) bool { return r.Secret })
	if row := table.Rows(app)[at]; row.Text != "" || !row.Chosen {
		t.Errorf("the secret's row is %+v", row)
	}
	if none := table.Rows(&im.App{})[at]; none.Chosen {
		t.Errorf("without a secret its row is %+v", none)
	}
	_, err := table.Change(nil, map[string]string{"a.secret": "key123"})
	for _, text := range []string{fmt.Sprint(app), fmt.Sprintf("%+v", app), fmt.Sprint(table.Rows(app)), fmt.Sprint(err)} {
		if strings.Contains(text, "key12") {
			t.Errorf("the secret is in %s", text)
		}
	}
}

func TestDescribe(t *testing.T) {
	got := ""
	for _, d := range setting.NewTable(declare().all()).Describe() {
		got += fmt.Sprintf("%s %s (%s) %q\n", d.Name, d.Type, d.Range(), d.Default)
	}
	const want = `a.number number (-1 to 12 seconds) "7"
a.switch switch (on, off) "on"
a.text text (up to 5 bytes) "so"
a.secret text (up to 5 bytes) ""
a.choice choice (red, green) "red"
a.list list (up to 3, split by commas) ""
`
	if got != want {
		t.Errorf("the table is\n%s", got)
	}
}

// What cannot be declared is a fault of the program, which must not start with it.
func TestWrongDeclarationsPanic(t *testing.T) {
	one := setting.Bool(setting.Spec[bool]{Name: "a"})
	group := setting.NewGroup(setting.GroupSpec{Prefix: "g", Most: 1}, func(string, im.Choices) int { return 0 }, one, one)
	for what, declarations := range map[string][]setting.Declaration{
		"one name twice":            {one, one},
		"one name twice in a group": {group},
		"a default out of bounds":   {setting.Int(setting.Spec[int]{Name: "a", Default: 3, High: 2})},
		"a default that is no word": {setting.Choice(setting.Spec[color]{Name: "a"}, "red")},
		"a text without a bound":    {setting.Text(setting.Spec[string]{Name: "a"})},
		"a list without a bound":    {setting.List(setting.Spec[[]string]{Name: "a"})},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s is declared", what)
				}
			}()
			setting.NewTable(declarations)
		}()
	}
}

// A setting is read at every message: it must not cost anything to speak of.
func TestReadingAllocatesNothing(t *testing.T) {
	d := declare()
	app := chosen(t, setting.NewTable(d.all()), map[string]string{"a.number": "9", "a.list": "x,y", "a.text": "z"})
	sum := 0
	if n := testing.AllocsPerRun(100, func() {
		sum += d.number.Of(app) + len(d.list.Of(app)) + len(d.text.Of(app)) + len(d.choice.Of(app))
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkOf(b *testing.B) {
	d := declare()
	values, _ := setting.NewTable(d.all()).Read(map[string]string{"a.number": "5", "a.list": "x", "a.text": "y", "a.choice": "green"})
	for name, app := range map[string]*im.App{"chosen": {Chosen: values}, "default": {}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_ = d.number.Of(app)
			}
		})
	}
}
