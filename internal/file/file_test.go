package file_test

import (
	"bytes"
	"fmt"
	"image"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/magpie-im/magpie/magpietest"
)

// What a client uploads, whoever has the address downloads byte for byte.
func TestUploadAndDownload(t *testing.T) {
	magpietest.Shared(t, func(t *testing.T, s *magpietest.Server) {
		alice := s.Login(t, "alice")
		for _, row := range []struct {
			name        string
			kind        int
			body        []byte
			found, disp string
		}{
			{"a.txt", other, []byte("hello"), "text/plain", "attachment"},
			{"empty.bin", other, nil, "text/plain", "attachment"},
			{"one.bin", other, []byte{0}, "application/octet-stream", "attachment"},
			{"page.html", other, []byte("<html><script>alert(1)</script>"), "application/octet-stream", "attachment"},
			{"picture.svg", other, []byte(`<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>`), "application/octet-stream", "attachment"},
			{"picture.txt", image1, painted(t, 40, 30, 1), "image/png", "inline"},
			{"photo.heic", image1, append([]byte("\x00\x00\x00\x18ftypheic"), noise(1, 99)...), "image/heic", "inline"},
			{"voice.m4a", sound, append([]byte("\x00\x00\x00\x18ftypM4A "), noise(2, 99)...), "audio/mp4", "inline"},
			{"voice.amr", sound, append([]byte("#!AMR\n"), noise(3, 99)...), "audio/amr", "inline"},
			{"film.mp4", video, append([]byte("\x00\x00\x00\x18ftypisom"), noise(4, 3<<20)...), "video/mp4", "inline"},
		} {
			to := upload(t, alice, row.kind, row.name, row.body)
			got := get(t, to.Download, http.StatusOK)
			if !bytes.Equal(got.body, row.body) {
				t.Errorf("%s: %d bytes came back of %d", row.name, len(got.body), len(row.body))
			}
			if !strings.HasSuffix(to.Download, "/"+row.name) {
				t.Errorf("%s: its address is %s", row.name, to.Download)
			}
			for name, want := range map[string]string{
				"Content-Type": row.found, "Content-Disposition": row.disp + `; filename="` + row.name + `"`,
				"X-Content-Type-Options": "nosniff", "Access-Control-Allow-Origin": "*", "Accept-Ranges": "bytes",
				"Content-Length": fmt.Sprint(len(row.body)),
			} {
				if got.header.Get(name) != want {
					t.Errorf("%s: %s is %q, want %q", row.name, name, got.header.Get(name), want)
				}
			}
		}
	})
}

// A part of a file, or nothing of one that has not changed, is given as HTTP has it.
func TestPartsAndRevalidation(t *testing.T) {
	magpietest.Shared(t, func(t *testing.T, s *magpietest.Server) {
		all := noise(5, 100_000)
		to := upload(t, s.Login(t, "alice"), other, "a.bin", all)
		whole := get(t, to.Download, http.StatusOK)
		part := get(t, to.Download, http.StatusPartialContent, "Range", "bytes=10-19")
		if !bytes.Equal(part.body, all[10:20]) || part.header.Get("Content-Range") != "bytes 10-19/100000" {
			t.Errorf("a part: %q of %q", part.header.Get("Content-Range"), part.body)
		}
		if tail := get(t, to.Download, http.StatusPartialContent, "Range", "bytes=-7"); !bytes.Equal(tail.body, all[len(all)-7:]) {
			t.Errorf("the end: %d bytes", len(tail.body))
		}
		get(t, to.Download, http.StatusRequestedRangeNotSatisfiable, "Range", "bytes=100000-")
		get(t, to.Download, http.StatusNotModified, "If-None-Match", whole.header.Get("ETag"))
		if head := do(t, http.MethodHead, to.Download, nil); head.status != http.StatusOK || head.header.Get("Content-Length") != "100000" || len(head.body) != 0 {
			t.Errorf("HEAD: %+v", head)
		}
	})
}

