package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// settings are what the room needs of its application: the callbacks that it counts by, attributes that the owner and the back
// end write alone, and some messages for who comes late.
func settings(o *options) []string {
	return []string{
		"webhook.url=http://" + o.listen + "/callback", "webhook.token=" + o.token,
		"webhook.commands=Group.CallbackAfterSendMsg,Group.CallbackAfterNewMemberJoin,Group.CallbackAfterMemberExit",
		"group.attribute_who=admin", "live.backlog=20",
	}
}

// try starts what --try promises: a Magpie that is built now, and whose data goes when the room closes.
func try(ctx context.Context, o *options) (stop func(), err error) {
	dir, err := os.MkdirTemp("", "liveroom-")
	stop = func() { _ = os.RemoveAll(dir) }
	if err != nil {
		return stop, err
	}
	magpie := filepath.Join(dir, "magpie")
	if err := finish(ctx, "go", "build", "-o", magpie, "./cmd/magpie"); err != nil {
		return stop, fmt.Errorf("build Magpie (in its own folder?): %w", err)
	}
	server := exec.CommandContext(context.WithoutCancel(ctx), magpie, "serve", "--data", dir, "--listen", o.magpie, "--app", o.app)
	server.Stderr = os.Stderr
	if err := server.Start(); err != nil {
		return stop, err
	}
	stop = func() {
		_ = server.Process.Signal(syscall.SIGTERM)
		_ = server.Wait()
		_ = os.RemoveAll(dir)
	}
	if err := awaitReady(ctx, "http://"+o.magpie+"/readyz"); err != nil {
		return stop, err
	}
	app, _, _ := strings.Cut(o.app, ":")
	return stop, finish(ctx, magpie, append([]string{"app", "set", app, "--data", dir}, settings(o)...)...)
}

// finish runs a program to its end.
func finish(ctx context.Context, name string, args ...string) error {
	command := exec.CommandContext(ctx, name, args...)
	command.Stdout, command.Stderr = os.Stderr, os.Stderr
	return command.Run()
}

// awaitReady asks for ten seconds.
func awaitReady(ctx context.Context, address string) error {
	for range 100 {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return err
		}
		if reply, err := http.DefaultClient.Do(request); err == nil {
			_ = reply.Body.Close()
			return nil
		}
		<-time.After(100 * time.Millisecond)
	}
	return fmt.Errorf("%s does not answer", address)
}
