package file_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/magpie-im/magpie/magpietest"
)

// bucket runs a server that speaks S3, and gives the address of a bucket and what lists the names in it.
func bucket(t *testing.T) (address string, names func() []string) {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("files"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(server.Close)
	return strings.Replace(server.URL, "http://", "s3+http://key:secret@", 1) + "/files/magpie?region=us-east-1", func() []string {
		list, err := backend.ListBucket("files", nil, gofakes3.ListBucketPage{})
		if err != nil {
			t.Fatal(err)
		}
		var found []string
		for _, one := range list.Contents {
			found = append(found, one.Key)
		}
		return found
	}
}

// Files in a bucket are like those on a disk: whole, in parts, smaller, once, and gone when their time is over.
func TestFilesInABucket(t *testing.T) {
	t.Parallel()
	address, names := bucket(t)
	data := t.TempDir()
	s := magpietest.Start(t, magpietest.Dir(data), magpietest.Set(t, "files", address), magpietest.Timed())
	s.Configure(t, "file.keep_days", "1")
	alice := s.Login(t, "alice")
	all, picture := noise(50, 17<<20), painted(t, 400, 400, 50)
	large, small := upload(t, alice, other, "a.bin", all), upload(t, alice, image1, "b.png", picture)
	upload(t, alice, image1, "c.png", picture)
	if got := get(t, large.Download, http.StatusOK); !bytes.Equal(got.body, all) {
		t.Errorf("%d bytes came back", len(got.body))
	}
	if got := get(t, large.Download, http.StatusPartialContent, "Range", "bytes=17000000-17000009"); !bytes.Equal(got.body, all[17000000:17000010]) {
		t.Errorf("a part: %q", got.body)
	}
	if got := sizeOf(t, get(t, small.Thumb, http.StatusOK)); got.X != 198 {
		t.Errorf("the thumbnail is %v", got)
	}
	if lie := names(); len(lie) != 3 || !strings.HasPrefix(lie[0], "magpie/") {
		t.Errorf("in the bucket are %q", lie)
	}
	if lie := files(t, data); len(lie) != 0 {
		t.Errorf("on the disk lie %q", lie)
	}
	s.Restart(t)
	get(t, large.Download, http.StatusOK)
	s.Pass(t, 25*time.Hour)
	magpietest.Eventually(t, "the bucket is empty", func() bool {
		s.Pass(t, time.Minute)
		return len(names()) == 0
	})
	get(t, large.Download, http.StatusNotFound)
}

// Once a file has come whole its sender is waited for no more, however long the bucket takes.
func TestSlowBucket(t *testing.T) {
	t.Parallel()
	backend := s3mem.New()
	if err := backend.CreateBucket("files"); err != nil {
		t.Fatal(err)
	}
	quick := gofakes3.New(backend).Server()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			<-time.After(300 * time.Millisecond)
		}
		quick.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	address := strings.Replace(server.URL, "http://", "s3+http://key:secret@", 1) + "/files?region=us-east-1"
	s := magpietest.Start(t, magpietest.Set(t, "files", address), magpietest.Set(t, "file-patience", "100ms"))
	upload(t, s.Login(t, "alice"), other, "a.txt", []byte("hello"))
}
