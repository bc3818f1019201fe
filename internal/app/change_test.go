package app_test

import (
	"bytes"
	"errors"
	"log/slog"
	"maps"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/app"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/server"
	"github.com/magpie-im/magpie/internal/setting"
)

// twoNodes opens one store twice, as two processes do, with an application in it.
func twoNodes(t *testing.T, o db.Options) (here, there *app.Apps, id im.AppID) {
	t.Helper()
	here, there = open(t, dbtest.Open(t, o)), open(t, dbtest.Open(t, o))
	id, _, err := there.Create(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	refresh(t, here)
	return here, there, id
}

func refresh(t *testing.T, apps *app.Apps) {
	t.Helper()
	if err := apps.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func set(t *testing.T, apps *app.Apps, id im.AppID, name, value string) {
	t.Helper()
	if err := apps.Set(t.Context(), id, map[string]string{name: value}); err != nil {
		t.Errorf("%s=%s: %v", name, value, err)
	}
}

// Two processes change different settings at once, a hundred times: both changes are there each time.
func TestChangesAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		here, there, id := twoNodes(t, o)
		for n := range 100 {
			want := map[string]string{"message.recall_seconds": strconv.Itoa(200 + n), "conversation.recent": strconv.Itoa(300 + n)}
			var working sync.WaitGroup
			for name, apps := range map[string]*app.Apps{"message.recall_seconds": here, "conversation.recent": there} {
				working.Go(func() { set(t, apps, id, name, want[name]) })
			}
			working.Wait()
			refresh(t, here)
			if got := chosen(here, id); !maps.Equal(got, want) {
				t.Fatalf("round %d: the settings are %v, want %v", n, got, want)
			}
		}
	})
}

// An administrator is removed beside a node that does not know it yet. There he changes nothing any more, and nobody's
// change brings him back.
func TestRemovedAdministrator(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		here, there, id := twoNodes(t, o)
		set(t, here, id, "admins", "administrator,alice")
		set(t, there, id, "admins", "administrator")
		by := func(userID string) error {
			actor := &im.Actor{App: here.Find(id).App, UserID: userID}
			if !actor.App.IsAdmin("alice") {
				t.Fatal("the node knows already that alice was removed")
			}
			return here.SetBy(t.Context(), actor, map[string]string{"login.policy": "multi"})
		}
		if refusal, ok := im.Refusal(by("alice")); !ok || refusal.Code != im.CodeNotAppAdmin {
			t.Errorf("the removed administrator is told %v", refusal)
		}
		if got := chosen(open(t, dbtest.Open(t, o)), id); len(got) > 0 {
			t.Errorf("the removed administrator changed %v", got)
		}
		if err := by("administrator"); err != nil {
			t.Errorf("the other administrator is refused: %v", err)
		}
		if tenant := here.Find(id); tenant.App.IsAdmin("alice") || chosen(here, id)["login.policy"] != "multi" {
			t.Errorf("afterwards the application is %+v with %v", tenant.App, chosen(here, id))
		}
	})
}

// A node sees every change whatever its clock and that of the node that made it: here rows that a clock an hour ahead
// wrote, changed by a clock that is not.
func TestChangesAreSeenWhateverTheClock(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		here, there, ahead := twoNodes(t, o)
		other, _, err := there.Create(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		beside(t, o, `UPDATE app SET updated_at = updated_at + 3600000 WHERE id = $1`, int64(ahead))
		refresh(t, here)
		for _, id := range []im.AppID{other, ahead} {
			if err := there.Ensure(t.Context(), id, "a new key"); err != nil {
				t.Fatal(err)
			}
			refresh(t, here)
			if got := here.Find(id).Keys.Secret; got != "a new key" {
				t.Errorf("application %d still has the key %q here", id, got)
			}
			set(t, there, id, "login.policy", "multi")
			refresh(t, here)
			if got := chosen(here, id)["login.policy"]; got != "multi" {
				t.Errorf("application %d still has the policy %q here", id, got)
			}
		}
	})
}

