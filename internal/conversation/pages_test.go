package conversation_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// The pages of a long list together are the whole list, in its order, also where all last messages are of one second and some
// conversations are pinned: no conversation stands on two pages or on none.
func TestPagesAreTheWholeList(t *testing.T) {
	magpietest.Shared(t, func(t *testing.T, s *Server) {
		s.Import(t, "alice")
		s.Configure(t, "conversation.recent", "500")
		var peers []string
		for i := range 250 {
			peers = append(peers, fmt.Sprintf("peer%03d", i))
		}
		for some := range slices.Chunk(peers, 100) {
			s.MustREST(t, "im_open_login_svc/multiaccount_import", M{"Accounts": some}, nil)
		}
		shuffled := append(slices.Clone(peers[100:]), peers[:100]...)
		for range 2 { // the second message of each has another order than the chats, and than the peers
			s.MustREST(t, "openim/batchsendmsg", M{"From_Account": "alice", "To_Account": shuffled, "MsgRandom": 1, "MsgBody": magpietest.Text("hi")}, nil)
			slices.Reverse(shuffled)
		}
		s.MustREST(t, "recentcontact/top", pinning("alice", 1, with("peer007"), with("peer200")), nil)
		alice := s.Login(t, "alice")
		var (
			all  []string
			page struct {
				CompleteFlag int
				cursors
				SessionItem []struct {
					To  string `json:"To_Account"`
					Top int    `json:"TopFlags"`
				}
			}
		)
		for pages := 0; page.CompleteFlag == 0; pages++ {
			page.SessionItem = nil
			alice.MustCall(t, "recentcontact.page_get", page.request("alice"), &page)
			for _, one := range page.SessionItem {
				if pinned := one.To == "peer007" || one.To == "peer200"; pinned != (len(all) < 2) || pinned != (one.Top != 0) {
					t.Errorf("%s stands at %d, pinned: %d", one.To, len(all), one.Top)
				}
				all = append(all, one.To)
			}
			if pages > 3 {
				t.Fatal("the list never ends")
			}
		}
		slices.Sort(all)
		if !slices.Equal(all, peers) {
			t.Errorf("the pages have %d conversations, %d different ones", len(all), len(slices.Compact(all)))
		}
	})
}
