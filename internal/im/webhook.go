package im

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Webhook is one address of an application's back end, with what it is told and asked
// (docs/protocol/webhooks.md#protocol). It is off without a URL, and without commands.
type Webhook struct {
	// Name tells the application's addresses apart; the first one's is empty.
	Name string
	URL  string
	// Commands are the callbacks that go there, by name; AllWebhooks stands for every one.
	Commands []string
	// Token signs the query as the reference system does; empty: no Sign.
	Token string
	// Secret signs the body in a header of Magpie's own; empty: no such header.
	Secret string
	// Refuse makes a callback that blocks and gets no usable answer refuse the operation; otherwise it is let through.
	Refuse bool
	// Retry has a callback that only notifies sent again until it arrives; RetryFor bounds for how long.
	Retry    bool
	RetryFor time.Duration
}

// AllWebhooks among a Webhook's commands ticks every callback.
const AllWebhooks = "all"

const (
	maxWebhooks        = 8
	maxWebhookCommands = 100
	maxWebhookURL      = 2048
	maxWebhookSecret   = 256
)

func defaultWebhook(name string) Webhook {
	return Webhook{Name: name, Retry: true, RetryFor: 24 * time.Hour}
}

// Wants reports whether the callback goes to this address.
func (w *Webhook) Wants(command string) bool {
	if w.URL == "" {
		return false
	}
	for _, c := range w.Commands {
		if c == command || c == AllWebhooks {
			return true
		}
	}
	return false
}

// Webhook returns the address of that name, or nil.
func (s *Settings) Webhook(name string) *Webhook {
	for i := range s.Webhooks {
		if s.Webhooks[i].Name == name {
			return &s.Webhooks[i]
		}
	}
	return nil
}

// webhookField is a setting of one address: its name after "webhook." or "webhook.NAME.".
type webhookField struct {
	name, doc string
	get       func(*Webhook) string
	set       func(*Webhook, string) error
}

func webhookFields() []webhookField {
	return []webhookField{
		{
			"url", "address of the back end that gets the callbacks, http:// or https://; empty: none",
			func(w *Webhook) string { return w.URL }, setWebhookURL,
		},
		{
			"commands", "callbacks that go there, split by commas, or all",
			func(w *Webhook) string { return strings.Join(w.Commands, ",") }, setWebhookCommands,
		},
		{
			"token", "signs the query: Sign = hex(sha256(token + RequestTime)); empty: no Sign",
			func(w *Webhook) string { return w.Token },
			func(w *Webhook, v string) error { return setWebhookSecret(&w.Token, v) },
		},
		{
			"secret", "signs the body in the header X-Magpie-Signature (HMAC-SHA256); empty: no such header",
			func(w *Webhook) string { return w.Secret },
			func(w *Webhook, v string) error { return setWebhookSecret(&w.Secret, v) },
		},
		{
			"on_timeout", "what happens when a callback that blocks is not answered: deliver or refuse",
			func(w *Webhook) string { return choose(w.Refuse, "refuse", "deliver") },
			func(w *Webhook, v string) error { return setChoice(&w.Refuse, v, "refuse", "deliver") },
		},
		{
			"retry", "send a callback that only notifies again until it arrives: on or off",
			func(w *Webhook) string { return choose(w.Retry, "on", "off") },
			func(w *Webhook, v string) error { return setChoice(&w.Retry, v, "on", "off") },
		},
		{
			"retry_seconds", "for how long it is sent again before it is set aside as a dead letter (1 to 604800)",
			func(w *Webhook) string { return strconv.Itoa(int(w.RetryFor / time.Second)) }, setWebhookRetryFor,
		},
	}
}

func setWebhookURL(w *Webhook, v string) error {
	if v == "" {
		w.URL = ""
		return nil
	}
	u, err := url.Parse(v)
	switch {
	case err != nil || len(v) > maxWebhookURL:
		return fmt.Errorf("webhook URL %.80q cannot be read or is longer than %d bytes", v, maxWebhookURL)
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("webhook URL %.80q: want http:// or https://", v)
	case u.Hostname() == "" || strings.ContainsAny(v, "# "): // what is behind a # is never sent
		return fmt.Errorf("webhook URL %.80q: want a host, no fragment and no blank", v)
	}
	if _, err := url.ParseQuery(u.RawQuery); err != nil {
		return fmt.Errorf("webhook URL %.80q: the query cannot be read", v)
	}
	w.URL = v
	return nil
}

