package ladder_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// table says which room writes a table, and which others read it. A reader is a promise: the room that writes the table
// does not change what the others read without looking at them.
type table struct {
	writer  string
	readers []string
}

// tables is the map of the store: every table of a migration has a line.
func tables() map[string]table {
	return map[string]table{
		"migration":        {writer: "db"},
		"migration_source": {writer: "db"},
		"app":              {writer: "app"},
		"app_version":      {writer: "app"},
		"account":          {writer: "account", readers: []string{"chat", "group", "presence"}},
		"device":           {writer: "device", readers: []string{"presence"}},
		"node":             {writer: "device", readers: []string{"presence"}},
		"custom_status":    {writer: "presence"},
		"presence_watch":   {writer: "presence"},
		"global_mute":      {writer: "mute"},
		"file":             {writer: "file"},
		"file_object":      {writer: "file"},
		"file_sum":         {writer: "file"},
		"node_bus":         {writer: "node"},
		"node_probe":       {writer: "node"},
		"secret":           {writer: "device"},
		"profile":          {writer: "profile"},
		"relation":         {writer: "relation"},
		"friend":           {writer: "relation"},
		"friend_group":     {writer: "relation"},
		"friend_request":   {writer: "relation"},
		"block":            {writer: "relation"},
		"follow":           {writer: "relation"},
		"relation_leaving": {writer: "relation"},
		"chat":             {writer: "chat", readers: []string{"group"}},
		"message":          {writer: "chat", readers: []string{"group"}},
		"conversation":     {writer: "chat"},
		"deleted_message":  {writer: "chat", readers: []string{"group"}},
		"choice":           {writer: "conversation"},
		"folder":           {writer: "conversation"},
		"do_not_disturb":   {writer: "conversation"},
		"annotation":       {writer: "chat/annotate"},
		"annotated_chat":   {writer: "chat/annotate"},
		"chat_reader":      {writer: "chat/annotate"},
		"extension":        {writer: "chat/annotate"},
		"pin":              {writer: "chat/annotate"},
		"reaction":         {writer: "chat/annotate"},
		"chat_group":       {writer: "group"},
		"group_member":     {writer: "group"},
		"join_request":     {writer: "group"},
		"group_growth":     {writer: "group"},
		"group_count":      {writer: "group"},
		"group_ban":        {writer: "group"},
		"group_data":       {writer: "group/attribute"},
		"group_attribute":  {writer: "group/attribute"},
		"group_counter":    {writer: "group/attribute"},
		"retention":        {writer: "retention"},
		"official_account": {writer: "official"},
		"subscription":     {writer: "official"},
		"bundle":           {writer: "bundle"},
		"bundle_usage":     {writer: "bundle"},
		"notification":     {writer: "groupmessage"},
		"live_room":        {writer: "live"},
		"lease":            {writer: "webhook/outbox"},
		"webhook_outbox":   {writer: "webhook/outbox"},
		"webhook_event":    {writer: "webhook/outbox"},
		"webhook_attempt":  {writer: "webhook/outbox"},
	}
}

// exceptions are writes that stand until the table has one writer. A line that is not needed any more fails the test.
func exceptions() []use {
	return nil
}

// use is a table that a room's SQL names.
type use struct {
	room, table string
	writes      bool
	at          string // a file and a line
}

func (u use) same(other use) bool {
	return u.room == other.room && u.table == other.table && u.writes == other.writes
}

// One room writes a table. What the rooms' SQL says is held against the map.
func TestTables(t *testing.T) {
	found, created := sqlOfRooms(t)
	for _, problem := range misuses(tables(), exceptions(), created, found) {
		t.Error(problem)
	}
}