// A page of another origin may upload and read: the browser asks first.
func TestPreflight(t *testing.T) {
	s := magpietest.Enter(t)
	to := ask(t, s.Login(t, "alice"), other, "a.txt")
	got := do(t, http.MethodOptions, to.Upload, nil, "Origin", "https://app.example", "Access-Control-Request-Method", "PUT",
		"Access-Control-Request-Headers", "content-type")
	if got.status != http.StatusNoContent || got.header.Get("Access-Control-Allow-Origin") != "*" ||
		!strings.Contains(got.header.Get("Access-Control-Allow-Methods"), "PUT") ||
		!strings.Contains(got.header.Get("Access-Control-Allow-Headers"), "Content-Type") {
		t.Errorf("preflight: %+v", got)
	}
}

// Clients without the means for a PUT send a form, with the file behind a few other fields.
func TestUploadByForm(t *testing.T) {
	magpietest.Shared(t, func(t *testing.T, s *magpietest.Server) {
		alice := s.Login(t, "alice")
		to := ask(t, alice, other, "a.txt")
		form := func(name string, fields ...string) (*bytes.Buffer, string) {
			body := &bytes.Buffer{}
			w := multipart.NewWriter(body)
			for _, field := range fields {
				_ = w.WriteField(field, "x")
			}
			part, _ := w.CreateFormFile(name, "whatever")
			_, _ = part.Write([]byte("in a form"))
			_ = w.Close()
			return body, w.FormDataContentType()
		}
		body, kind := form("picture", "key")
		if got := do(t, http.MethodPost, to.Upload, body, "Content-Type", kind); got.status != http.StatusBadRequest {
			t.Errorf("a form without a file: %d", got.status)
		}
		body, kind = form("file", "1", "2", "3", "4", "5", "6", "7", "8")
		if got := do(t, http.MethodPost, to.Upload, body, "Content-Type", kind); got.status != http.StatusBadRequest {
			t.Errorf("a form with many fields: %d", got.status)
		}
		body, kind = form("file", "key", "success_action_status", "Content-Type")
		cut := bytes.NewReader(body.Bytes()[:body.Len()-10])
		if got := do(t, http.MethodPost, to.Upload, cut, "Content-Type", kind); got.status != http.StatusBadRequest {
			t.Errorf("a form that ends early: %d", got.status)
		}
		get(t, to.Download, http.StatusNotFound)
		if got := do(t, http.MethodPost, to.Upload, body, "Content-Type", kind); got.status != http.StatusOK {
			t.Fatalf("a form: %d %s", got.status, got.body)
		}
		if got := get(t, to.Download, http.StatusOK); string(got.body) != "in a form" {
			t.Errorf("what came in a form: %q", got.body)
		}
		if got := do(t, http.MethodPost, to.Upload, strings.NewReader("{}"), "Content-Type", "application/json"); got.status != http.StatusUnsupportedMediaType {
			t.Errorf("no form: %d", got.status)
		}
	})
}

// An upload that is sent again is the same file; another one at its address is refused.
func TestUploadAgain(t *testing.T) {
	magpietest.Shared(t, func(t *testing.T, s *magpietest.Server) {
		alice := s.Login(t, "alice")
		to := upload(t, alice, other, "a.txt", []byte("mine"))
		for body, want := range map[string]int{"mine": http.StatusOK, "other": http.StatusConflict} {
			if got := put(t, to.Upload, []byte(body)); got != want {
				t.Errorf("%q at the same address: status %d, want %d", body, got, want)
			}
		}
		if got := get(t, to.Download, http.StatusOK); string(got.body) != "mine" {
			t.Errorf("the file is %q", got.body)
		}
	})
}

