package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"sync"
	"time"
)

// writer is one of two that change settings of the application at once: the operator beside the servers, the back end at
// their REST door. Each has a setting of its own, so what it wrote last has to be there.
type writer struct {
	of      *torture
	name    string
	setting string
	least   int // values rise from here
	most    int
	write   func(ctx context.Context, setting, value string) error
	chance  chance

	acked   string // the last value that was acknowledged
	tried   string // the last one without an answer; empty when there is none
	changed int
	lost    []string
}

func (t *torture) settingWriters() []*writer {
	const secondsLeast, secondsMost, robotsLeast, robotsMost = 3600, 7 * 24 * 3600, 20, 1000
	return []*writer{
		{of: t, name: "the operator", setting: "message.recall_seconds", least: secondsLeast, most: secondsMost, write: t.setBeside,
			chance: newChance(t.Seed, "writer", 0)},
		{of: t, name: "the back end", setting: "robot.max", least: robotsLeast, most: robotsMost, write: t.setByREST,
			chance: newChance(t.Seed, "writer", 1)},
	}
}

// run changes the setting until ctx ends. Before each change it looks whether the last one is still there.
func (w *writer) run(ctx context.Context) {
	const least, most = 50 * time.Millisecond, 500 * time.Millisecond
	for wait(ctx, w.chance.between(least, most)) == nil {
		acting, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
		w.look(acting)
		w.tried = strconv.Itoa(w.least + w.chance.IntN(w.most-w.least))
		if err := w.write(acting, w.setting, w.tried); err != nil {
			w.of.failed("setting by "+w.name, err)
		} else {
			w.acked, w.tried = w.tried, ""
			w.changed++
		}
		cancel()
	}
}

// look asks the servers for the setting. A server may be some seconds behind, and one that was killed says nothing.
func (w *writer) look(ctx context.Context) {
	const patience = 5 * time.Second
	if w.acked == "" {
		return
	}
	for i, n := range w.of.stage.nodes {
		got, answered := "", false
		if !until(ctx, patience, func() bool {
			value, err := w.of.settingAt(ctx, n, w.setting)
			if err == nil {
				got, answered = value, true
			}
			return answered && (got == w.acked || w.tried != "" && got == w.tried)
		}) && answered {
			w.lost = append(w.lost, fmt.Sprintf("%s set %s to %s, and node %d has %s", w.name, w.setting, w.acked, i+1, got))
		}
	}
}

func (t *torture) settingAt(ctx context.Context, n *node, name string) (string, error) {
	admin, err := t.stage.backEnd(n)
	if err != nil {
		return "", err
	}
	var reply struct{ Settings map[string]string }
	err = admin.call(ctx, "magpie_app/get_settings", struct{}{}, &reply)
	return reply.Settings[name], err
}

// setByREST changes a setting at the REST door of a node.
func (t *torture) setByREST(ctx context.Context, name, value string) error {
	return insist(ctx, t.stage.nodes, 0, func(ctx context.Context, n *node) error {
		admin, err := t.stage.backEnd(n)
		if err != nil {
			return err
		}
		var ignored struct{}
		return admin.call(ctx, "magpie_app/set_settings", map[string]any{"Settings": map[string]string{name: value}}, &ignored)
	})
}

// setBeside changes a setting beside the servers, as an operator does.
func (t *torture) setBeside(ctx context.Context, name, value string) error {
	cmd := exec.CommandContext(ctx, t.Exe, "app", "set", "--data", t.stage.nodes[0].data, strconv.Itoa(int(t.stage.app)), name+"="+value)
	cmd.Env = t.stage.environment()
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		return errors.Join(err, errors.New(said.String()))
	}
	return nil
}

// checkSettings looks at every node for what each writer wrote last.
func (t *torture) checkSettings(ctx context.Context) {
	var group sync.WaitGroup
	for _, w := range t.writers {
		group.Go(func() { w.look(ctx) })
	}
	group.Wait()
	for _, w := range t.writers {
		t.report.SettingsChanged += w.changed
		t.report.findMany(&t.report.SettingsLost, len(w.lost), "%s", first(w.lost))
	}
}
