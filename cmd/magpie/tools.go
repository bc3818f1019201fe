package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/magpie-im/magpie/internal/app"
	"github.com/magpie-im/magpie/internal/config"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/server"
	"github.com/magpie-im/magpie/internal/setting"
	"github.com/magpie-im/magpie/internal/telemetry"
	"github.com/magpie-im/magpie/usersig"
)

type usersigCommand struct {
	store
	App    string `required:"" placeholder:"SDKAPPID[:KEY]" help:"Application. Without its key, the key is the one of the store." env:"MAGPIE_APP"`
	User   string `required:"" help:"User id to sign for."`
	Expire days   `default:"180d" help:"Lifetime, such as 180d or 12h."`
}

// days is a duration that may also be given in days, as UserSigs' lifetimes usually are.
type days time.Duration

// UnmarshalText reads "180d" or any Go duration.
func (d *days) UnmarshalText(text []byte) error {
	var n int
	if _, err := fmt.Sscanf(string(text), "%dd", &n); err == nil && string(text) == fmt.Sprintf("%dd", n) {
		*d = days(time.Duration(n) * 24 * time.Hour)
		return nil
	}
	given, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q: want days, as in 180d, or a duration, as in 12h", text)
	}
	*d = days(given)
	return nil
}

// Run prints the signature and nothing else.
func (c *usersigCommand) Run() error {
	if !im.ValidUserID(c.User) {
		return fmt.Errorf("--user: nobody can log in under this name: want 1 to %d bytes (%d are given) without control characters",
			im.MaxUserIDBytes, len(c.User))
	}
	id, key, err := c.key()
	if err != nil {
		return err
	}
	sig, err := usersig.Sign(uint32(id), key, c.User, time.Duration(c.Expire), time.Now())
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(os.Stdout, sig)
	return err
}

// key is the one that was given, or the store's, which is not printed.
func (c *usersigCommand) key() (id im.AppID, key string, err error) {
	if strings.Contains(c.App, ":") {
		keys, err := (&config.Config{Apps: []string{c.App}}).AppKeys()
		if err != nil {
			return 0, "", err
		}
		return keys[0].ID, keys[0].Key, nil
	}
	number, err := strconv.ParseUint(c.App, 10, 32)
	if err != nil {
		return 0, "", errors.New("--app: want SDKAPPID, or SDKAPPID:KEY")
	}
	id = im.AppID(number)
	err = c.with(func(_ context.Context, apps *app.Apps) error {
		tenant := apps.Find(id)
		if tenant == nil {
			return noApp(id)
		}
		key = tenant.Keys.Secret
		return nil
	})
	return id, key, err
}

func noApp(id im.AppID) error {
	return fmt.Errorf("there is no application %d in this store; `magpie app list` lists them", id)
}

type appCommand struct {
	Add  appAddCommand  `cmd:"" help:"Add an application with a random key and print both."`
	List appListCommand `cmd:"" help:"List the applications with their settings."`
	Show appShowCommand `cmd:"" help:"Show all settings of an application."`
	Set  appSetCommand  `cmd:"" help:"Change settings of an application; running servers follow within two seconds."`

	RotateKey appRotateKeyCommand `cmd:"" help:"Give an application a new key and print it; the former ends."`
	Disable   appDisableCommand   `cmd:"" help:"Keep everybody out of an application; what it has stays."`
	Enable    appEnableCommand    `cmd:"" help:"Let everybody into an application again."`
	Remove    appRemoveCommand    `cmd:"" help:"Remove a disabled application and all that it has, for ever."`
}

// store says where the applications are kept, as for serve.
type store struct {
	Data string `default:"./magpie-data" help:"Directory of the embedded database." env:"MAGPIE_DATA"`
	DB   string `placeholder:"URL" help:"PostgreSQL address, instead of --data." env:"MAGPIE_DB"`

	makes bool // the command may make a store; others find one
}

func (s *store) open(use func(context.Context, *db.DB) error) error {
	ctx := context.Background()
	d, err := db.Open(ctx, db.Options{Dir: s.Data, URL: s.DB, Existing: !s.makes})
	if err != nil {
		return err
	}
	return errors.Join(use(ctx, d), d.Close())
}

// openFor is open for a command that concerns an application, which has to be there.
func (s *store) openFor(id im.AppID, use func(context.Context, *db.DB) error) error {
	return s.open(func(ctx context.Context, d *db.DB) error {
		return withApps(ctx, d, func(ctx context.Context, apps *app.Apps) error {
			if apps.Find(id) == nil {
				return noApp(id)
			}
			return use(ctx, d)
		})
	})
}

func (s *store) with(use func(context.Context, *app.Apps) error) error {
	return s.open(func(ctx context.Context, d *db.DB) error { return withApps(ctx, d, use) })
}

func withApps(ctx context.Context, d *db.DB, use func(context.Context, *app.Apps) error) error {
	log, err := telemetry.NewLogger(os.Stderr, "info", "text")
	if err != nil {
		return err
	}
	apps, err := app.Open(ctx, d, server.Settings(), log)
	if err != nil {
		return err
	}
	return use(ctx, apps)
}

