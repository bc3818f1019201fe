package db_test

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
)

// released is a store as a release left it: testdata/schema-NUMBER.sqlite.sql and .postgres.sql, dumps of a server that
// was used a little. A release that brings migrations adds a pair of dumps and a line here; a migration adds its check to
// every older line.
type released struct {
	schema int
	// rows counts what the dumps hold, by table. A table that a migration takes away is taken away here.
	rows map[string]int64
	// checks are queries of one text each with what they give after all migrations.
	checks map[string]string
}

// sides are the conversations with what stands of them in their chats.
const sides = ` FROM (SELECT v.*, CASE v.side WHEN 0 THEN c.low_counted ELSE c.high_counted END - v.settled AS unread,
	CASE v.side WHEN 0 THEN c.low_listed ELSE c.high_listed END AS listed,
	CASE v.side WHEN 0 THEN c.low_last_id ELSE c.high_last_id END AS last_id
	FROM conversation v JOIN chat c ON c.id = v.chat_id AND v.owner_id = CASE v.side WHEN 0 THEN c.low_id ELSE c.high_id END) AS v`

var releases = []released{{
	schema: 1,
	rows: map[string]int64{
		"secret": 1, "app": 1, "account": 5, "profile": 2, "node": 1, "device": 2, "chat": 3, "message": 7, "conversation": 6,
		"webhook_outbox": 1, "webhook_event": 1, "webhook_attempt": 1, "lease": 1,
	},
	checks: map[string]string{
		`SELECT nick FROM account WHERE user_id = 'alice'`:                                       "Alice 爱丽丝",
		`SELECT user_id FROM account WHERE deleted_at > 0`:                                       "dave",
		`SELECT value FROM profile WHERE is_number`:                                              "19910325",
		`SELECT revoke_reason FROM message WHERE flags = 32`:                                     "typo",
		`SELECT cloud_data FROM message WHERE version = 1`:                                       "mine",
		`SELECT CAST(MAX(sequence) AS TEXT) FROM message`:                                        "5",
		`SELECT body FROM message ORDER BY sent_at DESC, id DESC LIMIT 1`:                        `[{"MsgType":"TIMTextElem","MsgContent":{"Text":"nobody hears of this"}}]`,
		`SELECT CAST(COUNT(*) AS TEXT) FROM message m JOIN chat c ON c.id = m.chat_id`:           "7",
		`SELECT CAST(SUM(v.unread) AS TEXT)` + sides:                                             "4",
		`SELECT CAST(COUNT(*) AS TEXT)` + sides + ` JOIN message m ON m.id = v.last_id`:          "6",
		`SELECT CAST(COUNT(*) AS TEXT)` + sides + ` WHERE read_time > 0 AND listed <= uncounted`: "0",
		`SELECT CAST(MAX(number) + COUNT(*) AS TEXT) FROM app_version`:                           "1",
		`SELECT CAST(version AS TEXT) FROM app`:                                                  "0",
		`SELECT former_secret FROM app WHERE former_until = 0 AND NOT disabled`:                  "",
		`SELECT CAST(COUNT(*) AS TEXT) FROM app WHERE removing`:                                  "0",
		`SELECT CAST(COUNT(*) AS TEXT) FROM message WHERE ord <> sent_at`:                        "0",
		`SELECT CAST(COUNT(*) AS TEXT) FROM chat WHERE kind = 1 AND last_ord > 0`:                "3",
		// Four messages are read in the second of the fifth, which is not.
		`SELECT CAST(read_sequence AS TEXT)` + sides + ` WHERE read_time > 0 AND unread = 1`:                "4",
		`SELECT CAST(SUM(read_sequence) AS TEXT) FROM conversation WHERE read_time = 0`:                     "0",
		`SELECT CAST(length(events) AS TEXT) FROM webhook_outbox`:                                           "144",
		`SELECT CAST(COUNT(*) AS TEXT) FROM webhook_attempt a JOIN webhook_event e ON e.id = a.first_event`: "1",
	},
}}

// Every store of a release is migrated: all its rows are there and its tables are those of a new store.
func TestReleasedStoresAreMigrated(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, fresh db.Options) {
		dbtest.Open(t, fresh).Close()
		want := describe(t, fresh)
		for _, r := range releases {
			t.Run(fmt.Sprintf("schema %d", r.schema), func(t *testing.T) {
				o := load(t, fresh, r.schema)
				d := dbtest.Open(t, o)
				for _, table := range slices.Sorted(maps.Keys(r.rows)) {
					if n, err := db.One(t.Context(), d, db.Number, `SELECT COUNT(*) FROM `+table); err != nil || n != r.rows[table] {
						t.Errorf("%d rows of %s (%v), want %d", n, table, err, r.rows[table])
					}
				}
				for query, want := range r.checks {
					if got, err := db.One(t.Context(), d, db.Text, query); err != nil || got != want {
						t.Errorf("%s: %q (%v), want %q", query, got, err, want)
					}
				}
				for _, difference := range compare(describe(t, o), want) {
					t.Error(difference)
				}
			})
		}
	})
}

