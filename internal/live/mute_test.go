package live_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/magpie-im/magpie/magpietest"
)

// silence keeps bob from speaking in all groups.
func silence(t *testing.T, s *Server, seconds int) {
	t.Helper()
	s.MustREST(t, "openconfigsvr/setnospeaking", M{"Set_Account": "bob", "GroupmsgNospeakingTime": seconds}, nil)
}

// Who is muted in all groups does not speak in live rooms either, also when the mute comes while the back end is asked. A back
// end speaks for him.
func TestMutedInAllGroups(t *testing.T) {
	story(t, func(t *testing.T, s *Server, id string) {
		bob, carol := enters(t, s, "bob", id), enters(t, s, "carol", id)
		silence(t, s, 100)
		if got := bob.Call(t, groups+"send_group_msg", says(id, "muted", 1, "Normal"), nil).ErrorCode; got != 10017 {
			t.Errorf("a muted account speaks with the code %d", got)
		}
		silence(t, s, 0)
		back := s.BackEnd(t, asksBefore)
		back.Answer(func(*magpietest.Callback) (int, string) {
			silence(t, s, 100)
			return http.StatusOK, `{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}`
		})
		if got := bob.Call(t, groups+"send_group_msg", says(id, "muted meanwhile", 2, "Normal"), nil).ErrorCode; got != 10017 {
			t.Errorf("an account that is muted while the back end is asked speaks with the code %d", got)
		}
		say(t, carol, says(id, "not muted", 3, "Normal"))
		s.Pass(t, time.Second)
		carol.Next(t, "what is said", func(f *magpietest.Frame) bool {
			if contains(f, "muted meanwhile") {
				t.Error("a muted account was heard")
			}
			return contains(f, "not muted")
		})
	})
}
