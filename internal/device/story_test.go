package device_test

import (
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// The stories of this room go through the doors of a whole server, once on each database.

type (
	// M is a JSON object.
	M = magpietest.M
	// Server is a running Magpie.
	Server = magpietest.Server
)

// story runs a scenario in which alice and bob have accounts.
func story(t *testing.T, tell func(t *testing.T, s *Server)) {
	t.Helper()
	magpietest.Shared(t, func(t *testing.T, s *Server) {
		s.Import(t, "alice", "bob")
		tell(t, s)
	})
}

func exists(t *testing.T, s *Server, userID string) bool {
	t.Helper()
	var reply struct {
		ResultItem []struct{ AccountStatus string }
	}
	s.MustREST(t, "im_open_login_svc/account_check", M{"CheckItem": []M{{"UserID": userID}}}, &reply)
	return reply.ResultItem[0].AccountStatus == "Imported"
}

// The platforms that a client may state.
const (
	windows, android, iPhone, mac, web, wechat, iPad = 1, 2, 3, 4, 7, 8, 13
)
