package group

import (
	"strings"
	"testing"

	"github.com/magpie-im/magpie/internal/im"
)

// What an application may choose for a type has the default that the table of rules says, and every such rule can be chosen.
func TestTypeSettings(t *testing.T) {
	rules, err := LoadRules()
	if err != nil {
		t.Fatal(err)
	}
	chosen := 0
	for _, rule := range rules.All() {
		for _, of := range rules.Types() {
			cell := of.Rule(rule.Name)
			switch {
			case rule.Name == "history.before_join.default":
				group := Group{Type: of}
				if got := group.ReadsBefore(&im.App{}); got != (cell == "yes") {
					t.Errorf("%s reads what was said before: %v, and the table says %s", of, got, cell)
				}
			case strings.HasPrefix(rule.Setting, "group.TYPE.tips."):
				if of.String() != "AVChatRoom" && cell != "na" {
					if tipClasses()[of.tipClass(rule.Name)][of.String()] == nil {
						t.Errorf("%s cannot be chosen for %s", rule.Name, of)
					}
					chosen++
				}
				if got := of.tipMode(&im.App{}, rule.Name, false); string(got) != cell && cell != "na" {
					t.Errorf("%s has the default %s for %s, and the table says %s", rule.Name, got, of, cell)
				}
				if of.tipMode(&im.App{}, rule.Name, true) != TipNone || cell == "na" && of.tipMode(&im.App{}, rule.Name, false) != TipNone {
					t.Errorf("%s has a tip for %s", rule.Name, of)
				}
			}
		}
	}
	if chosen == 0 {
		t.Error("the table has no setting for tips")
	}
}
