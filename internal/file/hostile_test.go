package file_test

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// files lists what lies in the folder of a server's files, as paths inside of it.
func files(t testing.TB, data string) []string {
	t.Helper()
	root := filepath.Join(data, "files")
	if _, err := os.Stat(root); err != nil {
		root = filepath.Join(data, "incoming")
	}
	var found []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			name, _ := filepath.Rel(root, path)
			found = append(found, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// Equal files lie on the disk once, whoever uploaded them.
func TestEqualFilesLieOnce(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := magpietest.Start(t, magpietest.Dir(data))
	other1 := s.App(t, 1400000002, "another-key-of-the-test")
	for i, c := range []*magpietest.Conn{s.Login(t, "alice"), s.Login(t, "bob"), other1.Login(t, "carol")} {
		to := upload(t, c, other, fmt.Sprint(i), []byte("the same"))
		if got := get(t, to.Download, http.StatusOK); string(got.body) != "the same" {
			t.Errorf("upload %d is %q", i, got.body)
		}
	}
	if lie := files(t, data); len(lie) != 1 {
		t.Errorf("in the folder lie %q", lie)
	}
}

// Nobody makes an address up, turns one into another, or uses one of another application.
func TestForgedAddresses(t *testing.T) {
	magpietest.Shared(t, func(t *testing.T, s *magpietest.Server) {
		alice := s.Login(t, "alice")
		to := upload(t, alice, other, "a.txt", []byte("x"))
		at, err := url.Parse(to.Download)
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(at.Path, "/") // "", "file", app, token, name
		path := func(app, token, name string) string { return s.URL + "/file/" + app + "/" + token + "/" + name }
		swap := func(b byte) string {
			if b == 'A' {
				return "B"
			}
			return "A"
		}
		token := parts[3]
		for address, want := range map[string]int{
			path(parts[2], swap(token[0])+token[1:], "a.txt"):                                            http.StatusForbidden,
			path(parts[2], token[:len(token)-2]+swap(token[len(token)-2])+token[len(token)-1:], "a.txt"): http.StatusForbidden,
			path(parts[2], token[:20], "a.txt"):                                                          http.StatusForbidden,
			path(parts[2], token+"AAAA", "a.txt"):                                                        http.StatusForbidden,
			path(parts[2], strings.Repeat("A", 56), "a.txt"):                                             http.StatusForbidden,
			path("1400000001", token, "a.txt"):                                                           http.StatusForbidden,
			path("7", token, "a.txt"):                                                                    http.StatusNotFound,
			path("99999999999999999999", token, "a.txt"):                                                 http.StatusNotFound,
			path("0"+parts[2], token, "a.txt"):                                                           http.StatusNotFound,
			path(parts[2], token, "..%2f..%2fmagpie.db"):                                                 http.StatusNotFound,
			path(parts[2], token, "%2e%2e"):                                                              http.StatusNotFound,
			path(parts[2], token, ""):                                                                    http.StatusNotFound,
			path(parts[2], token, "a.txt/b"):                                                             http.StatusNotFound,
			path(parts[2], token, "a%0d%0ab"):                                                            http.StatusNotFound,
			path(parts[2], token, "b.txt"):                                                               http.StatusOK,
			s.URL + "/file/../magpie.db":                                                                 http.StatusNotFound,
			s.URL + "/file/":                                                                             http.StatusNotFound,
			to.Upload:                                                                                    http.StatusMethodNotAllowed,
		} {
			if got := do(t, http.MethodGet, address, nil); got.status != want {
				t.Errorf("GET %s: status %d, want %d", address, got.status, want)
			}
		}
		if got := put(t, to.Download, []byte("y")); got != http.StatusMethodNotAllowed {
			t.Errorf("an upload to an address for downloads: %d", got)
		}
		if got := do(t, http.MethodDelete, to.Download, nil); got.status != http.StatusMethodNotAllowed {
			t.Errorf("DELETE: %d", got.status)
		}
	})
}

// What is larger than its kind may be is refused, whether it says so or not.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := magpietest.Start(t, magpietest.Dir(data))
	s.Configure(t, "file.image_mib", "1", "file.other_mib", "2")
	alice := s.Login(t, "alice")
	picture := append(painted(t, 10, 10, 3), make([]byte, 1<<20)...)
	if got := put(t, ask(t, alice, image1, "a.png").Upload, picture); got != http.StatusRequestEntityTooLarge {
		t.Errorf("a picture that says how large it is: %d", got)
	}
	silent := struct{ io.Reader }{bytes.NewReader(make([]byte, 4<<20))}
	if got := do(t, http.MethodPut, ask(t, alice, other, "a.bin").Upload, silent); got.status != http.StatusRequestEntityTooLarge {
		t.Errorf("a file that does not: %d", got.status)
	}
	upload(t, alice, other, "a.bin", make([]byte, 2<<20))
	if lie := files(t, data); len(lie) != 1 {
		t.Errorf("in the folder lie %q", lie)
	}
}

// A client's own configuration says how large files may be.
func TestClientsKnowLimits(t *testing.T) {
	t.Parallel()
	s := magpietest.Start(t)
	s.Configure(t, "file.image_mib", "5")
	var got struct {
		Config string `json:"str_json_config"`
	}
	s.Login(t, "alice").MustCall(t, "im_sdk_config_mgr.fetch_config", `{}`, &got)
	if want := `"upload_size_limit":"{\"a\":\"28\",\"f\":\"100\",\"i\":\"5\",\"v\":\"100\"}"`; !strings.Contains(got.Config, want) {
		t.Errorf("the configuration %s has no %s", got.Config, want)
	}
}

// A file is what its bytes say, not its name.
func TestWrongKind(t *testing.T) {
	magpietest.Shared(t, func(t *testing.T, s *magpietest.Server) {
		alice := s.Login(t, "alice")
		for _, row := range []struct {
			kind int
			body string
		}{
			{image1, "a text that is called a picture"}, {image1, "<svg xmlns='http://www.w3.org/2000/svg'/>"}, {image1, "<html>"},
			{image1, ""}, {sound, "plain text"}, {video, "\x89PNG\r\n\x1a\n....."}, {sound, "GIF89a"},
		} {
			to := ask(t, alice, row.kind, "a.png")
			if got := put(t, to.Upload, []byte(row.body)); got != http.StatusUnsupportedMediaType {
				t.Errorf("%q as kind %d: status %d", row.body, row.kind, got)
			}
			get(t, to.Download, http.StatusNotFound)
		}
	})
}

// raw opens a connection and sends the head of an upload with the beginning of its body.
func raw(t testing.TB, s *magpietest.Server, to ticket, length int, body string) net.Conn {
	t.Helper()
	at, err := url.Parse(to.Upload)
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", at.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if _, err := fmt.Fprintf(c, "PUT %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n%s", at.Path, at.Host, length, body); err != nil {
		t.Fatal(err)
	}
	return c
}

