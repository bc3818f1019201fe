package main

import (
	"strings"
	"testing"

	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/server"
)

// The list of applications shows what was chosen, and of a secret only that there is one.
func TestChosen(t *testing.T) {
	table := server.Settings()
	values, unread := table.Read(map[string]string{
		"login.policy": "multi", "robot.max": "20", "webhook.token": "hidden", "webhook.b.secret": "hidden", "webhook.b.url": "http://h",
	})
	got := chosen(table.Rows(&im.App{Chosen: values}))
	const want = " login.policy=multi webhook.token=(set) webhook.b.url=http://h webhook.b.secret=(set)"
	if got != want || len(unread) > 0 {
		t.Errorf("the list shows%s, want%s (%v)", got, want, unread)
	}
}

// The help of `magpie app set` has every setting.
func TestHelpOfAppSet(t *testing.T) {
	help := (&appSetCommand{}).Help()
	for _, d := range server.Settings().Describe() {
		if !strings.Contains(help, "  "+d.Name+" ") {
			t.Errorf("%s is not in the help", d.Name)
		}
	}
	if !strings.Contains(help, "webhook.NAME.…") || !strings.Contains(help, "admins") || !strings.Contains(help, "public_key") {
		t.Errorf("the help is\n%s", help)
	}
}
