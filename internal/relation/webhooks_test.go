package relation_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// told is what this room tells a back end.
type told struct {
	ClientCmd string
	Admin     string `json:"Admin_Account"`
	ForceFlag int
	EventTime int64
	PairList  []struct {
		From      string `json:"From_Account"`
		To        string `json:"To_Account"`
		Initiator string `json:"Initiator_Account"`
	}
}

func (b *told) pairs() (lines []string) {
	for _, one := range b.PairList {
		lines = append(lines, fmt.Sprintf("%s %s %s", one.From, one.To, one.Initiator))
	}
	return lines
}

// hearsOf compares the pairs of the callbacks of a command until now.
func hearsOf(t *testing.T, end *magpietest.BackEnd, command string, want ...[]string) (last told) {
	t.Helper()
	for i, c := range end.Gets(t, command, len(want)) {
		last = told{}
		c.Into(t, &last)
		if got := last.pairs(); !slices.Equal(got, want[i]) || last.EventTime == 0 {
			t.Errorf("%s %d tells of %q, want %q", command, i, got, want[i])
		}
	}
	return last
}

// The back end decides on each new friend and on each answer, and is told of who came and went.
func TestFriendCallbacks(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		end := s.BackEnd(t, "Sns.CallbackPrevFriendAdd,Sns.CallbackPrevFriendResponse,Sns.CallbackFriendAdd,Sns.CallbackFriendDelete")
		end.Says(`{"ActionStatus":"OK","ErrorCode":0,"ResultItem":[{"To_Account":"carol","ResultCode":38001,"ResultInfo":"not her"}]}`)
		alice, bob := s.Login(t, "alice"), s.Login(t, "bob")
		does(t, alice, "sns.friend_add", asking("", "bob", "carol", "nobody"), "bob 0, carol 38001, nobody 30003")
		var asked struct {
			Requester string `json:"Requester_Account"`
			From      string `json:"From_Account"`
			AddType   string
			Friends   []M `json:"FriendItem"`
		}
		end.Gets(t, "Sns.CallbackPrevFriendAdd", 1)[0].Into(t, &asked)
		if asked.Requester != "alice" || asked.From != "alice" || asked.AddType != "Add_Type_Both" || len(asked.Friends) != 2 {
			t.Errorf("it is asked %+v", asked)
		}
		if last := hearsOf(t, end, "Sns.CallbackFriendAdd", []string{"alice bob alice", "bob alice alice"}); last.ClientCmd != "friend_add" || last.Admin != "" {
			t.Errorf("it is told %+v", last)
		}
		comes(t, s, "sns/friend_delete", M{"From_Account": "alice", "To_Account": []string{"bob"}, "DeleteType": "Delete_Type_Both"}, "bob 0")
		hearsOf(t, end, "Sns.CallbackFriendDelete", []string{"alice bob ", "bob alice "})

		allows(t, s, "bob", "NeedConfirm")
		does(t, alice, "sns.friend_add", asking("", "bob"), "bob 30539")
		end.Says(`{"ErrorCode":0,"ResultItem":[{"To_Account":"alice","ResultCode":38002,"ResultInfo":"not now"}]}`)
		agree := M{"ResponseFriendItem": []M{{"To_Account": "alice", "ResponseAction": "Response_Action_AgreeAndAdd"}}}
		does(t, bob, "sns.friend_response", agree, "alice 38002")
		end.Says(`{"ErrorCode":0}`)
		does(t, bob, "sns.friend_response", agree, "alice 0")
		if last := hearsOf(t, end, "Sns.CallbackFriendAdd", []string{"alice bob alice", "bob alice alice"}, []string{"bob alice alice", "alice bob alice"}); last.ClientCmd != "friend_response" {
			t.Errorf("it is told %+v", last)
		}
		comes(t, s, "sns/friend_import", M{"From_Account": "carol", "AddFriendItem": []M{{"To_Account": "bob", "AddSource": "AddSource_Type_Web"}}}, "bob 0")
		comes(t, s, "sns/friend_add", magpietest.With(asking("dave", "bob"), M{"ForceAddFlags": 1, "AddType": "Add_Type_Single"}), "bob 0")
		last := hearsOf(t, end, "Sns.CallbackFriendAdd", []string{"alice bob alice", "bob alice alice"}, []string{"bob alice alice", "alice bob alice"}, []string{"dave bob dave"})
		if last.Admin != "administrator" || last.ForceFlag != 1 {
			t.Errorf("it is told %+v", last)
		}
	})
}
