package app_test

import (
	"context"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/app"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/server"
)

func open(t *testing.T, d *db.DB) *app.Apps {
	t.Helper()
	apps, err := app.Open(t.Context(), d, server.Settings(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return apps
}

// chosen lists the settings that differ from their defaults.
func chosen(apps *app.Apps, id im.AppID) map[string]string {
	texts := map[string]string{}
	for _, row := range apps.Rows(apps.Find(id).App) {
		if row.Chosen {
			texts[row.Name] = row.Text
		}
	}
	return texts
}

// An application gets the first free number and a key of its own; a number that is taken is not taken again.
func TestCreate(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		apps := open(t, dbtest.Open(t, o))
		first, key, err := apps.Create(t.Context(), 0)
		if err != nil || first != 1400000001 || len(key) != 64 {
			t.Errorf("the first is %d with the key %q (%v)", first, key, err)
		}
		second, other, err := apps.Create(t.Context(), 0)
		if err != nil || second != 1400000002 || other == key {
			t.Errorf("the second is %d with the key %q (%v)", second, other, err)
		}
		if chosen, _, err := apps.Create(t.Context(), 77); err != nil || chosen != 77 {
			t.Errorf("a chosen number became %d (%v)", chosen, err)
		}
		if _, _, err := apps.Create(t.Context(), 77); err == nil {
			t.Error("a number was given twice")
		}
		if len(apps.All()) != 3 || apps.Find(first).Keys.Secret != key || apps.Find(5) != nil {
			t.Errorf("there are %d applications", len(apps.All()))
		}
		if tenant := apps.Find(first); !tenant.App.IsAdmin("administrator") || tenant.App.IsAdmin("alice") ||
			len(chosen(apps, first)) > 0 || time.Since(tenant.CreatedAt) > time.Minute {
			t.Errorf("a new application is %+v", tenant.App)
		}
	})
}

// Settings, administrators and the public key: what is chosen is kept, what is wrong changes nothing.
func TestSet(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		d := dbtest.Open(t, o)
		apps := open(t, d)
		id, _, err := apps.Create(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		set := func(name, value string) error { return apps.Set(t.Context(), id, map[string]string{name: value}) }
		for _, row := range []struct{ name, value string }{
			{"login.policy", "multi"}, {"login.web_instances", "10"}, {"message.max_bytes", "65536"}, {"message.recall_seconds", "0"},
			{"conversation.recent", "500"}, {"login.native_instances", "3"}, {"admins", "administrator,alice,bob"},
		} {
			if err := set(row.name, row.value); err != nil {
				t.Errorf("%s=%s: %v", row.name, row.value, err)
			}
		}
		for _, row := range []struct{ name, value string }{
			{"login.policy", "any"}, {"login.policy", ""}, {"login.web_instances", "0"}, {"login.web_instances", "11"},
			{"message.max_bytes", "1"}, {"message.max_bytes", "x"}, {"message.max_bytes", "1e4"}, {"conversation.recent", "501"},
			{"nothing", "1"}, {"", ""}, {"public_key", "no key"}, {"admins", "alice"}, {"admins", ""},
			{"admins", "administrator," + strings.Repeat("x", 33)}, {"admins", "administrator,a\nb"},
			{"admins", "administrator" + strings.Repeat(",x", 10)},
		} {
			if err := set(row.name, row.value); err == nil {
				t.Errorf("%s=%.40q was taken", row.name, row.value)
			}
		}
		if err := apps.Set(t.Context(), 5, nil); err == nil {
			t.Error("an application that does not exist was changed")
		}
		want := map[string]string{
			"login.policy": "multi", "login.web_instances": "10", "login.native_instances": "3", "message.max_bytes": "65536",
			"message.recall_seconds": "0", "conversation.recent": "500",
		}
		for _, now := range []*app.Apps{apps, open(t, d)} {
			if a := now.Find(id).App; !maps.Equal(chosen(now, id), want) || !a.IsAdmin("bob") || len(a.Admins) != 3 {
				t.Errorf("the application is %+v with %v", a, chosen(now, id))
			}
		}
	})
}

// An application that another process adds or changes is in force here soon, also when two changes fall into one
// millisecond.
func TestWatch(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		here, there := open(t, dbtest.Open(t, o)), open(t, dbtest.Open(t, o))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			here.Watch(ctx)
		}()
		defer func() {
			cancel()
			<-ended
		}()
		id, key, err := there.Create(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "the application is known", func() bool {
			found := here.Find(id)
			return found != nil && found.Keys.Secret == key
		})
		for _, policy := range []string{"single", "triple", "multi", "dual", "single"} {
			if err := there.Set(t.Context(), id, map[string]string{"login.policy": policy}); err != nil {
				t.Fatal(err)
			}
		}
		eventually(t, "the last change is in force", func() bool {
			return chosen(here, id)["login.policy"] == "single"
		})
		if err := there.Ensure(t.Context(), id, "a new key"); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the new key is in force", func() bool { return here.Find(id).Keys.Secret == "a new key" })
	})
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it does not come about that %s", what)
		}
	}
}

func TestEnsureRefuses(t *testing.T) {
	apps := open(t, dbtest.Open(t, db.Options{Dir: t.TempDir()}))
	if err := apps.Ensure(t.Context(), 0, "key"); err == nil {
		t.Error("an application without a number was stored")
	}
	if err := apps.Ensure(t.Context(), 1, ""); err == nil {
		t.Error("an application without a key was stored")
	}
}
