package relation_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/magpietest"
)

// many imports accounts f0, f1, … and makes them friends of alice.
func many(t *testing.T, s *Server, count int) {
	t.Helper()
	list := []M{}
	for i := range count {
		list = append(list, M{"UserID": fmt.Sprintf("f%d", i), "Nick": "friend"})
	}
	for some := range slices.Chunk(list, 100) {
		s.MustREST(t, "im_open_login_svc/multiaccount_import", M{"AccountList": some}, nil)
	}
	for some := range slices.Chunk(list, 1000) {
		friends := []M{}
		for _, one := range some {
			friends = append(friends, M{"To_Account": one["UserID"], "AddSource": "AddSource_Type_Web", "Remark": one["UserID"]})
		}
		s.MustREST(t, "sns/friend_import", M{"From_Account": "alice", "AddFriendItem": friends}, nil)
	}
}

// What a login asks of friends costs a fixed number of statements for each page, however many friends there are, and the pages
// bring each friend once.
func TestStatementsDoNotCountFriends(t *testing.T) {
	var faults dbtest.Faults
	s := magpietest.Start(t, magpietest.Faulty(&faults))
	s.Import(t, "alice")
	alice := s.Login(t, "alice")
	read := func() (names []string, statements []int) {
		page, start := friendPage{}, M{"StartIndex": 0, "StandardSequence": 0, "CustomSequence": 0}
		for page.CompleteFlag == 0 {
			faults.Seen()
			page = friendPage{}
			alice.MustCall(t, "sns.friend_get", start, &page)
			statements = append(statements, faults.Seen("FROM friend", "FROM relation", "FROM profile", "FROM account"))
			for _, one := range page.Friends {
				names = append(names, one.To)
				if one.value("Tag_SNS_IM_Remark") != `"`+one.To+`"` {
					t.Fatalf("%s has no remark: %+v", one.To, one)
				}
			}
			// The client brings the sequences of one page along to the next, and gets it all the same.
			start = M{"StartIndex": page.NextStartIndex, "StandardSequence": page.StandardSequence, "CustomSequence": page.CustomSequence}
		}
		return names, statements
	}
	many(t, s, 3)
	read() // what is read once only, as the sender's account
	few, statements := read()
	if len(few) != 3 || len(statements) != 1 {
		t.Fatalf("%d friends come in %d pages", len(few), len(statements))
	}
	usual := statements[0]
	many(t, s, 1100)
	all, statements := read()
	slices.Sort(all)
	if len(slices.Compact(all)) != 1100 || len(statements) != 3 {
		t.Errorf("%d friends come in %d pages, want 1100 in 3", len(all), len(statements))
	}
	for _, n := range statements {
		if n != usual || n > 8 {
			t.Errorf("a page takes %v statements, want %d as with three friends", statements, usual)
		}
	}
	names := all[:1000]
	for command, body := range map[string]M{
		"sns.friend_get_specified": {"To_Account": names},
		"sns.friend_check":         {"To_Account": names, "CheckType": "CheckResult_Type_Both"},
	} {
		count := func(names []string) int {
			body["To_Account"] = names
			alice.MustCall(t, command, body, nil)
			faults.Seen()
			alice.MustCall(t, command, body, nil)
			return faults.Seen("FROM friend", "FROM relation", "FROM profile", "FROM account")
		}
		if one, most := count(names[:1]), count(names); one != most || one == 0 {
			t.Errorf("%s takes %d statements for one friend and %d for 1000", command, one, most)
		}
	}
}

// Whoever has the newest sequences is spared what he has.
func TestListChangesOnly(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		s.Configure(t, "friend.custom_fields", "Tea")
		comes(t, s, "sns/friend_add", asking("alice", "bob"), "bob 0")
		has := friends(t, s, "alice")
		ask := func(standard, custom int64) (page friendPage) {
			s.MustREST(t, "sns/friend_get", M{"From_Account": "alice", "StartIndex": 0, "StandardSequence": standard, "CustomSequence": custom}, &page)
			return page
		}
		if page := ask(has.StandardSequence, has.CustomSequence); len(page.Friends) != 0 || page.CompleteFlag != 1 || page.FriendNum != 1 {
			t.Errorf("with nothing new: %+v", page)
		}
		comes(t, s, "sns/friend_update", M{"From_Account": "alice", "UpdateItem": []M{
			{"To_Account": "bob", "SnsItem": []M{{"Tag": "Tag_SNS_Custom_Tea", "Value": "green"}}}}}, "bob 0")
		page := ask(has.StandardSequence, has.CustomSequence)
		if len(page.Friends) != 1 || len(page.Friends[0].ValueItem) != 1 || page.Friends[0].value("Tag_SNS_Custom_Tea") != `"green"` {
			t.Errorf("with a new field of the application's own: %+v", page)
		}
	})
}

// Requests come newest first, in pages, and a read mark covers what was asked until then and nothing later.
func TestRequestPages(t *testing.T) {
	magpietest.Scenario(t, func(t *testing.T, s *Server) {
		s.Import(t, "alice", "bob", "carol", "dave", "erin")
		allows(t, s, "alice", "NeedConfirm")
		for _, name := range []string{"bob", "carol", "dave"} {
			comes(t, s, "sns/friend_add", asking(name, "alice"), "alice 30539")
			if name != "carol" {
				s.Pass(t, 2*time.Second)
			}
		}
		alice := s.Login(t, "alice")
		var page struct {
			Items []struct {
				To   string `json:"To_Account"`
				Time int64  `json:"AddTime"`
			} `json:"PendencyItem"`
			Unread    int `json:"UnreadPendencyCount"`
			StartTime int64
		}
		ask := func(start int64, limit int) (names []string) {
			alice.MustCall(t, "sns.pendency_get", M{"PendencyType": "Pendency_Type_ComeIn", "StartTime": start, "MaxLimited": limit}, &page)
			for _, one := range page.Items {
				names = append(names, one.To)
			}
			slices.Sort(names)
			return names
		}
		if got := ask(0, 1); !slices.Equal(got, []string{"carol", "dave"}) || page.StartTime == 0 || page.Unread != 3 {
			t.Errorf("the first page has %q (%+v), want those of the newest second", got, page)
		}
		if got := ask(page.StartTime, 1); !slices.Equal(got, []string{"bob"}) || page.StartTime != 0 {
			t.Errorf("the second page has %q (%+v)", got, page)
		}
		alice.MustCall(t, "sns.pendency_report", M{"LatestPendencyTimeStamp": s.Now().Unix() + 1000}, nil)
		hears(t, alice, "7 read")
		if ask(0, 100); page.Unread != 0 {
			t.Errorf("%d are unread after the mark", page.Unread)
		}
		s.Pass(t, time.Second)
		comes(t, s, "sns/friend_add", asking("erin", "alice"), "alice 30539")
		if ask(0, 100); page.Unread != 1 {
			t.Errorf("%d are unread, want the one that came after the mark", page.Unread)
		}
		alice.MustCall(t, "sns.pendency_report", M{"LatestPendencyTimeStamp": 5}, nil)
		if ask(0, 100); page.Unread != 1 {
			t.Error("a mark goes back")
		}
		for _, kind := range []string{"", "x"} {
			if e := alice.Call(t, "sns.pendency_get", M{"PendencyType": kind}, nil); e.ErrorCode != 30001 {
				t.Errorf("the kind %q: %+v", kind, e)
			}
		}
	}, magpietest.Timed())
}
