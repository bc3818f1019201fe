package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/magpie-im/magpie/internal/app"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/server"
)

type appRotateKeyCommand struct {
	store
	ID   im.AppID `arg:"" name:"sdkappid" help:"Number of the application."`
	Keep days     `default:"0s" help:"How long UserSigs of the former key are taken too, such as 24h; without it they end at once, with what is logged in by them."`
}

// Run prints the application and its new key, which is not shown again.
func (c *appRotateKeyCommand) Run() error {
	if c.Keep < 0 {
		return fmt.Errorf("--keep=%s: want 0 or more", time.Duration(c.Keep))
	}
	return c.with(func(ctx context.Context, apps *app.Apps) error {
		if apps.Find(c.ID) == nil {
			return noApp(c.ID)
		}
		key, err := apps.RotateKey(ctx, c.ID, time.Duration(c.Keep))
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(os.Stdout, "%d:%s\n", c.ID, key)
		return err
	})
}

type appDisableCommand struct {
	store
	ID im.AppID `arg:"" name:"sdkappid" help:"Number of the application."`
}

// Run disables the application. Running servers close its sessions within half a minute.
func (c *appDisableCommand) Run() error { return c.setDisabled(c.ID, true) }

type appEnableCommand struct {
	store
	ID im.AppID `arg:"" name:"sdkappid" help:"Number of the application."`
}

// Run enables the application again.
func (c *appEnableCommand) Run() error { return c.setDisabled(c.ID, false) }

func (s *store) setDisabled(id im.AppID, disabled bool) error {
	return s.with(func(ctx context.Context, apps *app.Apps) error {
		if apps.Find(id) == nil {
			return noApp(id)
		}
		return apps.SetDisabled(ctx, id, disabled)
	})
}

type appRemoveCommand struct {
	store
	ID  im.AppID `arg:"" name:"sdkappid" help:"Number of the application, which is disabled."`
	Yes bool     `name:"yes-remove-everything" help:"Do not ask: remove its accounts, messages, callbacks and settings."`
}

// Run removes the application. If it ends early, the application stays out of use, and the command can be given again.
func (c *appRemoveCommand) Run() error {
	return c.open(func(ctx context.Context, d *db.DB) error {
		return withApps(ctx, d, func(ctx context.Context, apps *app.Apps) error {
			if !c.Yes && !c.confirmed() {
				return fmt.Errorf("application %d stays: type its number, or give --yes-remove-everything", c.ID)
			}
			if err := server.RemoveApp(ctx, d, apps, c.ID); err != nil {
				return err
			}
			_, err := fmt.Fprintf(os.Stdout, "application %d is removed\n", c.ID)
			return err
		})
	})
}

// confirmed asks for the application's number.
func (c *appRemoveCommand) confirmed() bool {
	_, _ = fmt.Fprintf(os.Stderr, "This removes the accounts, messages, callbacks and settings of application %d for ever. Its number, to go on: ", c.ID)
	answer, _ := bufio.NewReader(os.Stdin).ReadString('\n')
	return strings.TrimSpace(answer) == fmt.Sprint(c.ID)
}