// The client with proxies of its own asks by another command, which gives it the same.
func TestSimpleTicket(t *testing.T) {
	magpietest.Shared(t, func(t *testing.T, s *magpietest.Server) {
		alice := s.Login(t, "alice")
		var got struct {
			Tickets []struct {
				ID       int64  `json:"uint32_file_id"`
				Exists   int    `json:"uint32_exist_flag"`
				Upload   string `json:"str_upload_url"`
				Download string `json:"str_download_url"`
			} `json:"rpt_pre_sig"`
			FinalIP string `json:"str_final_ip"`
		}
		ask := magpietest.M{"uint32_upload_method": 0, "rpt_upload_object": []magpietest.M{
			{"uint32_file_id": 1, "uint32_file_type": image1, "str_file_name": "a.png"},
			{"uint32_file_id": 2, "uint32_file_type": other, "str_file_name": "b.txt"},
		}}
		alice.MustCall(t, "im_cos_msg.simple_sig", ask, &got)
		if len(got.Tickets) != 2 || got.Tickets[1].ID != 2 || got.FinalIP != "" || got.Tickets[0].Exists != 0 {
			t.Fatalf("tickets: %+v", got)
		}
		picture := painted(t, 1000, 500, 2)
		if status := put(t, got.Tickets[0].Upload, picture); status != http.StatusOK {
			t.Fatalf("upload: %d", status)
		}
		var info struct {
			Images []struct {
				Size   int    `json:"uint32_image_type"`
				URL    string `json:"str_url"`
				Width  int    `json:"uint32_width"`
				Height int    `json:"uint32_height"`
				Format string `json:"str_image_format"`
			} `json:"rpt_msg_image_info"`
		}
		alice.MustCall(t, "im_cos_msg.get_imageinfo", magpietest.M{"str_image_url": got.Tickets[0].Download}, &info)
		if len(info.Images) != 3 {
			t.Fatalf("infos: %+v", info)
		}
		for i, want := range []struct{ size, width, height int }{{1, 396, 198}, {2, 1000, 500}, {3, 1000, 500}} {
			one := info.Images[i]
			if one.Size != want.size || one.Width != want.width || one.Height != want.height || one.Format != "png" {
				t.Errorf("size %d: %+v, want %+v", i, one, want)
			}
			get(t, one.URL, http.StatusOK)
		}
	})
}

// What is asked for wrongly gets a code.
func TestTicketRefusals(t *testing.T) {
	magpietest.Shared(t, func(t *testing.T, s *magpietest.Server) {
		alice := s.Login(t, "alice")
		own := upload(t, alice, other, "a.txt", []byte("x"))
		foreign := "http://im.example/file/1400000009/" + strings.Repeat("A", 56) + "/a.txt"
		for _, row := range []struct {
			command string
			body    any
		}{
			{"pre_sig", magpietest.M{"file_type": 7, "file_name": "a"}},
			{"pre_sig", magpietest.M{"file_type": -1, "file_name": "a"}},
			{"pre_sig", magpietest.M{"file_type": 257, "file_name": "a"}},
			{"pre_sig", magpietest.M{}},
			{"pre_sig", `{"file_type":"x"}`},
			{"simple_sig", magpietest.M{"rpt_upload_object": []any{}}},
			{"simple_sig", magpietest.M{"rpt_upload_object": make([]magpietest.M, 21)}},
			{"get_imageinfo", magpietest.M{"str_image_url": "https://elsewhere.example/a.png"}},
			{"get_imageinfo", magpietest.M{"str_image_url": foreign}},
			{"get_imageinfo", magpietest.M{"str_image_url": own.Upload}},
			{"get_imageinfo", magpietest.M{"str_image_url": ask(t, alice, image1, "never.png").Download}},
		} {
			if e := alice.Call(t, "im_cos_msg."+row.command, row.body, nil); e.ErrorCode != 70402 || e.ErrorInfo == "" {
				t.Errorf("%s of %v: %+v", row.command, row.body, e)
			}
		}
	})
}

