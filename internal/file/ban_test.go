package file_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/magpie-im/magpie/magpietest"
)

type inspected struct {
	PreSigURLs []struct {
		Code       int
		Desc       string
		ResourceID int
		PreSigURL  string
		Status     int
	}
}

// A banned file is given to nobody who has its address, until the ban is lifted; its back end looks at it all the same, for a
// quarter of an hour.
func TestBan(t *testing.T) {
	magpietest.Scenario(t, func(t *testing.T, s *magpietest.Server) {
		alice := s.Login(t, "alice")
		bad, good := upload(t, alice, image1, "a.png", painted(t, 300, 300, 40)), upload(t, alice, image1, "b.png", painted(t, 300, 300, 40))
		s.MustREST(t, "im_cos_msg/forbid_illegal_object", magpietest.M{"RawURL": bad.Thumb + "?imageView2/3/w/198/h/198"}, nil)
		for _, address := range []string{bad.Download, bad.Large, bad.Thumb} {
			get(t, address, http.StatusForbidden)
		}
		get(t, good.Download, http.StatusOK)
		var got inspected
		s.MustREST(t, "im_cos_msg/get_cos_sig", magpietest.M{"RawURLs": []magpietest.M{
			{"ResourceID": 1, "RawURL": bad.Download}, {"ResourceID": 2, "RawURL": good.Download},
			{"ResourceID": 3, "RawURL": ask(t, alice, other, "never").Download}, {"ResourceID": 4, "RawURL": "https://elsewhere.example/a.png"},
		}}, &got)
		if len(got.PreSigURLs) != 4 {
			t.Fatalf("the reply is %+v", got)
		}
		for i, want := range []struct {
			status, code int
			url          bool
		}{{1, 0, true}, {0, 0, true}, {2, 0, false}, {2, 70402, false}} {
			one := got.PreSigURLs[i]
			if one.ResourceID != i+1 || one.Status != want.status || one.Code != want.code || (one.PreSigURL != "") != want.url || (one.Desc != "") != (want.code != 0) {
				t.Errorf("file %d: %+v, want %+v", i+1, one, want)
			}
		}
		look := got.PreSigURLs[0].PreSigURL
		get(t, look, http.StatusOK)
		s.MustREST(t, "im_cos_msg/allow_banned_object", magpietest.M{"RawURL": bad.Download}, nil)
		get(t, bad.Thumb, http.StatusOK)
		s.Pass(t, 15*time.Minute)
		get(t, look, http.StatusForbidden)
	}, magpietest.Timed())
}

func TestBanRefusals(t *testing.T) {
	magpietest.Shared(t, func(t *testing.T, s *magpietest.Server) {
		alice := s.Login(t, "alice")
		never, to := ask(t, alice, other, "a"), upload(t, alice, other, "b", []byte("x"))
		for _, command := range []string{"forbid_illegal_object", "allow_banned_object"} {
			for _, address := range []string{"", "x", "https://elsewhere.example/a", never.Download, to.Upload, strings.Repeat("h", 3000)} {
				s.Refuses(t, "im_cos_msg/"+command, magpietest.M{"RawURL": address}, 70402)
			}
		}
		s.Refuses(t, "im_cos_msg/get_cos_sig", magpietest.M{}, 70402)
		s.Refuses(t, "im_cos_msg/get_cos_sig", magpietest.M{"RawURLs": make([]magpietest.M, 101)}, 70402)
		if e := alice.Call(t, "im_cos_msg.forbid_illegal_object", magpietest.M{"RawURL": to.Download}, nil); e.ErrorCode == 0 {
			t.Errorf("a client bans: %+v", e)
		}
		get(t, to.Download, http.StatusOK)
	})
}
