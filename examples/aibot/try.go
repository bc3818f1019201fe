package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// fakeModel pretends to be a language model: it says, word by word, what it was asked.
func fakeModel(w http.ResponseWriter, r *http.Request) {
	var asked struct{ Messages []turn }
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || len(asked.Messages) == 0 {
		http.Error(w, "no messages", http.StatusBadRequest)
		return
	}
	last := len(asked.Messages) - 1
	answer := fmt.Sprintf("You wrote: %s. I remember %d messages before that. A real model would know more to say about it.",
		asked.Messages[last].Content, last-1)
	for _, word := range strings.SplitAfter(answer, " ") {
		text, _ := json.Marshal(object{"choices": []object{{"delta": object{"content": word}}}})
		_, _ = fmt.Fprintf(w, "data: %s\n\n", text)
		w.(http.Flusher).Flush()
		<-time.After(50 * time.Millisecond)
	}
	_, _ = fmt.Fprint(w, "data: [DONE]\n\n")
}

// try starts what --fake promises: a Magpie that is built now and whose data goes when the bot ends, and the fake model.
func try(ctx context.Context, o *options) (stop func(), err error) {
	model := httptest.NewServer(http.HandlerFunc(fakeModel))
	dir, err := os.MkdirTemp("", "aibot-")
	stop = func() { model.Close(); _ = os.RemoveAll(dir) }
	if err != nil {
		return stop, err
	}
	o.URL = model.URL
	magpie := filepath.Join(dir, "magpie")
	run := func(name string, args ...string) error {
		command := exec.CommandContext(ctx, name, args...)
		command.Stdout, command.Stderr = os.Stderr, os.Stderr
		return command.Run()
	}
	if err := run("go", "build", "-o", magpie, "./cmd/magpie"); err != nil {
		return stop, fmt.Errorf("build Magpie (in its own folder?): %w", err)
	}
	server := exec.CommandContext(context.WithoutCancel(ctx), magpie, "serve", "--data", dir, "--listen", o.Magpie, "--app", o.App)
	server.Stderr = os.Stderr
	if err := server.Start(); err != nil {
		return stop, err
	}
	stop = func() {
		_ = server.Process.Signal(syscall.SIGTERM)
		_ = server.Wait()
		model.Close()
		_ = os.RemoveAll(dir)
	}
	for range 100 { // ten seconds
		if ready(ctx, "http://"+o.Magpie+"/readyz") {
			break
		}
		<-time.After(100 * time.Millisecond)
	}
	log.Printf("write to %s as the README says; a user's signature: %s usersig --app %s --user alice", o.Robot, magpie, o.App)
	app, _, _ := strings.Cut(o.App, ":")
	return stop, run(magpie, "app", "set", app, "--data", dir, "webhook.url=http://"+o.Listen+"/",
		"webhook.commands=Bot.OnC2CMessage", "webhook.token="+o.Token)
}

func ready(ctx context.Context, address string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return false
	}
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_ = reply.Body.Close()
	return true
}
