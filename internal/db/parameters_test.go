package db_test

import (
	"errors"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"testing"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/db/dbtest"
)

type named int64

// Whatever the number of values, a list is one argument of one statement; in the store, in a snapshot and in a
// transaction, where rows are read and where they are written.
func TestLists(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		d := open(t, o)
		values := []named{math.MinInt64, -1, 0, 1}
		for n := range 600 {
			values = append(values, named(n+10))
		}
		values = append(values, math.MaxInt64)
		err := d.Write(t.Context(), func(tx *db.Tx) error {
			for _, n := range values {
				if err := state(tx, int(n)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		const query = `SELECT n FROM fact WHERE said = $1 AND n IN ($2...) ORDER BY n`
		before := d.Statements()
		for n := 0; n <= len(values); n += 55 {
			got, err := db.All(t.Context(), d, db.Number, query, 0, db.Ints(append([]named{5, 5}, values[:n]...)))
			if err != nil || !slices.EqualFunc(got, values[:n], func(x int64, y named) bool { return x == int64(y) }) {
				t.Fatalf("%d values: %v (%v)", n, got, err)
			}
		}
		if more := d.Statements() - before; more != 1 {
			t.Errorf("lists of all lengths took %d prepared statements, want one", more)
		}
		if none, err := db.All(t.Context(), d, db.Number, query, 0, db.Ints[named](nil)); err != nil || len(none) != 0 {
			t.Errorf("an empty list: %v (%v), want nothing", none, err)
		}
		err = d.InSnapshot(t.Context(), func(from *db.Snapshot) error {
			got, err := db.All(t.Context(), from, db.Number, query, 0, db.Ints(values[1:3]))
			if !slices.Equal(got, []int64{-1, 0}) {
				t.Errorf("in a snapshot: %v", got)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
		var said []int64
		err = d.Write(t.Context(), func(tx *db.Tx) error {
			changed, err := tx.Exec(`DELETE FROM fact WHERE n IN ($1...) AND said IN ($2...)`, db.Ints(values[4:604]), db.Ints([]int64{0}))
			if err != nil || changed != 600 {
				t.Errorf("%d rows changed (%v), want 600", changed, err)
			}
			return tx.Returning(func(row db.Scanner) error {
				n, err := db.Number(row)
				said = append(said, n)
				return err
			}, `UPDATE fact SET said = 1 WHERE n IN ($1...) RETURNING n`, db.Ints(values[3:4]))
		})
		if err != nil || !slices.Equal(said, []int64{1}) {
			t.Errorf("returned %v (%v), want 1", said, err)
		}
	})
}

func TestListOfTexts(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		d := dbtest.Open(t, o)
		texts := []string{"", "a", `"\'`, "{}", "{a,b}", "NULL", "<&>", "喜鹊\u2028😀", "17", "é"}
		err := d.Write(t.Context(), func(tx *db.Tx) error {
			_, err := tx.Exec(`CREATE TABLE word (w TEXT PRIMARY KEY)`)
			for _, text := range texts {
				_, one := tx.Exec(`INSERT INTO word (w) VALUES ($1)`, text)
				err = errors.Join(err, one)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range texts {
			got, err := db.All(t.Context(), d, db.Text, `SELECT w FROM word WHERE w IN ($1...)`, db.Texts([]string{text, text + "?"}))
			if err != nil || !slices.Equal(got, []string{text}) {
				t.Errorf("%q is found as %q (%v)", text, got, err)
			}
		}
		all, err := db.All(t.Context(), d, db.Text, `SELECT w FROM word WHERE w IN ($1...)`, db.Texts(texts))
		none, err2 := db.All(t.Context(), d, db.Text, `SELECT w FROM word WHERE w IN ($1...)`, db.Texts([]string{}))
		if err != nil || err2 != nil || len(all) != len(texts) || len(none) != 0 {
			t.Errorf("%d of all and %d of none are found (%v, %v)", len(all), len(none), err, err2)
		}
	})
}

// Whatever the number of values, Chunks gives each once, in order, in runs of few different sizes that fit a statement.
func TestChunks(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		d := dbtest.Open(t, o)
		for _, width := range []int{1, 2, 19} {
			for n := range 700 {
				values := numbers(n)
				var all []int
				err := db.Chunks(d, width, values, func(chunk []int) error {
					if fits := len(chunk) == 1 || len(chunk)*width <= d.MostParameters(); !fits || bits.OnesCount(uint(len(chunk))) != 1 {
						t.Fatalf("%d values of width %d: a run of %d", n, width, len(chunk))
					}
					all = append(all, chunk...)
					return nil
				})
				if err != nil || !slices.Equal(all, values) {
					t.Fatalf("%d values of width %d came out as %v (%v)", n, width, all, err)
				}
			}
		}
		calls := 0
		err := db.Chunks(d, 1, []int{1, 2, 3}, func([]int) error { calls++; return errRefused })
		if !errors.Is(err, errRefused) || calls != 1 {
			t.Errorf("a run that refuses: %d calls, %v", calls, err)
		}
		// Wider than a statement may well be: one at a time.
		err = db.Chunks(d, d.MostParameters()+1, []int{1, 2}, func(chunk []int) error {
			if len(chunk) != 1 {
				t.Errorf("a run of %d", len(chunk))
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}

// KeyChunks gives each key, in order, and the last one as often as it takes to fill a run of few different sizes.
func TestKeyChunks(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, o db.Options) {
		d := dbtest.Open(t, o)
		for _, width := range []int{1, 4, 7, 6000} {
			for n := range 300 {
				keys := numbers(n)
				var all []int
				runs := 0
				err := db.KeyChunks(d, width, keys, func(chunk []int) error {
					if fits := len(chunk) == 1 || len(chunk)*width <= d.MostKeyParameters(); !fits || bits.OnesCount(uint(len(chunk))) != 1 {
						t.Fatalf("%d keys of width %d: a run of %d", n, width, len(chunk))
					}
					runs++
					all = append(all, chunk...)
					return nil
				})
				if err != nil || len(all) < n || !slices.Equal(slices.Compact(all), keys) {
					t.Fatalf("%d keys of width %d came out as %v (%v)", n, width, all, err)
				}
				if most := 2*n*width/d.MostKeyParameters() + 1; width < 100 && runs > most {
					t.Fatalf("%d keys of width %d: %d runs, want at most %d", n, width, runs, most)
				}
			}
		}
		calls := 0
		err := db.KeyChunks(d, 4, numbers(2000), func([]int) error { calls++; return errRefused })
		if !errors.Is(err, errRefused) || calls != 1 {
			t.Errorf("a run that refuses: %d calls, %v", calls, err)
		}
	})
}

func numbers(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

func TestParameters(t *testing.T) {
	for _, row := range []struct{ got, want string }{
		{db.Parameters(3, 3), "$3,$4,$5"},
		{db.Parameters(1, 0), ""},
		{db.Rows(2, 2, false), "($1,$2),($3,$4)"},
		{db.Rows(2, 2, true), "(CAST($1 AS BIGINT),CAST($2 AS BIGINT)),($3,$4)"},
	} {
		if row.got != row.want {
			t.Errorf("got %q, want %q", row.got, row.want)
		}
	}
}

// What many ids cost to read by one statement.
func BenchmarkReadMany(b *testing.B) {
	both(b, func(b *testing.B, o db.Options) {
		d := open(b, o)
		ids := numbers(500)
		err := d.Write(b.Context(), func(tx *db.Tx) error {
			for _, n := range ids {
				if err := state(tx, n); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
		list := make([]int64, len(ids))
		for i, n := range ids {
			list[i] = int64(n)
		}
		for _, n := range []int{1, 10, 100, 500} {
			b.Run(strconv.Itoa(n), func(b *testing.B) {
				for b.Loop() {
					got, err := db.All(b.Context(), d, db.Number, `SELECT n FROM fact WHERE n IN ($1...)`, db.Ints(list[:n]))
					if err != nil || len(got) != n {
						b.Fatal(len(got), err)
					}
				}
			})
		}
	})
}

// The parameters of rows by a template are numbered through all rows.
func TestRowsOf(t *testing.T) {
	for _, row := range []struct {
		n              int
		template, want string
	}{
		{1, "(?,0,?)", "($1,0,$2)"},
		{3, "(?,'',?)", "($1,'',$2),($3,'',$4),($5,'',$6)"},
		{2, "(1)", "(1),(1)"},
	} {
		if got := db.RowsOf(row.n, row.template); got != row.want {
			t.Errorf("%d rows of %s: %s, want %s", row.n, row.template, got, row.want)
		}
	}
}