// A name is not believed: whatever it is, the address ends in letters that mean nothing in a path or a header.
func TestNames(t *testing.T) {
	s := magpietest.Enter(t)
	alice := s.Login(t, "alice")
	for name, want := range map[string]string{
		"../../etc/passwd": "....etcpasswd", "a b\r\nX: y.txt": "abXy.txt", "": "file", "..": "file", "文件.pdf": ".pdf",
		strings.Repeat("n", 300) + ".png": strings.Repeat("n", 96) + ".png",
	} {
		to := upload(t, alice, other, name, []byte("x"))
		if !strings.HasSuffix(to.Download, "/"+want) {
			t.Errorf("%q: address %s, want the end %s", name, to.Download, want)
		}
		get(t, to.Download, http.StatusOK)
	}
}

// Addresses are of the host that the client came by; behind a proxy that ends TLS, of its scheme.
func TestAddressesNameTheHost(t *testing.T) {
	s := magpietest.Enter(t)
	if to := ask(t, s.Login(t, "alice"), other, "a.txt"); !strings.HasPrefix(to.Download, s.URL+"/file/") {
		t.Errorf("the address is %s", to.Download)
	}
}

func TestFilesURL(t *testing.T) {
	t.Parallel()
	s := magpietest.Start(t, magpietest.Set(t, "files-url", "https://im.example.com/"))
	to := ask(t, s.Login(t, "alice"), other, "a.txt")
	if !strings.HasPrefix(to.Upload, "https://im.example.com/file/") || !strings.HasPrefix(to.Download, "https://im.example.com/file/") {
		t.Errorf("the addresses are %s and %s", to.Upload, to.Download)
	}
}

// A file outlives its server, and its address does.
func TestRestart(t *testing.T) {
	magpietest.Scenario(t, func(t *testing.T, s *magpietest.Server) {
		all := noise(6, 1<<20)
		to := upload(t, s.Login(t, "alice"), other, "a.bin", all)
		s.Restart(t)
		if got := get(t, to.Download, http.StatusOK); !bytes.Equal(got.body, all) {
			t.Errorf("%d bytes came back", len(got.body))
		}
	})
}

// An address to upload to is good for a quarter of an hour; the one in messages for as long as the file is kept.
func TestExpiry(t *testing.T) {
	magpietest.Scenario(t, func(t *testing.T, s *magpietest.Server) {
		alice := s.Login(t, "alice")
		kept, late := upload(t, alice, other, "a.txt", []byte("x")), ask(t, alice, other, "b.txt")
		if want := s.Now().Add(15 * time.Minute).Unix(); late.Expires != want {
			t.Errorf("expires at %d, want %d", late.Expires, want)
		}
		s.Pass(t, 15*time.Minute)
		if got := put(t, late.Upload, []byte("y")); got != http.StatusForbidden {
			t.Errorf("an upload that comes too late: %d", got)
		}
		s.Pass(t, 24*time.Hour)
		get(t, kept.Download, http.StatusOK)
	}, magpietest.Timed())
}

// A film has a picture, because clients do not send one without it.
func TestCover(t *testing.T) {
	magpietest.Shared(t, func(t *testing.T, s *magpietest.Server) {
		alice := s.Login(t, "alice")
		to := upload(t, alice, video, "a.mp4", append([]byte("\x00\x00\x00\x18ftypisom"), noise(9, 99)...))
		var got struct {
			Download string `json:"download_url"`
			Code     int    `json:"error_code"`
		}
		alice.MustCall(t, "im_cos_msg.video_cover", magpietest.M{"version": 1, "cover_name": "x", "snapshot_url": to.Cover}, &got)
		answer := get(t, got.Download, http.StatusOK)
		if config, kind, err := image.DecodeConfig(bytes.NewReader(answer.body)); err != nil || kind != "png" || config.Width != 320 || got.Code != 0 {
			t.Errorf("the cover is %s %+v (%v), the code %d", kind, config, err, got.Code)
		}
		if e := alice.Call(t, "im_cos_msg.video_cover", magpietest.M{"snapshot_url": "https://elsewhere.example/"}, nil); e.ErrorCode != 70402 {
			t.Errorf("a cover of elsewhere: %+v", e)
		}
	})
}