// beside writes to the store beside the processes that have it open.
func beside(t *testing.T, o db.Options, query string, args ...any) {
	t.Helper()
	err := dbtest.Open(t, o).Write(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(query, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Nothing is read again while nothing was changed, and keeping a key is no change.
func TestNothingIsReadAgainWithoutAChange(t *testing.T) {
	here, there, id := twoNodes(t, db.Options{Dir: t.TempDir()})
	before := here.Find(id)
	if err := there.Ensure(t.Context(), id, before.Keys.Secret); err != nil {
		t.Fatal(err)
	}
	if err := there.Set(t.Context(), id, map[string]string{"login.policy": "none"}); err == nil {
		t.Error("a wrong policy was taken")
	}
	if refresh(t, here); here.Find(id) != before {
		t.Error("the applications were read again")
	}
}

// Two processes that add applications at once get a number each, and of those that want any application at all, one
// makes it.
func TestCreateAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		nodes := []*app.Apps{open(t, dbtest.Open(t, o)), open(t, dbtest.Open(t, o))}
		each := func(do func(n int) error) {
			var working sync.WaitGroup
			for n := range nodes {
				working.Go(func() {
					if err := do(n); err != nil {
						t.Error(err)
					}
				})
			}
			working.Wait()
		}
		each(func(n int) error {
			_, _, err := nodes[n].EnsureAny(t.Context())
			return err
		})
		if all := open(t, dbtest.Open(t, o)).All(); len(all) != 1 || all[0].App.ID != 1400000001 {
			t.Errorf("there are %d applications, want the first one", len(all))
		}
		made := make([]im.AppID, len(nodes))
		keys := make([]string, len(nodes))
		each(func(n int) error {
			var err error
			made[n], keys[n], err = nodes[n].Create(t.Context(), 0)
			return err
		})
		now := open(t, dbtest.Open(t, o))
		if made[0] == made[1] || now.Find(made[0]).Keys.Secret != keys[0] || now.Find(made[1]).Keys.Secret != keys[1] {
			t.Errorf("they made %d and %d", made[0], made[1])
		}
	})
}

// Changes are made all or none, whichever of them is wrong, and the refusal names it.
func TestAllOrNone(t *testing.T) {
	apps := open(t, dbtest.Open(t, db.Options{Dir: t.TempDir()}))
	id, _, err := apps.Create(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	before := apps.Find(id)
	for _, wrong := range []struct{ name, value, wants string }{
		{"login.web_instances", "11", "from 1 to 10"}, {"admins", "alice", `"administrator"`}, {"public_key", "x", ""},
		{"webhook.url", "h", "http://"}, {"nothing", "1", "no such setting"}, {"login.policy", "any", "single, dual, triple, multi"},
	} {
		changes := map[string]string{"message.recall_seconds": "5", "admins": "administrator,alice", "conversation.recent": "50"}
		changes[wrong.name] = wrong.value
		err := apps.Set(t.Context(), id, changes)
		var refusal *setting.Error
		if !errors.As(err, &refusal) || strings.Trim(refusal.Name, `"`) != wrong.name || !strings.Contains(err.Error(), wrong.wants) {
			t.Errorf("%s=%s: %v", wrong.name, wrong.value, err)
		}
		if now := apps.Find(id); now != before || len(chosen(apps, id)) > 0 {
			t.Errorf("%s=%s changed %v", wrong.name, wrong.value, chosen(apps, id))
		}
	}
}

// What an older version stored is read, and what a newer one stored is kept and reported, once for each change.
func TestSettingsOfOtherVersions(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		d, log := dbtest.Open(t, o), &bytes.Buffer{}
		_, _, id := twoNodes(t, o)
		beside(t, o, `UPDATE app SET settings = '{"login.policy":"multi","login.web_instances":"50","webhook.url":"http://h",`+
			`"webhook.a.commands":"all","newer.setting":"x"}' WHERE id = $1`, int64(id))
		apps, err := app.Open(t.Context(), d, server.Settings(), slog.New(slog.NewTextHandler(log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]string{"login.policy": "multi", "webhook.url": "http://h", "webhook.a.commands": "all"}
		if got := chosen(apps, id); !maps.Equal(got, want) {
			t.Errorf("the settings are %v, want %v", got, want)
		}
		reported := log.String()
		if strings.Count(reported, "login.web_instances") != 1 || strings.Count(reported, "newer.setting") != 1 {
			t.Errorf("reported is %s", reported)
		}
		if _, _, err := apps.Create(t.Context(), 0); err != nil || log.String() != reported {
			t.Errorf("a change of another application reports them again: %v, %s", err, log)
		}
		set(t, apps, id, "login.policy", "dual")
		stored, err := db.One(t.Context(), d, db.Text, `SELECT settings FROM app WHERE id = $1`, int64(id))
		const kept = `{"login.web_instances":"50","newer.setting":"x","webhook.a.commands":"all","webhook.url":"http://h"}`
		if err != nil || stored != kept {
			t.Errorf("stored is %s (%v), want %s", stored, err, kept)
		}
	})
}

// The version of an application rises with its own changes only.
func TestVersions(t *testing.T) {
	here, there, id := twoNodes(t, db.Options{Dir: t.TempDir()})
	first := here.Find(id).Version
	if _, _, err := there.Create(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if refresh(t, here); here.Find(id).Version != first || first == 0 {
		t.Errorf("another application's change made version %d of %d", here.Find(id).Version, first)
	}
	set(t, there, id, "login.policy", "multi")
	if refresh(t, here); here.Find(id).Version <= first {
		t.Errorf("after a change the version is %d, it was %d", here.Find(id).Version, first)
	}
	if age := time.Since(here.Find(id).CreatedAt); age > time.Minute {
		t.Errorf("a change made the application %v old", age)
	}
}