// misuses tells what the map does not allow, and what of the map is not so, each as a sentence that says what to do.
func misuses(all map[string]table, excepted []use, created []string, found []use) []string {
	const here = "internal/ladder/tables_test.go"
	var problems []string
	say := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	for _, name := range created {
		if _, ok := all[name]; !ok {
			say("table %s has no line in tables(): say in %s which room writes it", name, here)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if !slices.Contains(created, name) {
			say("tables() in %s has a line for %s, which no migration makes: remove the line", here, name)
		}
		for _, reader := range all[name].readers {
			if !slices.ContainsFunc(found, use{room: reader, table: name}.same) {
				say("tables() in %s says that %s reads %s, and it does not: remove it there", here, reader, name)
			}
		}
	}
	for _, u := range found {
		known, ok := all[u.table]
		switch {
		case !ok && u.writes:
			say("%s: %s writes %q, which no migration makes: name the table in the statement's first words", u.at, u.room, u.table)
		case !ok || known.writer == u.room || slices.ContainsFunc(excepted, u.same):
		case u.writes:
			say("%s: %s writes %s, which is %s's table: call a function of %s that takes the transaction, or register a part in what "+
				"that room does", u.at, u.room, u.table, known.writer, known.writer)
		case !slices.Contains(known.readers, u.room):
			say("%s: %s reads %s, which is %s's table: ask %s, or, if one statement needs both, name the reader in tables() in %s",
				u.at, u.room, u.table, known.writer, known.writer, here)
		}
	}
	for _, e := range excepted {
		if !slices.ContainsFunc(found, e.same) {
			say("exceptions() in %s lets %s use %s, and it does not any more: remove the line", here, e.room, e.table)
		}
	}
	return problems
}

// The rule is worth little if it holds because it never looks.
func TestTablesRefuses(t *testing.T) {
	all := map[string]table{"shoe": {writer: "wardrobe", readers: []string{"mirror"}}}
	reads := use{room: "mirror", table: "shoe"}
	for _, row := range []struct {
		name, sql, want string
		room            string
	}{
		{room: "wardrobe", name: "its own", sql: "INSERT INTO shoe (id) SELECT id FROM shoe ON CONFLICT (id) DO UPDATE SET id = 1"},
		{room: "mirror", name: "a reader", sql: "SELECT 1 FROM box JOIN shoe ON TRUE"},
		{room: "hall", name: "another reader", sql: " FROM shoe WHERE id = $1", want: "hall reads shoe, which is wardrobe's table"},
		{room: "hall", name: "an insert", sql: "INSERT INTO\n\tshoe (id) VALUES ", want: "hall writes shoe, which is wardrobe's"},
		{room: "hall", name: "an update", sql: "UPDATE shoe SET size = 43", want: "hall writes shoe"},
		{room: "mirror", name: "a deletion by a reader", sql: "DELETE FROM shoe WHERE id = $1", want: "mirror writes shoe"},
		{room: "hall", name: "behind a common table expression", sql: "WITH old AS (SELECT 1) DELETE FROM shoe", want: "hall writes shoe"},
		{room: "hall", name: "a table that is not there", sql: "UPDATE hat SET size = 1", want: "no migration makes"},
		{room: "hall", name: "a statement that is cut before the table", sql: "DELETE FROM ", want: "name the table in the statement's first words"},
		{room: "hall", name: "prose", sql: "update the shoe, or delete from shoe"},
	} {
		got := misuses(all, nil, []string{"shoe"}, append(usesIn(row.sql, row.room, "here"), reads))
		if row.want == "" && len(got) > 0 || row.want != "" && (len(got) != 1 || !strings.Contains(got[0], row.want)) {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
	for want, got := range map[string][]string{
		"table hat has no line":       misuses(all, nil, []string{"shoe", "hat"}, []use{reads}),
		"which no migration makes":    misuses(all, nil, nil, []use{reads}),
		"mirror reads shoe, and it":   misuses(all, nil, []string{"shoe"}, nil),
		"exceptions() in internal/la": misuses(all, []use{{room: "hall", table: "shoe"}}, []string{"shoe"}, []use{reads}),
	} {
		if len(got) != 1 || !strings.Contains(got[0], want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := madeBy("CREATE TABLE IF NOT EXISTS shoe (\n);\nCREATE TABLE hat (\n);\nDROP TABLE hat;\nCREATE TABLE old (\n);\nALTER TABLE old RENAME TO young;"); !slices.Equal(got, []string{"shoe", "young"}) {
		t.Errorf("the migrations make %q", got)
	}
}

// Statements are written in capitals, which tells them from prose.
var (
	written = regexp.MustCompile(`\b(?:INSERT INTO|UPDATE|DELETE FROM)\b\s*(\w*)`)
	read    = regexp.MustCompile(`\b(?:FROM|JOIN)\s+(\w+)`)
	schema  = regexp.MustCompile(`\b(CREATE TABLE(?: IF NOT EXISTS)?|DROP TABLE(?: IF EXISTS)?|ALTER TABLE)\s+(\w+)(?:\s+RENAME TO\s+(\w+))?`)
)

// usesIn finds the tables that a piece of SQL names. A statement that is put together of pieces is found by the piece in
// which it begins.
func usesIn(sql, room, at string) []use {
	var found []use
	for _, m := range written.FindAllStringSubmatch(sql, -1) {
		if m[1] != "SET" { // DO UPDATE SET has its table from the INSERT
			found = append(found, use{room, m[1], true, at})
		}
	}
	for _, m := range read.FindAllStringSubmatch(strings.ReplaceAll(sql, "DELETE FROM", "DELETE"), -1) {
		found = append(found, use{room, m[1], false, at})
	}
	return found
}

// madeBy lists the tables that are there after the statements.
func madeBy(sql string) []string {
	var made []string
	for _, m := range schema.FindAllStringSubmatch(sql, -1) {
		switch verb, name, renamed := m[1], m[2], m[3]; {
		case strings.HasPrefix(verb, "CREATE"):
			made = append(made, name)
		case strings.HasPrefix(verb, "DROP"):
			made = slices.DeleteFunc(made, func(other string) bool { return other == name })
		case renamed != "":
			made[slices.Index(made, name)] = renamed
		}
	}
	return made
}

// mover copies the tables of all rooms from one database into another, row by row, and knows nothing of what stands in them.
const mover = "internal/db/move.go"

// sqlOfRooms reads the string literals of every room's code, and the tables that the migrations make.
func sqlOfRooms(t *testing.T) (found []use, created []string) {
	t.Helper()
	var statements strings.Builder
	err := walk(func(path string, d fs.DirEntry) error {
		switch {
		case d.IsDir() || !strings.HasPrefix(path, "internal/") || strings.HasPrefix(path, "internal/ladder/"):
		case strings.HasSuffix(path, ".sql"):
			text, err := os.ReadFile(filepath.Join(root, path))
			if err != nil {
				return err
			}
			statements.Write(text)
		case path == mover:
		case strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go"):
			for _, l := range literals(t, path) {
				found = append(found, usesIn(l.text, roomOf(path), l.at)...)
				if strings.HasPrefix(path, "internal/db/") && schema.MatchString(l.text) {
					statements.WriteString(l.text)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if created = madeBy(statements.String()); len(created) == 0 || len(found) == 0 {
		t.Fatal("no SQL found")
	}
	return found, created
}

// roomOf names the room that a file belongs to.
func roomOf(path string) string {
	rung, known := place(filepath.ToSlash(filepath.Dir(path)))
	if !known || rung == 0 || rung > len(rooms()) {
		return filepath.Dir(path)
	}
	return rooms()[rung-1]
}

type literal struct{ text, at string }

func literals(t *testing.T, path string) (found []literal) {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, filepath.Join(root, path), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
			text, err := strconv.Unquote(l.Value)
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, literal{text, fmt.Sprintf("%s:%d", path, files.Position(l.Pos()).Line)})
		}
		return true
	})
	return found
}