// The dumps hold rows of every table that their release had.
func TestDumpsAreWhole(t *testing.T) {
	for _, r := range releases {
		d := dbtest.Raw(t, load(t, db.Options{Dir: t.TempDir()}, r.schema))
		rows, err := d.QueryContext(t.Context(), `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'migration%'`)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var table string
			if err := rows.Scan(&table); err != nil || r.rows[table] == 0 {
				t.Errorf("schema %d: no rows of %s are looked for (%v)", r.schema, table, err)
			}
		}
		if err := rows.Err(); err != nil {
			t.Error(err)
		}
	}
}

// What an account removed from its list stays removed, and a conversation finds its own side of the chat.
func TestConversationsAreMigrated(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, fresh db.Options) {
		o := load(t, fresh, 1)
		raw := dbtest.Raw(t, o)
		_, err := raw.ExecContext(t.Context(), `UPDATE conversation SET listed = FALSE, unread = 0, uncounted = 5
			WHERE owner_id = (SELECT MAX(high_id) FROM chat) AND chat_id = (SELECT MIN(id) FROM chat WHERE last_sequence = 5)`)
		if err != nil {
			t.Fatal(err)
		}
		raw.Close()
		d := dbtest.Open(t, o)
		for query, want := range map[string]string{
			`SELECT CAST(SUM(v.unread) AS TEXT)` + sides:                                "3",
			`SELECT CAST(COUNT(*) AS TEXT)` + sides + ` WHERE v.listed > v.uncounted`:   "5",
			`SELECT CAST(uncounted AS TEXT)` + sides + ` WHERE v.listed <= v.uncounted`: "5",
			`SELECT CAST(SUM(side) AS TEXT) FROM conversation`:                          "3",
			`SELECT CAST(COUNT(*) AS TEXT) FROM chat WHERE low_last_id <> high_last_id`: "0",
			`SELECT CAST(COUNT(*) AS TEXT) FROM chat WHERE low_last_ord <> last_ord`:    "0",
			`SELECT CAST(COUNT(*) AS TEXT) FROM chat WHERE low_listed <> last_sequence`: "0",
			`SELECT CAST(SUM(settled) AS TEXT) FROM conversation`:                       "0",
		} {
			if got, err := db.One(t.Context(), d, db.Text, query); err != nil || got != want {
				t.Errorf("%s: %q (%v), want %q", query, got, err, want)
			}
		}
	})
}

// load makes a store of the same kind as the other from the dump.
func load(t *testing.T, kind db.Options, schema int) db.Options {
	t.Helper()
	o, name := db.Options{Dir: t.TempDir()}, "sqlite"
	if kind.URL != "" {
		o, name = db.Options{URL: dbtest.URL(t)}, "postgres"
	}
	dump, err := os.ReadFile(filepath.Join("testdata", fmt.Sprintf("schema-%04d.%s.sql", schema, name)))
	if err != nil {
		t.Fatal(err)
	}
	raw := dbtest.Raw(t, o)
	if _, err := raw.ExecContext(t.Context(), string(dump)); err != nil {
		t.Fatalf("load the dump: %v", err)
	}
	raw.Close()
	return o
}

// describe lists all that a schema is made of: columns in their order, keys, indexes and what they are made from.
func describe(t *testing.T, o db.Options) (lines []string) {
	t.Helper()
	query := `SELECT concat_ws(' ', t.name, c.cid, c.name, c.type, c."notnull", c.dflt_value, c.pk, t.wr)
			FROM pragma_table_list t JOIN pragma_table_info(t.name) c WHERE t.schema = 'main' AND t.name NOT LIKE 'sqlite%'
		UNION ALL SELECT concat_ws(' ', s.name, i.name, i."unique", i.partial, c.seqno, c.name, c.key, c.desc, x.sql)
			FROM sqlite_schema s JOIN pragma_index_list(s.name) i JOIN pragma_index_xinfo(i.name) c
			LEFT JOIN sqlite_schema x ON x.name = i.name WHERE s.type = 'table'`
	if o.URL != "" {
		query = `SELECT concat_ws(' ', table_name, ordinal_position, column_name, data_type, is_nullable, column_default)
			FROM information_schema.columns WHERE table_schema = 'public'
			UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
			UNION ALL SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid)) FROM pg_constraint
				WHERE connamespace = 'public'::regnamespace`
	}
	rows, err := dbtest.Raw(t, o).QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	if err := rows.Err(); err != nil || len(lines) < 100 {
		t.Fatalf("%d lines describe the schema (%v)", len(lines), err)
	}
	slices.SortFunc(lines, cmp.Compare[string])
	return lines
}

// compare tells what one schema has and the other has not.
func compare(got, want []string) (differences []string) {
	for _, line := range got {
		if !slices.Contains(want, line) {
			differences = append(differences, "only the migrated store has: "+strings.TrimSpace(line))
		}
	}
	for _, line := range want {
		if !slices.Contains(got, line) {
			differences = append(differences, "only a new store has: "+strings.TrimSpace(line))
		}
	}
	return differences
}
