package store_test

import (
	"bytes"
	"errors"
	"io"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/magpie-im/magpie/internal/file/store"
)

// stores are both, each empty: a folder, and a bucket of a server that speaks S3.
func stores(t *testing.T) map[string]store.Store {
	t.Helper()
	disk, err := store.OpenDisk(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	backend := s3mem.New()
	if err := backend.CreateBucket("files"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(server.Close)
	at, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	s3, err := store.OpenS3(t.Context(), "s3+http://key:secret@"+at.Host+"/files/of/magpie?region=us-east-1", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.OpenS3(t.Context(), "s3+http://key:secret@"+at.Host+"/none?region=us-east-1", t.TempDir()); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("a bucket that is not there: %v", err)
	}
	t.Cleanup(s3.Close)
	return map[string]store.Store{"disk": disk, "S3": s3}
}

func keep(t *testing.T, s store.Store, name string, all []byte) {
	t.Helper()
	path := filepath.Join(s.Incoming(), "1.part")
	if err := os.WriteFile(path, all, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Keep(t.Context(), name, path); err != nil {
		t.Fatal(err)
	}
}

// Both stores do the same.
func TestStores(t *testing.T) {
	for kind, s := range stores(t) {
		t.Run(kind, func(t *testing.T) {
			large := bytes.Repeat([]byte("0123456789abcdef"), (1<<20)+999) // two parts
			names := []string{"ab12", "ab34", "c056"}
			for i, name := range names {
				keep(t, s, name, large[i:len(large)-i])
			}
			for i, name := range names {
				o, err := s.Open(t.Context(), name)
				if err != nil {
					t.Fatal(err)
				}
				if end, err := o.Seek(0, io.SeekEnd); end != int64(len(large)-2*i) || err != nil {
					t.Errorf("%s ends at %d, %v", name, end, err)
				}
				if _, err := o.Seek(100, io.SeekStart); err != nil {
					t.Fatal(err)
				}
				if got, err := io.ReadAll(o); !bytes.Equal(got, large[i+100:len(large)-i]) || err != nil {
					t.Errorf("%s has %d bytes, %v", name, len(got), err)
				}
				_ = o.Close()
			}
			for after, want := range map[string][]string{"": names[:2], "ab12": names[1:], "ab3": names[1:], "c056": nil, "d": nil} {
				if got, err := s.List(t.Context(), after, 2); !slices.Equal(got, want) || err != nil {
					t.Errorf("behind %q are %q, %v, want %q", after, got, err, want)
				}
			}
			for range 2 {
				if err := s.Remove(t.Context(), "ab34"); err != nil {
					t.Errorf("remove: %v", err)
				}
			}
			if _, err := s.Open(t.Context(), "ab34"); !errors.Is(err, store.ErrNoObject) {
				t.Errorf("what was removed: %v", err)
			}
			for _, name := range []string{"", "ab", "../ab", "ab/cd", "AB12", "..12", "ab.12", strings.Repeat("a", 129)} {
				if _, err := s.Open(t.Context(), name); !errors.Is(err, store.ErrNoObject) {
					t.Errorf("%q: %v", name, err)
				}
				if err := s.Remove(t.Context(), name); err == nil {
					t.Errorf("%q is removed", name)
				}
				if err := s.Keep(t.Context(), name, "nowhere"); err == nil {
					t.Errorf("%q is kept", name)
				}
			}
		})
	}
}

func TestAddressesOfBuckets(t *testing.T) {
	for text, good := range map[string]bool{
		"s3://key:secret@s3.example.com/files": true, "s3://s3.example.com/files/a/b?region=eu": true, "s3+http://k:s@127.0.0.1:9000/b": true,
		"s3://key:secret@s3.example.com": false, "s3://key:secret@s3.example.com/": false, "s3:///files": false, "s3://%zz": false, "http://x/y": false,
	} {
		err := store.ValidS3(text)
		if (err == nil) != good || err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", text, err)
		}
	}
	if store.IsS3("/var/files") || !store.IsS3("s3+http://x/y") {
		t.Error("a folder is taken for a bucket, or the other way round")
	}
}