type appAddCommand struct {
	store
	ID im.AppID `arg:"" optional:"" name:"sdkappid" help:"Number of the application; the next free one if left out."`
}

// Run adds the application.
func (c *appAddCommand) Run() error {
	c.makes = true
	return c.with(func(ctx context.Context, apps *app.Apps) error {
		id, key, err := apps.Create(ctx, c.ID)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(os.Stdout, "%d:%s\n", id, key)
		return err
	})
}

type appListCommand struct{ store }

// Run prints one application a line, with the settings that differ from the default.
func (c *appListCommand) Run() error {
	return c.with(func(_ context.Context, apps *app.Apps) error {
		for _, id := range apps.Removing() {
			if _, err := fmt.Fprintf(os.Stdout, "%d is being removed: end that with `magpie app remove %d`\n", id, id); err != nil {
				return err
			}
		}
		tenants := apps.All()
		if len(tenants) == 0 {
			_, err := fmt.Fprintln(os.Stdout, "There is no application yet: `magpie app add` makes one.")
			return err
		}
		slices.SortFunc(tenants, func(x, y *app.Tenant) int { return int(x.App.ID) - int(y.App.ID) })
		for _, t := range tenants {
			_, err := fmt.Fprintf(os.Stdout, "%d%s created=%s admins=%s%s\n", t.App.ID, disabled(t),
				t.CreatedAt.Format(time.DateOnly), strings.Join(t.App.Admins, ","), chosen(apps.Rows(t.App)))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// disabled marks an application that lets nobody in.
func disabled(t *app.Tenant) string {
	if t.Disabled {
		return " disabled"
	}
	return ""
}

// chosen writes the settings that differ from their defaults, without secrets.
func chosen(rows []setting.Row) string {
	var b strings.Builder
	for _, row := range rows {
		switch {
		case row.Chosen && row.Secret:
			b.WriteString(" " + row.Name + "=(set)")
		case row.Chosen:
			b.WriteString(" " + row.Name + "=" + row.Text)
		}
	}
	return b.String()
}

type appShowCommand struct {
	store
	ID im.AppID `arg:"" name:"sdkappid" help:"Number of the application."`
}

// Run prints one setting a line, those that differ from the default marked, and what each is about.
func (c *appShowCommand) Run() error {
	return c.with(func(_ context.Context, apps *app.Apps) error {
		tenant := apps.Find(c.ID)
		if tenant == nil {
			return noApp(c.ID)
		}
		var b strings.Builder
		fmt.Fprintf(&b, "%d%s created=%s admins=%s\n", c.ID, disabled(tenant), tenant.CreatedAt.Format(time.DateOnly), strings.Join(tenant.App.Admins, ","))
		for _, row := range apps.Rows(tenant.App) {
			mark, text := " ", row.Text
			if row.Chosen {
				mark = "*"
			}
			if row.Secret && row.Chosen {
				text = "(set)"
			}
			fmt.Fprintf(&b, "%s %-40s # %s\n", mark, row.Name+" = "+text, row.Doc)
		}
		_, err := os.Stdout.WriteString(b.String())
		return err
	})
}

type appSetCommand struct {
	store
	ID      im.AppID `arg:"" name:"sdkappid" help:"Number of the application."`
	Changes []string `arg:"" name:"name=value" help:"Settings, such as login.web_instances=5."`
}

// Help lists the settings, from the table that they are read by.
func (c *appSetCommand) Help() string {
	table := server.Settings()
	var b strings.Builder
	b.WriteString("Settings:\n")
	for _, d := range table.Describe() {
		fmt.Fprintf(&b, "  %-24s %s (%s)", d.Name, d.Doc, d.Range())
		if d.Default != "" {
			b.WriteString("; default " + d.Default)
		}
		b.WriteByte('\n')
	}
	for _, g := range table.Groups() {
		fmt.Fprintf(&b, "  %-24s the same for a further %s, up to %d in all\n", g.Prefix+".NAME.…", g.Doc, g.Most)
	}
	b.WriteString("  admins                   the administrators, split by commas\n")
	b.WriteString("  public_key               PEM of the key that checks UserSigs of the older kind; @FILE reads a file\n")
	return b.String()
}

// Run changes the settings, all or none.
func (c *appSetCommand) Run() error {
	changes := map[string]string{}
	for _, change := range c.Changes {
		name, value, ok := strings.Cut(change, "=")
		if !ok {
			return fmt.Errorf("%q: want name=value", change)
		}
		if file, isFile := strings.CutPrefix(value, "@"); isFile {
			text, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			value = string(text)
		}
		changes[name] = value
	}
	for _, name := range unknownWebhooks(changes) {
		fmt.Fprintf(os.Stderr, "note: this version fires no callback %q\n", name)
	}
	return c.with(func(ctx context.Context, apps *app.Apps) error { return apps.Set(ctx, c.ID, changes) })
}

type versionCommand struct{}

// Run prints what the build recorded.
func (*versionCommand) Run() error {
	_, err := fmt.Fprintln(os.Stdout, "magpie", telemetry.Build())
	return err
}

type referenceCommand struct {
	Dir string `arg:"" type:"existingdir"`
}

// Run writes the pages.
func (c *referenceCommand) Run() error { return server.WriteReference(c.Dir) }
