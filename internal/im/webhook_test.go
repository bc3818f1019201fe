package im_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/im"
)

// Every setting of a webhook takes these values and gives them back, and refuses those, which leave it as it was.
func TestWebhookSettings(t *testing.T) {
	many := make([]string, 101)
	for i := range many {
		many[i] = fmt.Sprint("A.B", i)
	}
	for name, c := range map[string]struct{ takes, refuses []string }{
		"url": {
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
			[]string{"", "all", "A.B", "A.B,C.D1", strings.Join(many[:100], ",")},
			[]string{"A", "A.", "A.B.C", "A.B&C=D", "A.B;C.D", "All", "a b.c", "Ä.B", strings.Join(many, ",")},
		},
		"token":         {[]string{"", "x", strings.Repeat("x", 256), "ü&="}, []string{strings.Repeat("x", 257)}},
		"secret":        {[]string{"", "x", strings.Repeat("x", 256)}, []string{strings.Repeat("x", 257)}},
		"on_timeout":    {[]string{"deliver", "refuse"}, []string{"", "Refuse", "on"}},
		"retry":         {[]string{"on", "off"}, []string{"", "true", "1"}},
		"retry_seconds": {[]string{"1", "604800"}, []string{"", "0", "-1", "604801", "1s", "99999999999999999999"}},
	} {
		for _, prefix := range []string{"webhook.", "webhook.an-other_1."} {
			s := im.DefaultSettings()
			for _, value := range c.takes {
				if err := im.SetSetting(&s, prefix+name, value); err != nil || get(t, &s, prefix+name) != value {
					t.Errorf("%s%s=%.60q: %v, it is %.60q", prefix, name, value, err, get(t, &s, prefix+name))
				}
			}
			was := get(t, &s, prefix+name)
			for _, value := range c.refuses {
				if err := im.SetSetting(&s, prefix+name, value); err == nil || get(t, &s, prefix+name) != was {
					t.Errorf("%s%s=%.60q is taken: it is %.60q", prefix, name, value, get(t, &s, prefix+name))
				}
			}
		}
	}
}

func get(t *testing.T, s *im.Settings, name string) string {
	t.Helper()
	for _, row := range s.Rows() {
		if row.Name == name {
			return row.Get(s)
		}
	}
	t.Fatalf("no setting %s", name)
	return ""
}

// Blanks and repetitions in a list of commands do not matter.
func TestWebhookCommandsAreTidied(t *testing.T) {
	s := im.DefaultSettings()
	if err := im.SetSetting(&s, "webhook.commands", " A.B , ,C.D,A.B,"); err != nil {
		t.Fatal(err)
	}
	if got := s.Webhook("").Commands; !slices.Equal(got, []string{"A.B", "C.D"}) {
		t.Errorf("the commands are %q", got)
	}
}

func TestWebhookNames(t *testing.T) {
	for name, ok := range map[string]bool{
		"webhook.a.url": true, "webhook.url.url": true, "webhook.0-_.token": true, "webhook." + strings.Repeat("x", 32) + ".url": true,
		"webhook..url": false, "webhook.A.url": false, "webhook.a.b.url": false, "webhook.a": false, "webhook.a.": false, "webhook.a.name": false,
		"webhook." + strings.Repeat("x", 33) + ".url": false, "webhook.ü.url": false, "hook.a.url": false, "webhook": false,
	} {
		s := im.DefaultSettings()
		if err := im.SetSetting(&s, name, ""); (err == nil) != ok {
			t.Errorf("%s: %v, want taken: %v", name, err, ok)
		}
	}
}

// There may be eight addresses, and copies of settings do not share them.
func TestWebhooksAreBoundedAndCopied(t *testing.T) {
	first := im.DefaultSettings()
	for i := range 8 {
		if err := im.SetSetting(&first, fmt.Sprintf("webhook.h%d.url", 7-i), "http://h"); err != nil {
			t.Fatal(err)
		}
	}
	if err := im.SetSetting(&first, "webhook.url", "http://h"); err == nil || len(first.Webhooks) != 8 || first.Webhooks[0].Name != "h0" {
		t.Errorf("the ninth: %v; they are %+v", err, first.Webhooks)
	}
	second := first
	if err := im.SetSetting(&second, "webhook.h3.url", "http://other"); err != nil || first.Webhook("h3").URL != "http://h" {
		t.Errorf("a copy shares its addresses: %v", err)
	}
}

func TestWebhookWants(t *testing.T) {
	w := im.Webhook{URL: "http://h", Commands: []string{"A.B"}}
	if !w.Wants("A.B") || w.Wants("A.BC") || w.Wants("all") {
		t.Error("it wants what it did not tick, or not what it did")
	}
	w.Commands = []string{im.AllWebhooks}
	if !w.Wants("X.Y") {
		t.Error("all is not all")
	}
	if w.URL = ""; w.Wants("X.Y") {
		t.Error("an address without URL wants something")
	}
	s := im.DefaultSettings()
	if err := im.SetSetting(&s, "webhook.a.token", "t"); err != nil {
		t.Fatal(err)
	}
	if a := s.Webhook("a"); !a.Retry || a.RetryFor != 24*time.Hour || a.Refuse || a.Wants("X.Y") || s.Webhook("b") != nil {
		t.Errorf("a new address is %+v", a)
	}
}
