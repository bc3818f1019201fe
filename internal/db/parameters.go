package db

import (
	"encoding/json"
	"strconv"
	"strings"
)

// list is a parameter that stands for many values: see Ints and Texts.
type list struct {
	ints  []int64
	texts []string
}

// Ints is the argument for a list of numbers, which a statement's text names with three dots: one statement, whatever
// their number.
//
//	db.Each(ctx, from, visit, `SELECT id, nick FROM account WHERE app_id = $1 AND id IN ($2...)`, app, db.Ints(ids))
//
// An empty list matches nothing. The caller bounds its length. Only IN knows the dots, not NOT IN, and only for a
// column of the type BIGINT; keys of several columns want KeyChunks.
func Ints[T ~int64](values []T) any {
	l := list{ints: make([]int64, len(values))}
	for i, v := range values {
		l.ints[i] = int64(v)
	}
	return l
}

// Texts is Ints for a column of the type TEXT.
func Texts[T ~string](values []T) any {
	l := list{texts: make([]string, len(values))}
	for i, v := range values {
		l.texts[i] = string(v)
	}
	return l
}

// json writes the list as a JSON array.
func (l list) json() string {
	if l.texts != nil {
		text, _ := json.Marshal(l.texts) // texts always have a JSON form
		return string(text)
	}
	text := []byte{'['}
	for i, n := range l.ints {
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendInt(text, n, 10)
	}
	return string(append(text, ']'))
}

// Parameters writes the list of n parameters that starts at $first: "$3,$4,$5".
func Parameters(first, n int) string {
	var b strings.Builder
	writeParameters(&b, first, n, "")
	return b.String()
}

func writeParameters(b *strings.Builder, first, n int, cast string) {
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		number := strconv.Itoa(first + i)
		if cast != "" {
			b.WriteString("CAST($" + number + " AS " + cast + ")")
		} else {
			b.WriteString("$" + number)
		}
	}
}

// Chunks cuts values into runs that one statement may well write, when each value takes width parameters: the sizes are
// powers of two, so that the number of distinct statement texts stays small. On SQLite they are short, because there a
// statement that writes many rows is slower than many statements. Statements that read use Ints, Texts or KeyChunks.
func Chunks[T any](on Source, width int, values []T, run func(chunk []T) error) error {
	most := on.dialect().rowParameters / width
	for len(values) > 0 {
		n := 1
		for n*2 <= min(len(values), most) {
			n *= 2
		}
		if err := run(values[:n]); err != nil {
			return err
		}
		values = values[n:]
	}
	return nil
}

// KeyChunks cuts keys of several columns into runs that one statement may well look up, when each key takes width
// parameters. A run's size is a power of two; the last run is filled up with its last key, which is harmless in IN.
//
//	db.KeyChunks(from, 2, pairs, func(chunk []pair) error {
//		… // args: two for each of the chunk
//		return db.Each(ctx, from, visit,
//			`SELECT id, low_id, high_id FROM chat WHERE (low_id, high_id) IN (VALUES `+db.Rows(len(chunk), 2, true)+`)`, args...)
//	})
//
// The number of statements grows with the keys, by one for some dozens of them on SQLite. So KeyChunks is for commits,
// which know nothing but the keys; a read of one account's rows names the account and uses Ints.
func KeyChunks[T any](on Source, width int, keys []T, run func(chunk []T) error) error {
	most := 1
	for most*2*width <= on.dialect().keyParameters {
		most *= 2
	}
	for len(keys) > most {
		if err := run(keys[:most]); err != nil {
			return err
		}
		keys = keys[most:]
	}
	if len(keys) == 0 {
		return nil
	}
	return run(filled(keys))
}

// filled repeats the last value until the number of values is a power of two.
func filled[T any](values []T) []T {
	n := 1
	for n < len(values) {
		n *= 2
	}
	full := make([]T, n)
	for i := copy(full, values); i < n; i++ {
		full[i] = values[len(values)-1]
	}
	return full
}

// Rows writes n rows of parameters, "($1,$2),($3,$4)", for VALUES. When typed is true those of the first row are cast to
// BIGINT, which PostgreSQL needs where no column gives the type.
func Rows(n, width int, typed bool) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('(')
		cast := ""
		if typed && i == 0 {
			cast = "BIGINT"
		}
		writeParameters(&b, 1+i*width, width, cast)
		b.WriteByte(')')
	}
	return b.String()
}

// RowsOf writes n rows for VALUES by the template of one: each ? in it becomes a parameter, and all other text stays.
// So a column that has the same value in every row costs no argument: "(?,0,?)" becomes "($1,0,$2),($3,0,$4)".
func RowsOf(n int, template string) string {
	var b strings.Builder
	number := 0
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		for _, c := range []byte(template) {
			if c != '?' {
				b.WriteByte(c)
				continue
			}
			number++
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(number))
		}
	}
	return b.String()
}
