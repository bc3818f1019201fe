package file_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"io"
	"math/rand/v2"
	"net/http"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// The kinds of files by their numbers.
const (
	image1 = 1
	video  = 2
	sound  = 3
	other  = 255
)

// ticket is what a client is given to upload by.
type ticket struct {
	Upload   string `json:"upload_url"`
	Download string `json:"download_url"`
	Large    string `json:"large_url"`
	Thumb    string `json:"thumb_url"`
	Cover    string `json:"snapshot_url"`
	Expires  int64  `json:"expired_time"`
}

func ask(t testing.TB, c *magpietest.Conn, kind int, name string) ticket {
	t.Helper()
	var got ticket
	c.MustCall(t, "im_cos_msg.pre_sig", magpietest.M{"file_type": kind, "file_name": name, "upload_method": 0, "Duration": 900}, &got)
	return got
}

// answer is what the door says to one request.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// do makes one request of the door.
func do(t testing.TB, method, address string, body io.Reader, headers ...string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, address, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	all, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, all}
}

// upload has a client upload bytes, which must succeed, and gives the addresses.
func upload(t testing.TB, c *magpietest.Conn, kind int, name string, bytesOf []byte) ticket {
	t.Helper()
	to := ask(t, c, kind, name)
	if got := put(t, to.Upload, bytesOf); got != http.StatusOK {
		t.Fatalf("upload of %s: status %d", name, got)
	}
	return to
}

func put(t testing.TB, address string, body []byte) int {
	t.Helper()
	return do(t, http.MethodPut, address, bytes.NewReader(body)).status
}

// get downloads, and wants a status.
func get(t testing.TB, address string, status int, headers ...string) answer {
	t.Helper()
	got := do(t, http.MethodGet, address, nil, headers...)
	if got.status != status {
		t.Fatalf("GET %s: status %d (%.80s), want %d", address, got.status, got.body, status)
	}
	return got
}

// noise is bytes that no other test has, the same for one seed.
func noise(seed uint64, size int) []byte {
	from := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), 77})
	all := make([]byte, size)
	_, _ = from.Read(all)
	return all
}

// painted is a picture in the format PNG. The seed makes it another one.
func painted(t testing.TB, width, height int, seed uint8) []byte {
	t.Helper()
	canvas := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			canvas.SetNRGBA(x, y, color.NRGBA{uint8(x), uint8(y), seed, 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, canvas); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