// An upload that ends early leaves nothing, and the same address takes the whole file afterwards.
func TestEndsEarly(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := magpietest.Start(t, magpietest.Dir(data))
	to := ask(t, s.Login(t, "alice"), other, "a.txt")
	c := raw(t, s, to, 100, "not all of it")
	magpietest.Eventually(t, "the upload is under way", func() bool { return len(files(t, data)) == 1 })
	_ = c.Close()
	magpietest.Eventually(t, "nothing is left", func() bool { return len(files(t, data)) == 0 })
	get(t, to.Download, http.StatusNotFound)
	if got := put(t, to.Upload, []byte("all of it")); got != http.StatusOK {
		t.Errorf("the whole file: %d", got)
	}
}

// Who sends too slowly gives his connection back.
func TestSlowSender(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := magpietest.Start(t, magpietest.Dir(data), magpietest.Set(t, "file-patience", "100ms"))
	to := ask(t, s.Login(t, "alice"), other, "a.txt")
	c := raw(t, s, to, 100, "slow")
	all, _ := io.ReadAll(c)
	if !strings.HasPrefix(string(all), "HTTP/1.1 408 ") {
		t.Errorf("the answer is %.80q", all)
	}
	if lie := files(t, data); len(lie) != 0 {
		t.Errorf("in the folder lie %q", lie)
	}
}

