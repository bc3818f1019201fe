package conversation_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/magpietest"
)

// What a client asks at its login takes a number of statements that does not depend on how many groups its account is in, nor on
// how many conversations it has.
func TestLoginTakesAFixedNumberOfStatements(t *testing.T) {
	for name, with := range map[string]func(*testing.T) string{
		"sqlite": func(*testing.T) string { return "" }, "postgres": func(t *testing.T) string { return dbtest.URL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			faults := &dbtest.Faults{}
			s := magpietest.Start(t, magpietest.Timed(), magpietest.Database(with(t)), magpietest.Faulty(faults))
			s.Import(t, "alice", "few", "many")
			s.Configure(t, "conversation.recent", "500")
			furnish(t, s, "few", 2)
			furnish(t, s, "many", 110)
			few, many := statements(t, s, faults, "few"), statements(t, s, faults, "many")
			t.Logf("%v statements for four conversations, %v for 220", few, many)
			if !slices.Equal(few, many[:len(few)]) || few[0] == 0 {
				t.Errorf("%v statements for four conversations, %v for many", few, many)
			}
			for _, page := range many[len(few):] {
				if page > few[0] {
					t.Errorf("a further page takes %d statements, the first one %d", page, few[0])
				}
			}
		})
	}
}

// One that marks everything read of many groups takes one transaction, and as many statements as for a few.
func TestReadAllTakesAFixedNumberOfStatements(t *testing.T) {
	for name, with := range map[string]func(*testing.T) string{
		"sqlite": func(*testing.T) string { return "" }, "postgres": func(t *testing.T) string { return dbtest.URL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			faults := &dbtest.Faults{}
			s := magpietest.Start(t, magpietest.Timed(), magpietest.Database(with(t)), magpietest.Faulty(faults))
			s.Import(t, "alice", "bob")
			bob := s.Login(t, "bob")
			count := func(number int) (statements int) {
				var groups []M
				for range number {
					id := create(t, s, "Public", nil)
					say(t, s, id, "alice: hello", nil)
					groups = append(groups, M{"GroupId": id, "MsgSeq": 1})
				}
				var reply struct {
					Groups []struct{ RetCode int } `json:"GroupReadInfoArray"`
				}
				tables := []string{"chat_group", "group_member", "FROM message", "FROM chat"}
				faults.Seen(tables...)
				bob.MustCall(t, "openim.read_all_unread_msg", M{"C2CReadAllMsg": 0, "GroupReadInfo": groups}, &reply)
				statements = faults.Seen(tables...)
				wantUnread := 0
				all, _ := groupPage(t, bob, cursors{})
				for i := range all {
					wantUnread += all[i].unread()
				}
				if len(reply.Groups) != number || wantUnread != 0 {
					t.Errorf("answered for %d groups of %d; %d unread messages are left", len(reply.Groups), number, wantUnread)
				}
				return statements
			}
			if few, many := count(2), count(12); few != many || few == 0 {
				t.Errorf("%d statements for two groups, %d for twelve", few, many)
			}
		})
	}
}

// A removal of many conversations takes as many statements as that of a few.
func TestRemovalTakesAFixedNumberOfStatements(t *testing.T) {
	faults := &dbtest.Faults{}
	s := magpietest.Start(t, magpietest.Timed(), magpietest.Faulty(faults))
	s.Import(t, "alice", "bob")
	bob := s.Login(t, "bob")
	count := func(name string, number int) int {
		var contacts []M
		for i := range number {
			peer := fmt.Sprint(name, i)
			s.Import(t, peer)
			s.Send(t, peer, "bob", "hi")
			id := create(t, s, "Public", nil)
			say(t, s, id, "alice: hello", nil)
			contacts = append(contacts, with(peer), ofGroup(id))
		}
		tables := []string{"chat_group", "group_member", "conversation", "choice", "FROM chat"}
		faults.Seen(tables...)
		bob.MustCall(t, "recentcontact.batch_delete", M{"ContactItem": contacts}, nil)
		n := faults.Seen(tables...)
		wantList(t, s, "bob")
		return n
	}
	if few, many := count("few", 2), count("many", 10); few != many || few == 0 {
		t.Errorf("%d statements for four conversations, %d for twenty", few, many)
	}
}

// furnish gives an account so many groups, and as many conversations with others, that it has read, with choices for some.
func furnish(t *testing.T, s *Server, owner string, number int) {
	t.Helper()
	var peers []string
	for i := range number {
		peers = append(peers, fmt.Sprintf("%s%03d", owner, i))
	}
	for some := range slices.Chunk(peers, 100) {
		s.MustREST(t, "im_open_login_svc/multiaccount_import", M{"Accounts": some}, nil)
	}
	s.MustREST(t, "openim/batchsendmsg", M{"From_Account": owner, "To_Account": peers, "MsgRandom": 1, "MsgBody": magpietest.Text("hi")}, nil)
	for i := range number {
		id := create(t, s, "Public", M{"Name": fmt.Sprint("group ", i), "MemberList": []M{{"Member_Account": owner}}})
		say(t, s, id, "alice: hello", nil)
	}
	s.MustREST(t, "recentcontact/top", pinning(owner, 1, with(peers[0])), nil)
	s.MustREST(t, "recentcontact/create_contact_group", folderOf(owner, "work", with(peers[0]), with(peers[1])), nil)
}

// statements logs in and asks what the web client asks, and gives how many statements each question took; those of further pages
// of the list stand at the end.
func statements(t *testing.T, s *Server, faults *dbtest.Faults, owner string) (counts []int) {
	t.Helper()
	c := s.Connect(t)
	c.TryLogin(t, owner, s.UserSig(t, owner))
	count := func(command string, body M, reply any) int {
		t.Helper()
		tables := []string{"chat_group", "group_member", "conversation", "choice", "folder", "FROM message", "FROM chat", "FROM account"}
		faults.Seen(tables...)
		c.MustCall(t, command, body, reply)
		return faults.Seen(tables...)
	}
	var page struct {
		CompleteFlag int
		cursors
	}
	list := func() int {
		return count("recentcontact.page_get", magpietest.With(page.request(owner), M{"AssistFlags": 31}), &page)
	}
	counts = append(counts, list())
	for _, service := range []string{"group_open_http_svc", "million_group_open_http_svc"} {
		counts = append(counts, count(service+".get_joined_group_list", M{
			"Member_Account": owner, "Limit": 200, "Offset": 0, "SupportTopic": 0, "ResponseFilter": M{
				"GroupBaseInfoFilter": []string{"Type", "Name", "NextMsgSeq", "LastMsgTime"}, "SelfInfoFilter": []string{"Role", "MsgFlag", "MsgSeq", "UnreadMsgNum"},
			}}, nil))
	}
	counts = append(counts, count("recentcontact.get_contact_group", M{"StartIndex": 0}, nil), count("openim.getmsg", M{"Cookie": "", "SyncFlag": 0}, nil))
	for range 10 {
		if page.CompleteFlag == 1 {
			return counts
		}
		counts = append(counts, list())
	}
	t.Fatal("the list never ends")
	return nil
}
