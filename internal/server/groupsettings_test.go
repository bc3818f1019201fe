package server_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/server"
)

// notThere are settings that the table of groups' rules names and no room has, and why. Some may come with what they are of.
func notThere() map[string]string {
	const live, topics = "live rooms do not have it", "communities have no topics"
	return map[string]string{
		"group.TYPE.remove_inactive_days": "members who are away for long are not removed", "notice.keep": "a hundred are kept, for seven days",
		"group.invitee_consent":           "who is asked in is not asked himself",
		"group.community.recycle_seconds": "communities live on", "group.community.topics": topics, "group.avchatroom.one_room_per_user": live,
		"group.avchatroom.ban": live, "group.avchatroom.max_admins": live, "group.avchatroom.online_list": live,
		"group.avchatroom.tips_merge_ms": live,
	}
}

// Every setting that the table of groups' rules names is there, for each type that the rule is about.
func TestSettingsOfGroupRules(t *testing.T) {
	rules, err := group.LoadRules()
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, one := range server.Settings().Describe() {
		there[one.Name] = true
	}
	words := map[string]string{"Private": "work", "Public": "public", "ChatRoom": "meeting", "Community": "community"}
	named, absent := regexp.MustCompile(`\b(group|message|notice)\.[A-Za-z_.]+[A-Za-z_]`), notThere()
	for _, rule := range rules.All() {
		for _, name := range named.FindAllString(rule.Setting, -1) {
			if notThere()[name] != "" {
				delete(absent, name)
				continue
			}
			for _, kind := range rules.Types() {
				of := strings.Replace(name, "TYPE", words[kind.String()], 1)
				cell := kind.Rule(rule.Name)
				if name != of && (words[kind.String()] == "" || cell == "na" || cell == "no") {
					continue // the type has nothing of the rule
				}
				if delete(absent, of); !there[of] && notThere()[of] == "" {
					t.Errorf("%s names the setting %s, which no room has", rule.Name, of)
				}
			}
		}
	}
	for name := range absent {
		t.Errorf("notThere() has %s, which no rule names", name)
	}
}

// Every setting is read somewhere, beside the list of its room's.
func TestSettingsAreRead(t *testing.T) {
	declared := 0
	err := filepath.WalkDir("..", func(path string, at fs.DirEntry, err error) error {
		if err != nil || !at.IsDir() || at.Name() == "testdata" {
			return err
		}
		found, err := parser.ParseDir(token.NewFileSet(), path, func(f os.FileInfo) bool { //nolint:staticcheck // one folder of plain files
			return !strings.HasSuffix(f.Name(), "_test.go")
		}, 0)
		for _, room := range found {
			settings := settingsOf(room)
			declared += len(settings)
			for _, name := range slices.Sorted(maps.Keys(settings)) {
				if uses(room, name) == 0 {
					t.Errorf("%s: nobody reads the setting %s", path, name)
				}
			}
		}
		return err
	})
	if err != nil || declared < 40 {
		t.Fatalf("%d settings found: %v", declared, err)
	}
}

// settingsOf are the package's variables that hold settings: what declares them says setting.Spec, or is named in a list of settings.
func settingsOf(room *ast.Package) map[string]bool { //nolint:staticcheck // one folder of plain files
	listed, found := map[string]bool{}, map[string]bool{}
	for _, f := range listsOf(room) {
		ast.Inspect(f, func(n ast.Node) bool {
			if one, ok := n.(*ast.Ident); ok {
				listed[one.Name] = true
			}
			return true
		})
	}
	for _, file := range room.Files {
		for _, d := range file.Decls {
			of, ok := d.(*ast.GenDecl)
			if !ok || of.Tok != token.VAR {
				continue
			}
			for _, spec := range of.Specs {
				for _, name := range spec.(*ast.ValueSpec).Names {
					if listed[name.Name] {
						found[name.Name] = true
					}
				}
			}
		}
	}
	return found
}

// listsOf are the functions that list settings.
func listsOf(room *ast.Package) (all []*ast.FuncDecl) { //nolint:staticcheck // one folder of plain files
	for _, file := range room.Files {
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && lists(f) {
				all = append(all, f)
			}
		}
	}
	return all
}

// lists reports whether a function gives a list of settings.
func lists(f *ast.FuncDecl) bool {
	if f.Type.Results == nil || len(f.Type.Results.List) != 1 {
		return false
	}
	list, ok := f.Type.Results.List[0].Type.(*ast.ArrayType)
	if !ok {
		return false
	}
	of, ok := list.Elt.(*ast.SelectorExpr)
	return ok && of.Sel.Name == "Declaration" && of.X.(*ast.Ident).Name == "setting"
}

// uses counts where functions of the package name a variable, but for lists of settings.
func uses(room *ast.Package, name string) (count int) { //nolint:staticcheck // one folder of plain files
	for _, file := range room.Files {
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || lists(f) {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if one, ok := n.(*ast.Ident); ok && one.Name == name {
					count++
				}
				return true
			})
		}
	}
	return count
}
