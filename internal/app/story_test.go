package app_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

type settings = map[string]string

type settingsReply struct {
	Settings settings
	Secrets  map[string]bool
}

// A back end reads and changes its application's settings, all or none, and never reads a secret. It may write back what
// it read.
func TestSettingsByREST(t *testing.T) {
	magpietest.Shared(t, func(t *testing.T, s *magpietest.Server) {
		change := func(changes settings) map[string]any { return map[string]any{"Settings": changes} }
		read := func() (got settingsReply) {
			s.MustREST(t, "magpie_app/get_settings", struct{}{}, &got)
			return got
		}
		first := read()
		if first.Settings["message.recall_seconds"] != "120" || first.Settings["webhook.retry"] != "on" || len(first.Settings) < 31 {
			t.Errorf("at first the settings are %v", first.Settings)
		}
		if !maps.Equal(first.Secrets, map[string]bool{"webhook.token": false, "webhook.secret": false}) {
			t.Errorf("at first the secrets are %v", first.Secrets)
		}
		s.MustREST(t, "magpie_app/set_settings", change(settings{
			"message.recall_seconds": "5", "webhook.token": "hidden-1", "webhook.b.secret": "hidden-2",
		}), nil)
		for _, wrong := range []settings{
			{"admins": "administrator,alice"}, {"public_key": "x"}, {"conversation.recent": "50", "nothing": "1"},
			{"conversation.recent": "50", "message.recall_seconds": "-1"}, {"webhook.secret": strings.Repeat("hidden", 50)}, {"conversation.recent": "50", "limit.app_calls": "7"},
		} {
			s.Refuses(t, "magpie_app/set_settings", change(wrong), 70402)
		}
		now := read()
		want := maps.Clone(first.Settings)
		maps.Copy(want, settings{
			"message.recall_seconds": "5", "webhook.b.url": "", "webhook.b.commands": "", "webhook.b.on_timeout": "deliver",
			"webhook.b.retry": "on", "webhook.b.retry_seconds": "86400",
		})
		if !maps.Equal(now.Settings, want) {
			t.Errorf("the settings are %v, want %v", now.Settings, want)
		}
		set := map[string]bool{"webhook.token": true, "webhook.secret": false, "webhook.b.token": false, "webhook.b.secret": true}
		if !maps.Equal(now.Secrets, set) {
			t.Errorf("the secrets are %v, want %v", now.Secrets, set)
		}
		s.MustREST(t, "magpie_app/set_settings", change(now.Settings), nil)
		if again := read(); !maps.Equal(again.Settings, now.Settings) || !maps.Equal(again.Secrets, set) {
			t.Errorf("after writing back what was read the settings are %v and %v", again.Settings, again.Secrets)
		}
		wrong := s.REST(t, "magpie_app/set_settings", change(settings{"webhook.secret": strings.Repeat("hidden", 50)}), nil)
		raw := s.Post(t, s.Path(t, "magpie_app/get_settings"), []byte("{}"))
		if strings.Contains(string(raw)+wrong.ErrorInfo, "hidden") {
			t.Errorf("a secret is in %s or in %s", raw, wrong.ErrorInfo)
		}
	})
}
