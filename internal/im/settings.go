package im

import (
	"fmt"
	"strconv"
)

// Settings are what an operator may choose for one application. The zero value is not useful: start from
// DefaultSettings.
type Settings struct {
	// LoginPolicy says which devices of one account may be online together (docs/protocol/limits.md#6-login-and-presence).
	LoginPolicy LoginPolicy
	// WebInstances is how many web clients of one account may be online together; one more logs the oldest out.
	WebInstances int
	// NativeInstances is the same for each native platform.
	NativeInstances int
	// RecallSeconds is how long after sending an author may recall his message; an administrator always may.
	RecallSeconds int
	// MessageBytes bounds one message: its elements and its cloud custom data together.
	MessageBytes int
	// RecentContacts is how many conversations a client's list holds, newest first.
	RecentContacts int
	// MaxRobots is how many robots the application may have, at most MostRobots.
	MaxRobots int
	// Webhooks are the addresses of the application's back end, by name; the first one has none.
	Webhooks []Webhook
}

// LoginPolicy names a rule for devices of different kinds.
type LoginPolicy string

// The login policies, from strict to lax.
const (
	PolicySingle LoginPolicy = "single" // one device in all
	PolicyDual   LoginPolicy = "dual"   // one native device and the web
	PolicyTriple LoginPolicy = "triple" // one mobile device, one desktop and the web
	PolicyMulti  LoginPolicy = "multi"  // every platform together
)

// DefaultSettings returns what an application has before anybody chooses.
func DefaultSettings() Settings {
	return Settings{
		LoginPolicy: PolicyDual, WebInstances: 1, NativeInstances: 1,
		RecallSeconds: 120, MessageBytes: 12 << 10, RecentContacts: 100, MaxRobots: 20,
	}
}

// Setting is one row of the table of settings: its name on the command line and in storage, its meaning, and how to
// read and write it.
type Setting struct {
	Name string
	Doc  string
	Get  func(*Settings) string
	Set  func(*Settings, string) error
}

// SettingTable lists every setting, in the order in which documentation shows them. An application's further webhook
// addresses have settings of their own, which Rows lists.
func SettingTable() []Setting {
	return append([]Setting{
		{
			"login.policy", "devices of one account that may be online together: single, dual, triple or multi",
			func(s *Settings) string { return string(s.LoginPolicy) },
			func(s *Settings, v string) error { return setPolicy(s, v) },
		},
		numberSetting("login.web_instances", "web clients of one account online together", 1, 10,
			func(s *Settings) *int { return &s.WebInstances }),
		numberSetting("login.native_instances", "devices of one account online together on one native platform", 1, 3,
			func(s *Settings) *int { return &s.NativeInstances }),
		numberSetting("message.recall_seconds", "seconds in which an author may recall a message", 0, 7*24*3600,
			func(s *Settings) *int { return &s.RecallSeconds }),
		numberSetting("message.max_bytes", "largest message, elements and cloud custom data together", 1000, 64<<10,
			func(s *Settings) *int { return &s.MessageBytes }),
		numberSetting("conversation.recent", "conversations in a client's list", 10, 500,
			func(s *Settings) *int { return &s.RecentContacts }),
		numberSetting("robot.max", "robots of the application", 0, MostRobots,
			func(s *Settings) *int { return &s.MaxRobots }),
	}, webhookSettings("")...)
}

// Rows lists every setting of these settings, those of further webhook addresses among them.
func (s *Settings) Rows() []Setting {
	rows := SettingTable()
	for _, w := range s.Webhooks {
		if w.Name != "" {
			rows = append(rows, webhookSettings(w.Name)...)
		}
	}
	return rows
}

func setPolicy(s *Settings, v string) error {
	switch p := LoginPolicy(v); p {
	case PolicySingle, PolicyDual, PolicyTriple, PolicyMulti:
		s.LoginPolicy = p
		return nil
	default:
		return fmt.Errorf("login policy %q: want single, dual, triple or multi", v)
	}
}

func numberSetting(name, doc string, low, high int, field func(*Settings) *int) Setting {
	return Setting{
		Name: name,
		Doc:  fmt.Sprintf("%s (%d to %d)", doc, low, high),
		Get:  func(s *Settings) string { return strconv.Itoa(*field(s)) },
		Set: func(s *Settings, v string) error {
			n, err := strconv.Atoi(v)
			if err != nil || n < low || n > high {
				return fmt.Errorf("%s=%q: want a whole number from %d to %d", name, v, low, high)
			}
			*field(s) = n
			return nil
		},
	}
}

// SetSetting changes one setting by its name.
func SetSetting(s *Settings, name, value string) error {
	for _, row := range SettingTable() {
		if row.Name == name {
			return row.Set(s, value)
		}
	}
	if row, ok := webhookSetting(name); ok {
		return row.Set(s, value)
	}
	return fmt.Errorf("unknown setting %q", name)
}
