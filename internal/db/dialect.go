package db

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib" // the "pgx" driver
	"modernc.org/sqlite"             // the "sqlite" driver
	sqlite3 "modernc.org/sqlite/lib"
)

// dialect is everything in which the two databases differ.
type dialect struct {
	driver string
	// name is what a migration's text calls the database.
	name string
	// soleWriter tells that nobody else writes the store.
	soleWriter bool
	writeDSN   string
	readDSN    string
	readers    int
	committers int
	begin      string
	// tend is run now and then beside the committers; nil when there is nothing to do.
	tend func(*sql.DB) error
	// snapshot is the transaction whose reads all see the same state.
	snapshot sql.TxOptions
	// rowParameters bounds the parameters of a statement that writes many rows, keyParameters those of one that looks up
	// many keys.
	rowParameters int
	keyParameters int
	// text turns a statement's text into this database's.
	text func(string) string
	// schema turns a migration's text into this database's.
	schema func(string) string
	// describe is a query that gives a line of text for every column and index, in the same words on both databases.
	describe string
	// list turns a list into this database's argument.
	list func(list) any
	// contended tells errors of a transaction that lost against another one and may succeed when all of it runs again.
	contended func(error) bool
	// collides tells errors of a write that broke a unique index or a primary key, which it does not do twice if it
	// looks before it writes.
	collides func(error) bool
}

func dialectFor(o Options) (dialect, error) {
	if o.URL != "" {
		return postgres(o.URL)
	}
	return embedded(o)
}

// patience is how long a connection waits for another one's lock.
const patience = 10 * time.Second

// embedded is SQLite. It keeps one writing connection, as SQLite allows only one at a time, and a few readers, which
// never wait thanks to the write-ahead log. synchronous=FULL: a commit returns when the log is on disk.
func embedded(o Options) (dialect, error) {
	if err := prepareFile(o.Dir, o.Existing); err != nil {
		return dialect{}, err
	}
	givePages()
	file := "file:" + (&url.URL{Path: filepath.Join(o.Dir, storeFile)}).EscapedPath()
	keeper := &logKeeper{most: cmp.Or(o.LogBytes, logBytes)}
	limit := fmt.Sprintf("&_pragma=journal_size_limit(%d)", keeper.most) // cuts a log that is begun again
	pragmas := fmt.Sprintf("?_pragma=busy_timeout(%d)", patience.Milliseconds()) +
		"&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=temp_store(MEMORY)"
	return dialect{
		driver:        "sqlite",
		name:          "sqlite",
		soleWriter:    true,
		writeDSN:      file + pragmas + cacheSize(writerCache) + "&_pragma=wal_autocheckpoint(32768)" + limit,
		readDSN:       file + pragmas + cacheSize(readerCache) + "&_pragma=query_only(1)",
		readers:       readerConns,
		committers:    1,
		begin:         "BEGIN IMMEDIATE",
		tend:          keeper.tend,
		rowParameters: 11,
		keyParameters: 128,
		text:          sqliteText,
		schema:        sqliteSchema,
		describe:      describeSQLite,
		list:          func(l list) any { return l.json() },
		contended:     func(error) bool { return false }, // there is one writer
		collides:      collidesSQLite,
	}, nil
}

func cacheSize(kib int) string { return fmt.Sprintf("&_pragma=cache_size(-%d)", kib) }

// sqliteSchema keeps tables in the order of their primary keys, which SQLite does not by itself but for a single key of
// the type INTEGER (64 bits there, as BIGINT): other keys would be an index beside a table in the order of insertion.
func sqliteSchema(text string) string {
	text = strings.ReplaceAll(text, "BIGINT PRIMARY KEY", "INTEGER PRIMARY KEY")
	return severalKeys.ReplaceAllString(text, "$0 WITHOUT ROWID")
}

// onlyMark begins a line of a migration that says of the statement behind it to which database it belongs.
const onlyMark = "--only "

// statements cuts a migration's text into the statements that belong to this database.
func (d *dialect) statements(text string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for statement := range statementsOf(text) {
			_, mark, found := strings.Cut(statement, onlyMark)
			only, _, _ := strings.Cut(mark, "\n")
			if found && strings.TrimSpace(only) != d.name {
				continue
			}
			if !yield(statement) {
				return
			}
		}
	}
}

// severalKeys ends a table whose primary key has several columns.
var severalKeys = regexp.MustCompile(`PRIMARY KEY \([^)]+\)\n\)`)

