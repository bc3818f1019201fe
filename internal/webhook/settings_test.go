package webhook

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/setting"
)

func settingTable() *setting.Table { return setting.NewTable((&Webhooks{}).Settings()) }

// set changes what is stored, and returns what is stored then.
func set(stored map[string]string, name, value string) (map[string]string, error) {
	return settingTable().Change(stored, map[string]string{name: value})
}

// Configured is an application for which these texts are stored.
func Configured(t *testing.T, id im.AppID, stored map[string]string) *im.App {
	t.Helper()
	values, unread := settingTable().Read(stored)
	if len(unread) > 0 {
		t.Fatalf("not read: %v", unread)
	}
	return &im.App{ID: id, Chosen: values}
}

func hookOf(app *im.App, name string) *Hook {
	for _, hook := range hooks.Of(app) {
		if hook.Name == name {
			return &hook
		}
	}
	return nil
}

// Every setting of a webhook takes these values and gives them back, and refuses those.
func TestWebhookSettings(t *testing.T) {
	many := make([]string, 101)
	for i := range many {
		many[i] = fmt.Sprint("A.B", i)
	}
	for name, c := range map[string]struct {
		of             func(*Hook) string
		takes, refuses []string
	}{
		"url": {
			func(h *Hook) string { return h.URL },
			[]string{
				"http://h", "https://user:pw@example.com:8443/a%20b?c=d&e", "http://127.0.0.1:1", "http://[::1]:80/", "http://h?", "",
			},
			[]string{
				"h", "//h/", "ftp://h/", "http://", "http:///p", "http://:80/", "http://h/#f", "http://h/#", "http://h/?a=%zz", "http://h/?a=b c",
				"http://h/?a;b", "http://h\n/", "http://h/?a=b\r\nX: y", "http://h:port/", " http://h", "http://h/?a=\x7f",
				"http://h/" + strings.Repeat("x", 2048),
			},
		},
		"commands": {
			func(h *Hook) string { return strings.Join(h.Commands, ",") },
			[]string{"", "all", "A.B", "A.B,C.D1", strings.Join(many[:100], ",")},
			[]string{"A", "A.", "A.B.C", "A.B&C=D", "A.B;C.D", "All", "a b.c", "Ä.B", strings.Join(many, ","), strings.Repeat("A", 99) + ".B"},
		},
		"token": {
			func(h *Hook) string { return h.Token },
			[]string{"", "x", strings.Repeat("x", 256), "ü&="}, []string{strings.Repeat("x", 257)},
		},
		"secret": {
			func(h *Hook) string { return h.Secret },
			[]string{"", "x", strings.Repeat("x", 256)}, []string{strings.Repeat("x", 257)},
		},
		"on_timeout": {
			func(h *Hook) string { return map[bool]string{false: "deliver", true: "refuse"}[h.Refuse] },
			[]string{"deliver", "refuse"}, []string{"", "Refuse", "on"},
		},
		"retry": {
			func(h *Hook) string { return map[bool]string{false: "off", true: "on"}[h.Retry] },
			[]string{"on", "off"}, []string{"", "true", "1"},
		},
		"retry_seconds": {
			func(h *Hook) string { return fmt.Sprint(int(h.RetryFor / time.Second)) },
			[]string{"1", "604800"}, []string{"", "0", "-1", "604801", "1s", "99999999999999999999"},
		},
	} {
		for _, member := range []string{"", "an-other_1"} {
			prefix := strings.TrimSuffix("webhook."+member, ".") + "."
			for _, value := range c.takes {
				stored, err := set(map[string]string{prefix + "commands": "all"}, prefix+name, value)
				if err != nil {
					t.Errorf("%s%s=%.60q: %v", prefix, name, value, err)
					continue
				}
				hook := hookOf(Configured(t, 1, stored), member)
				if hook == nil {
					hook = &Hook{} // nothing is chosen any more
				}
				if c.of(hook) != value {
					t.Errorf("%s%s=%.60q: it is %.60q", prefix, name, value, c.of(hook))
				}
			}
			for _, value := range c.refuses {
				if _, err := set(nil, prefix+name, value); err == nil {
					t.Errorf("%s%s=%.60q is taken", prefix, name, value)
				}
			}
		}
	}
}

// There may be eight addresses, in the order of their names.
func TestWebhooksAreBounded(t *testing.T) {
	stored := map[string]string{}
	for i := range 8 {
		var err error
		if stored, err = set(stored, fmt.Sprintf("webhook.h%d.url", 7-i), "http://h"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := set(stored, "webhook.url", "http://h"); err == nil {
		t.Error("a ninth address is taken")
	}
	if all := hooks.Of(Configured(t, 1, stored)); len(all) != 8 || all[0].Name != "h0" || all[7].Name != "h7" {
		t.Errorf("the addresses are %+v", all)
	}
}

func TestHookWants(t *testing.T) {
	h := Hook{URL: "http://h", Commands: []string{"A.B"}}
	if !h.Wants("A.B") || h.Wants("A.BC") || h.Wants("all") {
		t.Error("it wants what it did not tick, or not what it did")
	}
	h.Commands = []string{AllCommands}
	if !h.Wants("X.Y") {
		t.Error("all is not all")
	}
	if h.URL = ""; h.Wants("X.Y") {
		t.Error("an address without URL wants something")
	}
}

// A new address has its defaults, and the lists of names are tidied.
func TestNewHook(t *testing.T) {
	app := Configured(t, 1, map[string]string{"webhook.a.token": "t", "webhook.commands": " A.B , ,C.D,A.B,"})
	a := hookOf(app, "a")
	if a == nil || !a.Retry || a.RetryFor != 24*time.Hour || a.Refuse || a.Wants("X.Y") || a.Token != "t" || hookOf(app, "b") != nil {
		t.Errorf("a new address is %+v", a)
	}
	if got := hookOf(app, "").Commands; !slices.Equal(got, []string{"A.B", "C.D"}) {
		t.Errorf("the commands are %q", got)
	}
}
