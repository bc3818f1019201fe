package presence_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// The platforms that a client may state.
const (
	windows, android, iPhone, mac, web, wechat, iPad = 1, 2, 3, 4, 7, 8, 13
)

// status is an item of what query_online_status answers.
type status struct {
	To     string `json:"To_Account"`
	Status string
	Detail []struct{ Platform, Status string }
}

type statusReply struct {
	QueryResult []status
	ErrorList   []struct {
		To   string `json:"To_Account"`
		Code int    `json:"ErrorCode"`
	}
}

// statusOf asks for the status of one account, with its platforms.
func statusOf(t *testing.T, s *Server, userID string) status {
	t.Helper()
	var reply statusReply
	s.MustREST(t, "openim/query_online_status", M{"To_Account": []string{userID}, "IsNeedDetail": 1}, &reply)
	return reply.QueryResult[0]
}

// wantStatus waits for a status: a device that is lost is noticed a moment later.
func wantStatus(t *testing.T, s *Server, userID, want string) {
	t.Helper()
	magpietest.Eventually(t, userID+" is "+want, func() bool { return statusOf(t, s, userID).Status == want })
}

// Online while a connection lives; a phone that lost its connection can be reached by push, anything else cannot.
func TestOnlineStatus(t *testing.T) {
	for _, row := range []struct {
		platform   int
		name       string
		afterwards string
	}{
		{web, "Web", "Offline"}, {wechat, "Web", "Offline"}, {android, "Android", "PushOnline"}, {iPhone, "iPhone", "PushOnline"},
		{iPad, "iPad", "PushOnline"}, {mac, "Mac", "Offline"}, {windows, "PC", "Offline"}, {0, "Web", "Offline"},
	} {
		t.Run(fmt.Sprintf("platform %d", row.platform), func(t *testing.T) {
			story(t, func(t *testing.T, s *Server) {
				wantStatus(t, s, "alice", "Offline")
				device := s.Login(t, "alice", magpietest.Platform(row.platform))
				if got := fmt.Sprint(statusOf(t, s, "alice")); got != "{alice Online [{"+row.name+" Online}]}" {
					t.Errorf("online: %s", got)
				}
				device.Close()
				wantStatus(t, s, "alice", row.afterwards)
				// A device that comes back is online again; one that logs out is gone.
				back := s.Connect(t, magpietest.Platform(row.platform))
				if e := back.Resume(t, "alice", device.Session); e.ErrorCode != 0 {
					t.Fatalf("come back: %+v", e)
				}
				wantStatus(t, s, "alice", "Online")
				back.MustCall(t, "im_open_status.wslogout", M{"wslogout_type": 0}, nil)
				wantStatus(t, s, "alice", "Offline")
				if detail := statusOf(t, s, "alice").Detail; len(detail) != 0 {
					t.Errorf("after the logout: %v", detail)
				}
			})
		})
	}
}

// Several devices: online when one of them is, each platform with its own state.
func TestOnlineStatusOfSeveralDevices(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		browser, phone := s.Login(t, "alice", magpietest.Platform(web)), s.Login(t, "alice", magpietest.Platform(android))
		if got := fmt.Sprint(statusOf(t, s, "alice")); got != "{alice Online [{Android Online} {Web Online}]}" {
			t.Errorf("both: %s", got)
		}
		phone.Close()
		magpietest.Eventually(t, "the phone is noticed to be lost", func() bool {
			return fmt.Sprint(statusOf(t, s, "alice")) == "{alice Online [{Android PushOnline} {Web Online}]}"
		})
		browser.Close()
		wantStatus(t, s, "alice", "PushOnline")
	})
}

