package account_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/magpie-im/magpie/magpietest"
)

// The stories of this room go through the doors of a whole server, once on each database.

type (
	// M is a JSON object.
	M = magpietest.M
	// Server is a running Magpie.
	Server = magpietest.Server
)

const login = "im_open_login_svc/"

// story runs a scenario in which alice and bob have accounts.
func story(t *testing.T, tell func(t *testing.T, s *Server)) {
	t.Helper()
	magpietest.Shared(t, func(t *testing.T, s *Server) {
		s.Import(t, "alice", "bob")
		tell(t, s)
	})
}

// profile reads an account's nick and avatar; "-" stands for an account that does not exist.
func profile(t *testing.T, s *Server, userID string) (nick, faceURL string) {
	t.Helper()
	var reply struct {
		UserProfileItem []struct {
			ResultCode  int
			ProfileItem []struct {
				Tag   string
				Value json.RawMessage
			}
		}
	}
	s.MustREST(t, "profile/portrait_get", M{
		"To_Account": []string{userID}, "TagList": []string{"Tag_Profile_IM_Nick", "Tag_Profile_IM_Image"},
	}, &reply)
	if reply.UserProfileItem[0].ResultCode != 0 {
		return "-", "-"
	}
	for _, item := range reply.UserProfileItem[0].ProfileItem {
		var value string
		if err := json.Unmarshal(item.Value, &value); err != nil {
			t.Fatal(err)
		}
		if item.Tag == "Tag_Profile_IM_Nick" {
			nick = value
		} else {
			faceURL = value
		}
	}
	return nick, faceURL
}

func wantProfile(t *testing.T, s *Server, userID, nick, faceURL string) {
	t.Helper()
	if n, f := profile(t, s, userID); n != nick || f != faceURL {
		t.Errorf("%s is %q with the avatar %q, want %q with %q", userID, n, f, nick, faceURL)
	}
}

// result is an item of what account_delete and account_check answer.
type result struct {
	UserID        string
	ResultCode    int
	ResultInfo    string
	AccountStatus string
}

// items calls account_delete or account_check.
func items(t *testing.T, s *Server, command, list string, users ...string) []result {
	t.Helper()
	named := []M{}
	for _, user := range users {
		named = append(named, M{"UserID": user})
	}
	var reply struct{ ResultItem []result }
	s.MustREST(t, login+command, M{list: named}, &reply)
	return reply.ResultItem
}

func exists(t *testing.T, s *Server, userID string) bool {
	t.Helper()
	return items(t, s, "account_check", "CheckItem", userID)[0].AccountStatus == "Imported"
}

// wantStatus waits for an account's status: a device that is lost is noticed a moment later.
func wantStatus(t *testing.T, s *Server, userID, want string) {
	t.Helper()
	magpietest.Eventually(t, userID+" is "+want, func() bool {
		var reply struct{ QueryResult []struct{ Status string } }
		s.MustREST(t, "openim/query_online_status", M{"To_Account": []string{userID}}, &reply)
		return reply.QueryResult[0].Status == want
	})
}

// nextSig is a signature of the clock's next second: the interface counts times in whole ones, and what was ended in a
// second is not certain for the signatures of that second.
func nextSig(t *testing.T, s *Server, userID string) string {
	t.Helper()
	return s.UserSigAt(t, userID, time.Now().Add(time.Second), time.Hour)
}
