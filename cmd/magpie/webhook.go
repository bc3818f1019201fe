package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/server"
	"github.com/magpie-im/magpie/internal/webhook"
	"github.com/magpie-im/magpie/internal/webhook/outbox"
)

type webhookCommand struct {
	List     webhookListCommand     `cmd:"" help:"List an application's dead letters, or what waits."`
	Attempts webhookAttemptsCommand `cmd:"" help:"List the attempts to deliver one callback."`
	Replay   webhookReplayCommand   `cmd:"" help:"Deliver dead letters again; a running server begins within a few seconds."`
}

type webhookListCommand struct {
	store
	ID    im.AppID `arg:"" name:"sdkappid" help:"Number of the application."`
	State string   `default:"dead" enum:"dead,waiting" help:"dead or waiting."`
	After string   `help:"Event id behind which the page begins."`
	Limit int      `default:"100" help:"Events of one page, up to 100."`
	Body  bool     `help:"Print the bodies too; they hold what users wrote."`
}

// Run prints one event a line.
func (c *webhookListCommand) Run() error {
	return c.openFor(c.ID, func(ctx context.Context, d *db.DB) error {
		events, err := outbox.List(ctx, d, c.ID, outbox.Query{Dead: c.State == "dead", After: c.After, Limit: c.Limit})
		if err != nil {
			return err
		}
		for _, e := range events {
			line := fmt.Sprintf("%s %s %s attempts=%d", e.EventID, time.UnixMilli(e.Since).UTC().Format(time.RFC3339), e.Command, e.Attempts)
			if e.Hook != "" {
				line += " hook=" + e.Hook
			}
			if c.Body {
				line += " " + string(e.Body)
			}
			if _, err := fmt.Fprintln(os.Stdout, line); err != nil {
				return err
			}
		}
		return nil
	})
}

type webhookAttemptsCommand struct {
	store
	ID    im.AppID `arg:"" name:"sdkappid" help:"Number of the application."`
	Event string   `arg:"" help:"Event id."`
}

// Run prints one attempt a line.
func (c *webhookAttemptsCommand) Run() error {
	return c.openFor(c.ID, func(ctx context.Context, d *db.DB) error {
		attempts, err := outbox.Attempts(ctx, d, c.ID, c.Event)
		if err != nil {
			return err
		}
		for _, a := range attempts {
			_, err := fmt.Fprintf(os.Stdout, "%d %s %s status=%d took=%dms %q\n", a.Number,
				time.UnixMilli(a.At).UTC().Format(time.RFC3339Nano), a.Command, a.Status, a.Took, a.Reply)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

type webhookReplayCommand struct {
	store
	ID     im.AppID `arg:"" name:"sdkappid" help:"Number of the application."`
	Events []string `arg:"" optional:"" name:"event" help:"Event ids; all dead letters of the application if left out."`
}

// Run prints how many callbacks go out again.
func (c *webhookReplayCommand) Run() error {
	return c.openFor(c.ID, func(ctx context.Context, d *db.DB) error {
		replay := outbox.Replay
		if len(c.Events) == 0 {
			replay = replayAll
		}
		total, err := replay(ctx, d, c.ID, c.Events)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(os.Stdout, total, "callbacks go out again")
		return err
	})
}

// replayAll goes through the dead letters once, page by page, as those that fail again come back among them.
func replayAll(ctx context.Context, d *db.DB, app im.AppID, _ []string) (int, error) {
	total, after := 0, ""
	for {
		page, err := outbox.List(ctx, d, app, outbox.Query{Dead: true, After: after})
		if err != nil || len(page) == 0 {
			return total, err
		}
		ids := make([]string, len(page))
		for i, event := range page {
			ids[i] = event.EventID
		}
		n, err := outbox.Replay(ctx, d, app, ids)
		if err != nil {
			return total, err
		}
		total, after = total+n, ids[len(ids)-1]
	}
}

// unknownWebhooks finds ticked callbacks that no rule fires, which is usually a slip of the pen.
func unknownWebhooks(changes map[string]string) []string {
	known := map[string]bool{webhook.AllCommands: true}
	for _, d := range server.Webhooks() {
		known[d.Command] = true
	}
	var unknown []string
	for name, value := range changes {
		if !strings.HasPrefix(name, "webhook.") || !strings.HasSuffix(name, ".commands") {
			continue
		}
		for command := range strings.SplitSeq(value, ",") {
			if command = strings.TrimSpace(command); command != "" && !known[command] {
				unknown = append(unknown, command)
			}
		}
	}
	return unknown
}
