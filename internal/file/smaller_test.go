package file_test

import (
	"bytes"
	"image"
	"image/jpeg"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

func sizeOf(t testing.TB, of answer) image.Point {
	t.Helper()
	config, format, err := image.DecodeConfig(bytes.NewReader(of.body))
	if err != nil || "image/"+format != of.header.Get("Content-Type") {
		t.Fatalf("a picture of type %s is %s, %v", of.header.Get("Content-Type"), format, err)
	}
	return image.Pt(config.Width, config.Height)
}

// An uploaded picture has two smaller ones, at the addresses that came with the ticket and at those that clients make
// themselves.
func TestSmallerPictures(t *testing.T) {
	magpietest.Shared(t, func(t *testing.T, s *magpietest.Server) {
		alice := s.Login(t, "alice")
		to := upload(t, alice, image1, "a.png", painted(t, 1600, 1200, 7))
		for address, want := range map[string]image.Point{
			to.Download: {1600, 1200}, to.Large: {960, 720}, to.Thumb: {264, 198},
			to.Download + "?imageView2/3/w/198/h/198": {264, 198}, to.Download + "?imageView2/3/w/720/h/720": {960, 720},
			to.Download + "?imageView2/3/w/7/h/7": {1600, 1200},
		} {
			if got := sizeOf(t, get(t, address, http.StatusOK)); got != want {
				t.Errorf("%s is %v, want %v", address, got, want)
			}
		}
		one, other := get(t, to.Thumb, http.StatusOK), get(t, to.Large, http.StatusOK)
		if one.header.Get("ETag") == other.header.Get("ETag") {
			t.Errorf("both have the tag %s", one.header.Get("ETag"))
		}
		get(t, to.Thumb, http.StatusNotModified, "If-None-Match", one.header.Get("ETag"))
	})
}

// Many who ask at once have one made.
func TestSmallerPictureIsMadeOnce(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := magpietest.Start(t, magpietest.Dir(data))
	to := upload(t, s.Login(t, "alice"), image1, "a.png", painted(t, 600, 600, 8))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if got := do(t, http.MethodGet, to.Thumb, nil); got.status != http.StatusOK {
				t.Errorf("status %d", got.status)
			}
		})
	}
	all.Wait()
	if lie := files(t, data); len(lie) != 2 {
		t.Errorf("in the folder lie %q", lie)
	}
}

// What is not made smaller is given as it is: small, moving, of a format that is not read, or too large to be read.
func TestPicturesThatStay(t *testing.T) {
	magpietest.Shared(t, func(t *testing.T, s *magpietest.Server) {
		alice := s.Login(t, "alice")
		var photo bytes.Buffer
		_ = jpeg.Encode(&photo, image.NewGray(image.Rect(0, 0, 100, 100)), nil)
		bomb := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x00\x00\xea\x60\x00\x00\xea\x60\x08\x06\x00\x00\x00\x18\x8d\x72\x5b")
		for name, raw := range map[string][]byte{
			"small.jpg": photo.Bytes(), "moving.gif": append([]byte("GIF89a\x58\x02\x58\x02\x80\x00\x00\x00\x00\x00\xff\xff\xff"), noise(20, 999)...),
			"photo.heic": append([]byte("\x00\x00\x00\x18ftypheic"), noise(21, 999)...), "bomb.png": append(bomb, noise(22, 99)...),
		} {
			to := upload(t, alice, image1, name, raw)
			for _, address := range []string{to.Thumb, to.Large, to.Thumb} {
				if got := get(t, address, http.StatusOK); !bytes.Equal(got.body, raw) || !strings.HasPrefix(got.header.Get("Content-Type"), "image/") {
					t.Errorf("%s: %d bytes of %d, %s", name, len(got.body), len(raw), got.header.Get("Content-Type"))
				}
			}
		}
	})
}