// The answer names everybody who was asked for, in order; unknown ones in a list of their own.
func TestOnlineStatusReply(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		s.Login(t, "bob")
		var reply statusReply
		s.MustREST(t, "openim/query_online_status", M{"To_Account": []string{"nobody", "bob", "alice", "bob"}}, &reply)
		if got := fmt.Sprint(reply.QueryResult); got != "[{bob Online []} {alice Offline []} {bob Online []}]" {
			t.Errorf("QueryResult is %s", got)
		}
		if got := fmt.Sprint(reply.ErrorList); got != "[{nobody 70107}]" {
			t.Errorf("ErrorList is %s", got)
		}
		for _, one := range reply.QueryResult {
			if one.Detail != nil {
				t.Errorf("%s comes with details that nobody asked for", one.To)
			}
		}
		// The service's older name of the command.
		s.MustREST(t, "im_open_login_svc/query_online_status", M{"To_Account": []string{"bob"}, "IsNeedDetail": 0}, nil)

		if e := s.REST(t, "openim/query_online_status", M{"To_Account": []string{"nobody", "no one"}}, &reply); e.ErrorCode != 70107 || len(reply.ErrorList) != 2 {
			t.Errorf("all unknown: answered %+v with %v, want 70107 with both", e, reply.ErrorList)
		}
		for name, row := range map[string]struct {
			body any
			code int
		}{
			"nobody named":   {M{}, 90001},
			"an empty list":  {M{"To_Account": []string{}}, 90001},
			"more than 500":  {M{"To_Account": slices.Repeat([]string{"alice"}, 501)}, 90011},
			"text":           {M{"To_Account": "alice"}, 90003},
			"numbers":        {M{"To_Account": []int{1}}, 90003},
			"a wrong detail": {M{"To_Account": []string{"alice"}, "IsNeedDetail": "yes"}, 90010},
			"not JSON":       {`{`, 90001},
		} {
			if e := s.REST(t, "openim/query_online_status", row.body, nil); e.ErrorCode != row.code || e.ActionStatus != "FAIL" {
				t.Errorf("%s: answered %+v, want %d", name, e, row.code)
			}
		}
		s.MustREST(t, "openim/query_online_status", M{"To_Account": slices.Repeat([]string{"alice"}, 500)}, nil)
	})
}

// The newer flags: a custom status for each account, and devices one by one instead of platforms.
func TestOnlineStatusFlags(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		s.Configure(t, "login.web_instances", "2")
		first, second := s.Login(t, "alice"), s.Login(t, "alice")
		phone := s.Login(t, "alice", magpietest.Platform(android))
		say(t, first, "busy")
		type device struct {
			Platform, Status string
			Instid           int64
		}
		var reply struct {
			QueryResult []struct {
				To           string `json:"To_Account"`
				CustomStatus *string
				Detail       []device
			}
		}
		ask := func(flags M) {
			t.Helper()
			reply.QueryResult = nil
			s.MustREST(t, "openim/query_online_status", magpietest.With(M{"To_Account": []string{"alice", "bob"}}, flags), &reply)
		}
		ask(M{"IsReturnCustomStatus": 1})
		for i, want := range []string{"busy", ""} {
			if got := reply.QueryResult[i]; got.CustomStatus == nil || *got.CustomStatus != want || got.Detail != nil {
				t.Errorf("with the custom status: %+v, want %q", got, want)
			}
		}
		ask(M{"IsReturnInstid": 1, "IsNeedDetail": 1})
		ids := []int64{min(first.Session.InstID, second.Session.InstID), max(first.Session.InstID, second.Session.InstID)}
		want := []device{{"Android", "Online", phone.Session.InstID}, {"Web", "Online", ids[0]}, {"Web", "Online", ids[1]}}
		if got := reply.QueryResult[0]; !slices.Equal(got.Detail, want) || got.CustomStatus != nil {
			t.Errorf("with devices: %+v, want %v", got, want)
		}
		ask(M{"IsNeedDetail": 1})
		if got := fmt.Sprint(reply.QueryResult[0].Detail); got != "[{Android Online 0} {Web Online 0}]" {
			t.Errorf("with platforms: %s", got)
		}
	})
}

// After a server is gone nobody is online by it.
func TestOnlineStatusAfterRestart(t *testing.T) {
	magpietest.Scenario(t, func(t *testing.T, s *Server) {
		s.Import(t, "alice", "bob")
		s.Login(t, "alice")
		s.Login(t, "bob", magpietest.Platform(android))
		s.Restart(t)
		wantStatus(t, s, "alice", "Offline")
		wantStatus(t, s, "bob", "PushOnline")
	})
}
