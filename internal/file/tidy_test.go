package file_test

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/magpietest"
)

// A file goes when its time is over, and its bytes when no file has them any more.
func TestRetention(t *testing.T) {
	for name, database := range map[string]func(*testing.T) string{"sqlite": func(*testing.T) string { return "" }, "postgres": func(t *testing.T) string { return dbtest.URL(t) }} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := t.TempDir()
			s := magpietest.Start(t, magpietest.Dir(data), magpietest.Database(database(t)), magpietest.Timed())
			s.Configure(t, "file.keep_days", "1", "file.account_mib", "1")
			alice := s.Login(t, "alice")
			picture := painted(t, 400, 400, 30)
			early, shared := upload(t, alice, image1, "a.png", picture), noise(31, 600<<10)
			get(t, early.Thumb, http.StatusOK)
			first := upload(t, alice, other, "b", shared)
			s.Pass(t, 23*time.Hour)
			again := s.Login(t, "alice")
			second := upload(t, again, image1, "c.png", picture)
			get(t, first.Download, http.StatusOK)
			if lie := files(t, data); len(lie) != 3 {
				t.Errorf("in the folder lie %q", lie)
			}
			s.Pass(t, 2*time.Hour)
			magpietest.Eventually(t, "the bytes of the file that is over are gone", func() bool {
				s.Pass(t, time.Minute)
				return len(files(t, data)) == 2
			})
			get(t, first.Download, http.StatusNotFound)
			get(t, early.Download, http.StatusNotFound)
			get(t, early.Thumb, http.StatusNotFound)
			if got := get(t, second.Download, http.StatusOK); !bytes.Equal(got.body, picture) {
				t.Errorf("the file that others had too has %d bytes", len(got.body))
			}
			upload(t, s.Login(t, "alice"), other, "d", noise(32, 900<<10)) // there is room again
			s.Configure(t, "file.keep_days", "0")
			s.Pass(t, 30*time.Hour)
			get(t, second.Download, http.StatusOK)
		})
	}
}

// What uploads have left that did not end is removed when it is old, and nothing else.
func TestOrphans(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := magpietest.Start(t, magpietest.Dir(data), magpietest.Timed())
	kept := upload(t, s.Login(t, "alice"), other, "a", []byte("stays"))
	root := filepath.Join(data, "files")
	lay := func(name string) string {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("left"), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	object := func(age time.Duration) string {
		digest := strings.Repeat("ab", 32)
		return "ab/" + digest + "-" + strconv.FormatInt(s.Now().Add(-age).UnixMilli(), 36) + "-" + strconv.FormatInt(int64(age), 36)
	}
	young, strange, foreign := lay(object(30*time.Minute)), lay("ab/README"), lay("notes/ab")
	old, part := lay(object(2*time.Hour)), lay("incoming/123.part")
	s.Pass(t, time.Minute)
	magpietest.Eventually(t, "the old object is gone", func() bool {
		s.Pass(t, time.Minute)
		return !slices.Contains(files(t, data), old)
	})
	lie := files(t, data)
	for _, name := range []string{young, strange, foreign, part} {
		if !slices.Contains(lie, name) {
			t.Errorf("%s is gone", name)
		}
	}
	get(t, kept.Download, http.StatusOK)
	s.Restart(t)
	magpietest.Eventually(t, "the part is gone", func() bool { return !slices.Contains(files(t, data), part) })
	get(t, kept.Download, http.StatusOK)
}