var webhookCommand = regexp.MustCompile(`^[A-Za-z0-9]+\.[A-Za-z0-9]+$`)

func setWebhookCommands(w *Webhook, v string) error {
	var commands []string
	for _, c := range strings.Split(v, ",") {
		c = strings.TrimSpace(c)
		if c == "" || slices.Contains(commands, c) {
			continue
		}
		if c != AllWebhooks && !webhookCommand.MatchString(c) {
			return fmt.Errorf("webhook command %.80q: want a name such as C2C.CallbackBeforeSendMsg, or all", c)
		}
		commands = append(commands, c)
	}
	if len(commands) > maxWebhookCommands {
		return fmt.Errorf("%d webhook commands: want at most %d", len(commands), maxWebhookCommands)
	}
	w.Commands = commands
	return nil
}

func setWebhookSecret(field *string, v string) error {
	if len(v) > maxWebhookSecret {
		return fmt.Errorf("webhook token or secret: want at most %d bytes", maxWebhookSecret)
	}
	*field = v
	return nil
}

func setWebhookRetryFor(w *Webhook, v string) error {
	const most = 7 * 24 * 3600
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 || n > most {
		return fmt.Errorf("webhook retry_seconds=%.20q: want a whole number from 1 to %d", v, most)
	}
	w.RetryFor = time.Duration(n) * time.Second
	return nil
}

func choose(yes bool, on, off string) string {
	if yes {
		return on
	}
	return off
}

func setChoice(field *bool, v, on, off string) error {
	if v != on && v != off {
		return fmt.Errorf("%.20q: want %s or %s", v, on, off)
	}
	*field = v == on
	return nil
}

const webhookPrefix = "webhook."

// webhookSettings are the rows of the table of settings for the address of that name.
func webhookSettings(name string) []Setting {
	prefix := webhookPrefix
	if name != "" {
		prefix += name + "."
	}
	rows := make([]Setting, 0, len(webhookFields()))
	for _, f := range webhookFields() {
		rows = append(rows, Setting{
			Name: prefix + f.name, Doc: f.doc,
			Get: func(s *Settings) string {
				if w := s.Webhook(name); w != nil {
					return f.get(w)
				}
				usual := defaultWebhook(name)
				return f.get(&usual)
			},
			Set: func(s *Settings, v string) error { return s.setWebhook(name, f, v) },
		})
	}
	return rows
}

var webhookName = regexp.MustCompile(`^[a-z0-9_-]{1,32}$`)

// webhookSetting finds the row of an application's further address, "webhook.NAME.url" and so on.
func webhookSetting(setting string) (Setting, bool) {
	rest, ok := strings.CutPrefix(setting, webhookPrefix)
	name, _, further := strings.Cut(rest, ".")
	if !ok || !further || !webhookName.MatchString(name) {
		return Setting{}, false
	}
	for _, row := range webhookSettings(name) {
		if row.Name == setting {
			return row, true
		}
	}
	return Setting{}, false
}

// setWebhook writes one field into a copy of the list, which the settings of other applications' values share.
func (s *Settings) setWebhook(name string, f webhookField, v string) error {
	list := slices.Clone(s.Webhooks)
	at := slices.IndexFunc(list, func(w Webhook) bool { return w.Name == name })
	if at < 0 {
		if len(list) == maxWebhooks {
			return fmt.Errorf("more than %d webhook addresses", maxWebhooks)
		}
		list, at = append(list, defaultWebhook(name)), len(list)
	}
	if err := f.set(&list[at], v); err != nil {
		return err
	}
	slices.SortFunc(list, func(x, y Webhook) int { return strings.Compare(x.Name, y.Name) })
	s.Webhooks = list
	return nil
}
