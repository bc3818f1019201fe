package group

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Every cell of the table that this program carries can be read, and its standing is one of three.
func TestRulesParse(t *testing.T) {
	rules, err := LoadRules()
	if err != nil {
		t.Fatal(err)
	}
	const least = 400
	if n := len(rules.All()); n < least {
		t.Errorf("%d rules, want at least %d", n, least)
	}
	for _, rule := range rules.All() {
		if s := rule.Standing; s != "documented" && s != "doubtful" && s != "own" {
			t.Errorf("%s stands as %q", rule.Name, s)
		}
	}
}

func TestRulesRefuse(t *testing.T) {
	const head = "rule\tPublic\tcode\tsetting\tstanding\n"
	for want, text := range map[string]string{
		"no types":   "rule\tcode\tsetting\tstanding",
		"columns":    head + "a\tyes\t-\t-\town\tmore",
		"empty":      head + "a\t\t-\t-\town",
		"twice":      head + "a\tyes\t-\t-\town\na\tno\t-\t-\town",
		"line 2: 1 ": head + "a",
	} {
		if _, err := parseRules(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestRuleLookups(t *testing.T) {
	rules, err := LoadRules()
	if err != nil {
		t.Fatal(err)
	}
	public, _ := rules.Type("Public")
	private, _ := rules.Type("Private")
	if _, ok := rules.Type("BChatRoom"); ok {
		t.Error("BChatRoom is a type")
	}
	for _, row := range []struct {
		name      string
		got, want any
	}{
		{"leave by the owner of a Work group", private.Allows("leave.who", WhoOwner), true},
		{"leave by the owner of a Public group", public.Allows("leave.who", WhoOwner), false},
		{"anyone", public.Allows("create.who.client", WhoMember), true},
		{"admin over member", public.AllowsOver("kick.who.client", WhoMember, WhoAdmin), true},
		{"admin over admin", public.AllowsOver("kick.who.client", WhoAdmin, WhoAdmin), false},
		{"owner over admin", public.AllowsOver("kick.who.client", WhoAdmin, WhoOwner), true},
		{"number", public.Number("invite.max_per_call.rest"), int64(300)},
		{"one of", public.OneOf("create.apply_option.allowed.client", "NeedPermission"), true},
		{"one of, not", private.OneOf("create.apply_option.allowed.client", "NeedPermission"), false},
		{"no such rule", public.Yes("no.such.rule"), false},
		{"zero type", Type{}.Allows("leave.who", WhoOwner), false},
	} {
		if row.got != row.want {
			t.Errorf("%s: %v, want %v", row.name, row.got, row.want)
		}
	}
}

// A rule that is misspelled in the code would allow nothing and be noticed by nobody.
func TestRuleNamesExist(t *testing.T) {
	rules, err := LoadRules()
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{".", "attribute"} {
		files, err := parser.ParseDir(token.NewFileSet(), folder, func(f os.FileInfo) bool { return !strings.HasSuffix(f.Name(), "_test.go") }, 0) //nolint:staticcheck // one folder of plain files
		if err != nil {
			t.Fatal(err)
		}
		for _, parsed := range files {
			ast.Inspect(parsed, func(n ast.Node) bool {
				if text, ok := misspelled(rules, n); ok {
					t.Errorf("%q is no rule of rules.tsv", text)
				}
				return true
			})
		}
	}
}

// misspelled reports whether a node is a text that looks like the name of a rule and is none.
func misspelled(rules *Rules, n ast.Node) (string, bool) {
	literal, ok := n.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return "", false
	}
	text, _ := strconv.Unquote(literal.Value)
	first, _, dotted := strings.Cut(text, ".")
	return text, dotted && startsRule(rules, first) && !isRule(rules, text) && !strings.ContainsAny(text, " /:")
}

// isRule reports whether a text names a rule, one that differs by door, or several that differ by their last word.
func isRule(rules *Rules, text string) bool {
	if rules.byName[text] != nil || rules.byName[text+".rest"] != nil && rules.byName[text+".client"] != nil {
		return true
	}
	return strings.HasSuffix(text, ".") && slices.ContainsFunc(rules.all, func(r *Rule) bool { return strings.HasPrefix(r.Name, text) })
}

func startsRule(rules *Rules, first string) bool {
	for _, rule := range rules.all {
		if strings.HasPrefix(rule.Name, first+".") {
			return first != "rules"
		}
	}
	return false
}