const describeSQLite = `SELECT 'column ' || t.name || '.' || c.name || ' ' ||
		CASE lower(c.type) WHEN 'integer' THEN 'bigint' ELSE lower(c.type) END ||
		CASE WHEN c."notnull" = 1 OR c.pk > 0 THEN '' ELSE ' or null' END
	FROM sqlite_schema t JOIN pragma_table_info(t.name) c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite\_%' ESCAPE '\'
UNION ALL SELECT CASE i."unique" WHEN 1 THEN 'unique-index ' ELSE 'index ' END || t.name || '.' || i.name
	FROM sqlite_schema t JOIN pragma_index_list(t.name) i WHERE t.type = 'table' AND i.origin = 'c'
ORDER BY 1`

const describePostgres = `SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type ||
		CASE is_nullable WHEN 'NO' THEN '' ELSE ' or null' END
	FROM information_schema.columns WHERE table_schema = current_schema()
UNION ALL SELECT CASE WHEN i.indisunique THEN 'unique-index ' ELSE 'index ' END || t.relname || '.' || c.relname
	FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
	JOIN pg_namespace n ON n.oid = t.relnamespace
	WHERE n.nspname = current_schema() AND NOT i.indisprimary
ORDER BY 1`

func collidesSQLite(err error) bool {
	var failure *sqlite.Error
	if !errors.As(err, &failure) {
		return false
	}
	switch failure.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID:
		return true
	default:
		return false
	}
}

// listParameter is where a statement's text wants a list.
var listParameter = regexp.MustCompile(`IN \((\$[0-9]+)\.\.\.\)`)

func sqliteText(text string) string {
	return unnumbered(listParameter.ReplaceAllString(text, "IN (SELECT value FROM json_each($1))"))
}

func postgresText(text string) string { return listParameter.ReplaceAllString(text, "= ANY($1)") }

// bind gives the arguments the form in which the driver takes them.
func (d *dialect) bind(args []any) []any {
	bound := args
	for i, arg := range args {
		l, ok := arg.(list)
		if !ok {
			continue
		}
		if &bound[0] == &args[0] {
			bound = slices.Clone(args)
		}
		bound[i] = d.list(l)
	}
	return bound
}

// unnumbered writes the parameters $1, $2, … of a statement as plain question marks, if they stand in that order. The
// SQLite driver looks for a numbered parameter's value by comparing the name with every argument's number, and for a
// plain one by comparing positions: with many rows in one statement that was the difference between 3,400 and 12,700
// messages a second. It looks among all arguments in both cases, and SQLite keeps a journal of its own for a statement
// that writes several rows; so rowParameters lets few rows into one statement, and 12,700 became 15,000.
func unnumbered(text string) string {
	var b strings.Builder
	n := 0
	for i := 0; i < len(text); i++ {
		if text[i] != '$' {
			b.WriteByte(text[i])
			continue
		}
		end := i + 1
		for end < len(text) && text[end] >= '0' && text[end] <= '9' {
			end++
		}
		if n++; text[i+1:end] != strconv.Itoa(n) {
			return text
		}
		b.WriteByte('?')
		i = end - 1
	}
	return b.String()
}

// postgres runs two committers: while one waits for its disk the other prepares, and rows are locked in one order.
func postgres(address string) (dialect, error) {
	writer, err := pgx.ParseConfig(address)
	if err != nil {
		return dialect{}, fmt.Errorf("database address: %w", err)
	}
	writer.AfterConnect = waitForDisk
	return dialect{
		driver: "pgx", name: "postgres", writeDSN: stdlib.RegisterConnConfig(writer), readDSN: address,
		readers: 16, committers: 2,
		begin:         "BEGIN ISOLATION LEVEL READ COMMITTED",
		snapshot:      sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true},
		rowParameters: 5000,
		keyParameters: 5000,
		text:          postgresText,
		schema:        func(text string) string { return text },
		describe:      describePostgres,
		list:          postgresList,
		contended:     func(err error) bool { return postgresCode(err, "40001", "40P01") }, // serialization, deadlock
		collides:      func(err error) bool { return postgresCode(err, "23505") },
	}, nil
}

// waitForDisk corrects a session that would call a commit done before it is on disk, as a database's or a role's
// synchronous_commit may ask for. Choices that wait for more than that stay.
func waitForDisk(ctx context.Context, conn *pgconn.PgConn) error {
	_, err := conn.Exec(ctx, `SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`).ReadAll()
	if err != nil {
		return fmt.Errorf("have commits wait for the disk: %w", err)
	}
	return nil
}

func postgresCode(err error, codes ...string) bool {
	var failure *pgconn.PgError
	return errors.As(err, &failure) && slices.Contains(codes, failure.Code)
}

func postgresList(l list) any {
	if l.texts != nil {
		return l.texts
	}
	return l.ints
}
