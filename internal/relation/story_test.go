package relation_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// The stories of this room are told about alice, bob, carol and dave, who have accounts; nobody has not. They go through the
// doors of a whole server, once on each database.

type (
	// M is a JSON object.
	M = magpietest.M
	// Server is a running Magpie.
	Server = magpietest.Server
	// Conn is a client's connection.
	Conn = magpietest.Conn
)

// story runs a scenario in which the four have accounts.
func story(t *testing.T, tell func(t *testing.T, s *Server)) {
	t.Helper()
	magpietest.Shared(t, func(t *testing.T, s *Server) {
		s.Import(t, "alice", "bob", "carol", "dave")
		tell(t, s)
	})
}

// pushed is one change of lists as devices are told it.
type pushed struct {
	PushType  int
	From      string   `json:"From_Account"`
	Added     []string `json:"FriendAdd_Account"`
	Removed   []string `json:"FriendDel_Account"`
	Gone      []string `json:"FrienPencydDel_Account"`
	Blocked   []string `json:"BlackListAdd_Account"`
	Unblocked []string `json:"BlackListDel_Account"`
	Requests  []struct {
		Account string `json:"PendencyAdd_Account"`
		Nick    string `json:"ProfileImNick"`
		Wording string `json:"AddWording"`
		Kind    string `json:"PendencyType"`
	} `json:"PendencyAdd"`
	ReportTime int64
	Changed    []struct {
		Friend string `json:"Friend_Account"`
		Sns    []struct {
			Tag   string
			Value json.RawMessage `json:"ValueBytes"`
		}
	} `json:"FriendUpInfo"`
}

// lines tells a change: "1 bob", "3 alice asks: bob (hi, Pendency_Type_SendOut)".
func (p *pushed) lines() (lines []string) {
	for _, name := range slices.Concat(p.Added, p.Removed, p.Blocked, p.Unblocked) {
		lines = append(lines, fmt.Sprintf("%d %s", p.PushType, name))
	}
	for _, one := range p.Requests {
		lines = append(lines, fmt.Sprintf("%d %s asks: %s (%s, %s)", p.PushType, p.From, one.Account, one.Wording, one.Kind))
	}
	for _, name := range p.Gone {
		lines = append(lines, fmt.Sprintf("%d %s asked: %s", p.PushType, p.From, name))
	}
	if p.ReportTime != 0 {
		lines = append(lines, fmt.Sprintf("%d read", p.PushType))
	}
	for _, one := range p.Changed {
		for _, field := range one.Sns {
			lines = append(lines, fmt.Sprintf("%d %s: %s=%s", p.PushType, one.Friend, field.Tag, field.Value))
		}
	}
	return lines
}

// hears compares what a client was pushed since the last look with these lines.
func hears(t *testing.T, c *Conn, want ...string) {
	t.Helper()
	var got []string
	for _, p := range c.Pushes(t) {
		var body struct {
			Lists   []pushed   `json:"FriendListMod"`
			Follows []followed `json:"FollowChangeList"`
		}
		if err := json.Unmarshal(p.Raw, &body); err != nil {
			t.Fatal(err)
		}
		for i := range body.Lists {
			got = append(got, body.Lists[i].lines()...)
		}
		for i := range body.Follows {
			got = append(got, body.Follows[i].lines()...)
		}
		if len(body.Lists)+len(body.Follows) == 0 {
			got = append(got, p.String())
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s hears %q, want %q", c.UserID, got, want)
	}
}

// followed is a change of who follows whom as devices are told it.
type followed struct {
	From string                            `json:"From_Account"`
	Nick string                            `json:"NickName"`
	Diff []struct{ IsAdd, FollowType int } `json:"FollowDiffList"`
}

func (f *followed) lines() (lines []string) {
	for _, one := range f.Diff {
		lines = append(lines, fmt.Sprintf("%s (%s) %d %d", f.From, f.Nick, one.FollowType, one.IsAdd))
	}
	return lines
}

// results are what became of each account that a call named.
type results struct {
	Results []struct {
		To   string `json:"To_Account"`
		Code int    `json:"ResultCode"`
		Info string `json:"ResultInfo"`
	} `json:"ResultItem"`
	Failed []string `json:"Fail_Account"`
}

// String tells them in a line: "bob 0, carol 30539".
func (r *results) String() string {
	var lines []string
	for _, one := range r.Results {
		lines = append(lines, fmt.Sprintf("%s %d", one.To, one.Code))
	}
	return strings.Join(lines, ", ")
}

// comes calls by REST as a back end, and compares what became of the accounts.
func comes(t *testing.T, s *Server, command string, body M, want string) {
	t.Helper()
	var got results
	s.MustREST(t, command, body, &got)
	if got.String() != want {
		t.Errorf("%s %v gives %s, want %s", command, body, &got, want)
	}
}

// does calls as a client, and compares what became of the accounts.
func does(t *testing.T, c *Conn, command string, body M, want string) {
	t.Helper()
	var got results
	c.MustCall(t, command, body, &got)
	if got.String() != want {
		t.Errorf("%s %v gives %s, want %s", command, body, &got, want)
	}
}

// asking is a body of friend_add.
func asking(from string, names ...string) M {
	list := []M{}
	for _, name := range names {
		list = append(list, M{"To_Account": name, "AddSource": "AddSource_Type_Web", "AddWording": "hi"})
	}
	return M{"From_Account": from, "AddFriendItem": list}
}

// allows has an account say what it says to those who add it.
func allows(t *testing.T, s *Server, userID, kind string) {
	t.Helper()
	s.MustREST(t, "profile/portrait_set", M{
		"From_Account": userID, "ProfileItem": []M{{"Tag": "Tag_Profile_IM_AllowType", "Value": "AllowType_Type_" + kind}},
	}, nil)
}

// friendOf is a friend as it is read.
type friendOf struct {
	To        string `json:"To_Account"`
	ValueItem []struct {
		Tag   string
		Value json.RawMessage
	}
}

func (f *friendOf) value(tag string) string {
	for _, one := range f.ValueItem {
		if one.Tag == tag {
			return string(one.Value)
		}
	}
	return ""
}

type friendPage struct {
	Friends          []friendOf `json:"UserDataItem"`
	StandardSequence int64
	CustomSequence   int64
	FriendNum        int
	CompleteFlag     int
	NextStartIndex   int64
}

// friends reads the list of an account.
func friends(t *testing.T, s *Server, userID string) (page friendPage) {
	t.Helper()
	s.MustREST(t, "sns/friend_get", M{"From_Account": userID, "StartIndex": 0}, &page)
	return page
}

// has compares an account's friends, and whether their number is right.
func has(t *testing.T, s *Server, userID string, want ...string) {
	t.Helper()
	page := friends(t, s, userID)
	var got []string
	for _, one := range page.Friends {
		got = append(got, one.To)
	}
	if !slices.Equal(got, want) || page.FriendNum != len(want) || page.CompleteFlag != 1 {
		t.Errorf("%s has %q (%d), want %q", userID, got, page.FriendNum, want)
	}
}