// Who has as many uploads under way as he may have is told to try again; others go on.
func TestUploadsAtOnce(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := magpietest.Start(t, magpietest.Dir(data), magpietest.Set(t, "max-uploads", "8")) // 2 by address, 1 by account
	alice, bob, carol := s.Login(t, "alice"), s.Login(t, "bob"), s.Login(t, "carol")
	held := raw(t, s, ask(t, alice, other, "a"), 10, "12345")
	magpietest.Eventually(t, "the upload is under way", func() bool { return len(files(t, data)) == 1 })
	again := ask(t, alice, other, "b")
	if got := do(t, http.MethodPut, again.Upload, strings.NewReader("x")); got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" {
		t.Errorf("a second one of the account: %+v", got)
	}
	upload(t, bob, other, "c", []byte("of another account"))
	raw(t, s, ask(t, bob, other, "d"), 10, "12345")
	magpietest.Eventually(t, "two uploads are under way", func() bool { return len(files(t, data)) == 3 })
	if got := put(t, ask(t, carol, other, "e").Upload, []byte("x")); got != http.StatusServiceUnavailable {
		t.Errorf("a third one of the address: %d", got)
	}
	_, _ = held.Write([]byte("67890"))
	magpietest.Eventually(t, "there is room again", func() bool { return put(t, again.Upload, []byte("x")) == http.StatusOK })
}

// An account, and an application, has so much room for files and no more.
func TestRoomForFiles(t *testing.T) {
	magpietest.Scenario(t, func(t *testing.T, s *magpietest.Server) {
		s.Configure(t, "file.account_mib", "1", "file.app_mib", "2")
		alice, bob, carol := s.Login(t, "alice"), s.Login(t, "bob"), s.Login(t, "carol")
		const part = 600 << 10
		upload(t, alice, other, "a", noise(10, part))
		spare := ask(t, alice, other, "b")
		if got := put(t, spare.Upload, noise(11, part)); got != http.StatusInsufficientStorage {
			t.Errorf("what does not fit: %d", got)
		}
		if got := put(t, spare.Upload, noise(12, 1<<20-part)); got != http.StatusOK {
			t.Errorf("what just fits: %d", got)
		}
		if e := alice.Call(t, "im_cos_msg.pre_sig", magpietest.M{"file_type": other, "file_name": "c"}, nil); e.ErrorCode != 70402 || !strings.Contains(e.ErrorInfo, "file.account_mib") {
			t.Errorf("a ticket of a full account: %+v", e)
		}
		upload(t, bob, other, "d", noise(13, part))
		if got := put(t, ask(t, carol, other, "e").Upload, noise(14, part)); got != http.StatusInsufficientStorage {
			t.Errorf("what does not fit the application: %d", got)
		}
		upload(t, carol, other, "f", noise(15, 1<<20-part))
		if e := carol.Call(t, "im_cos_msg.pre_sig", magpietest.M{"file_type": other, "file_name": "g"}, nil); e.ErrorCode != 70402 || !strings.Contains(e.ErrorInfo, "file.app_mib") {
			t.Errorf("a ticket of a full application: %+v", e)
		}
	})
}

// Who was deleted uploads no more; what a disabled application has is not given out.
func TestTakenBack(t *testing.T) {
	magpietest.Scenario(t, func(t *testing.T, s *magpietest.Server) {
		alice := s.Login(t, "alice")
		kept, late := upload(t, alice, other, "a", []byte("x")), ask(t, alice, other, "b")
		s.MustREST(t, "im_open_login_svc/account_delete", magpietest.M{"DeleteItem": []magpietest.M{{"UserID": "alice"}}}, nil)
		if got := put(t, late.Upload, []byte("y")); got != http.StatusForbidden {
			t.Errorf("an upload of who was deleted: %d", got)
		}
		get(t, kept.Download, http.StatusOK)
		s.Disable(t, true)
		get(t, kept.Download, http.StatusNotFound)
		s.Disable(t, false)
		get(t, kept.Download, http.StatusOK)
	})
}
