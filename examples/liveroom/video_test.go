package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// people are who asks for a stream, by name.
func people(t *testing.T, s *stage) map[string]string {
	t.Helper()
	tickets := map[string]string{"nobody": "", "forger": "eJwrV"}
	owner, _ := s.visit(t, visitor{Code: "open"}, true)
	inside, _ := s.visit(t, visitor{Name: "inside"}, true)
	outside, _ := s.visit(t, visitor{Name: "outside"}, false)
	banned, hers := s.visit(t, visitor{Name: "banned"}, true)
	s.MustREST(t, "group_open_http_svc/ban_group_member",
		object{"GroupId": "liveroom", "Members_Account": []string{banned.UserID}, "Duration": 60}, nil)
	if reply := hers.Call(t, "group_open_http_svc.apply_join_group", object{"GroupId": "liveroom"}, nil); reply.ErrorCode == 0 {
		t.Error("who is banned came in")
	}
	for name, of := range map[string]*session{"owner": owner, "inside": inside, "outside": outside, "banned": banned} {
		tickets[name] = of.Ticket
	}
	return tickets
}

// Requests as MediaMTX and SRS make them, of each kind of person.
func TestHooks(t *testing.T) {
	s := newStage(t, false)
	tickets := people(t, s)
	yes := map[bool]map[string]int{
		true:  {"owner": 200, "inside": 403, "outside": 403, "banned": 403, "nobody": 401, "forger": 401},
		false: {"owner": 200, "inside": 200, "outside": 403, "banned": 403, "nobody": 401, "forger": 401},
	}
	all := func(status int) map[string]int {
		return map[string]int{"owner": status, "inside": status, "outside": status, "banned": status, "nobody": status, "forger": status}
	}
	for _, row := range []struct {
		hook, file string
		want       map[string]int
	}{
		{"/hooks/mediamtx", "mediamtx-publish-whip", yes[true]},
		{"/hooks/mediamtx", "mediamtx-publish-rtmp", yes[true]},
		{"/hooks/mediamtx", "mediamtx-read-whep", yes[false]},
		{"/hooks/mediamtx", "mediamtx-read-hls", yes[false]},
		{"/hooks/mediamtx", "mediamtx-playback", all(403)},
		{"/hooks/srs", "srs-publish", yes[true]},
		{"/hooks/srs", "srs-play", yes[false]},
		{"/hooks/srs", "srs-stop", all(200)},
		{"/hooks/srs", "mediamtx-read-hls", all(403)},
	} {
		request, err := os.ReadFile("testdata/" + row.file + ".json")
		if err != nil {
			t.Fatal(err)
		}
		for name, ticket := range tickets {
			status, said := s.post(t, row.hook, bytes.ReplaceAll(request, []byte("TICKET"), []byte(ticket)))
			if status != row.want[name] || row.hook == "/hooks/srs" && status == 200 && said != `{"code":0}` {
				t.Errorf("%s of %s: %d %s, want %d", row.file, name, status, said, row.want[name])
			}
			elsewhere := bytes.ReplaceAll(bytes.ReplaceAll(request, []byte("TICKET"), []byte(ticket)), []byte(`"liveroom"`), []byte(`"other"`))
			if status, _ := s.post(t, row.hook, elsewhere); status == 200 && row.file != "srs-stop" {
				t.Errorf("%s of %s is good for another room", row.file, name)
			}
		}
	}
}

// Who leaves, and who is owner no more, is answered accordingly at once.
func TestHooksFollowTheRoom(t *testing.T) {
	s := newStage(t, false)
	of, c := s.visit(t, visitor{Name: "Anna"}, true)
	owner, _ := s.visit(t, visitor{Code: "open"}, true)
	hook := func(action string, who *session) int {
		status, _ := s.post(t, "/hooks/mediamtx", object{"action": action, "path": "liveroom", "token": who.Ticket})
		return status
	}
	if hook("read", of) != 200 || hook("publish", owner) != 200 {
		t.Error("refused at first")
	}
	c.MustCall(t, "group_open_http_svc.quit_group", object{"GroupId": "liveroom"}, nil)
	magpietest.Eventually(t, "who left does not watch", func() bool { return hook("read", of) == 403 })
	s.MustREST(t, "group_open_http_svc/destroy_group", object{"GroupId": "liveroom"}, nil)
	if hook("publish", owner) == 200 {
		t.Error("the owner of a room that is gone publishes")
	}
}

func TestLiveKit(t *testing.T) {
	s := newStage(t, false)
	for name, ticket := range people(t, s) {
		var reply struct{ Token string }
		switch name {
		case "owner", "inside":
			s.must(t, "/livekit", object{"ticket": ticket}, &reply)
		case "outside", "banned":
			s.refuses(t, "/livekit", object{"ticket": ticket}, http.StatusForbidden)
			continue
		default:
			s.refuses(t, "/livekit", object{"ticket": ticket}, http.StatusUnauthorized)
			continue
		}
		var claims struct {
			Iss, Sub string
			Nbf, Exp int64
			Video    struct {
				Room                 string
				RoomJoin, CanPublish bool
			}
		}
		text, err := base64.RawURLEncoding.DecodeString(strings.Split(reply.Token, ".")[1])
		if err != nil || json.Unmarshal(text, &claims) != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if claims.Iss != "APIkey" || claims.Exp-claims.Nbf != 300 || claims.Video.Room != "liveroom" || !claims.Video.RoomJoin || claims.Video.CanPublish != (name == "owner") {
			t.Errorf("%s may %s", name, text)
		}
	}
	s.b.options.livekit = ""
	s.refuses(t, "/livekit", object{"ticket": "x"}, http.StatusNotFound)
}

// The token was signed by another program, Python's hmac.
func TestJWT(t *testing.T) {
	const want = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbm5hIn0.ePAOzjeL3tQtrN9P-hvu3n3dpDzO5DYbS8LHhMxFcl4"
	if got := jwt("a secret", object{"sub": "anna"}); got != want {
		t.Errorf("%s", got)
	}
}
