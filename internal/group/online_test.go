package group_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/magpie-im/magpie/magpietest"
)

// counted is the reply about members that are online.
type counted struct{ OnlineMemberNum, ExpireTime int }

// doings tell of members who is online and when he last sent: "alice Online 0".
func doings(all []M) (lines []string) {
	for _, m := range all {
		lines = append(lines, fmt.Sprintf("%v %v %.0f", m["Member_Account"], m["OnlineStatus"], m["LastSendMsgTime"]))
	}
	slices.Sort(lines)
	return lines
}

// Members read who of them is online and who spoke when, by both doors; a number of them stands for a while.
func TestWhoIsOnline(t *testing.T) {
	magpietest.Scenario(t, func(t *testing.T, s *Server) {
		s.Import(t, "alice", "bob", "carol", "dave")
		alice, dave := s.Login(t, "alice"), s.Login(t, "dave")
		for _, kind := range types(t) {
			id := create(t, s, kind.String(), nil)
			sent := s.Now().Unix()
			say := M{"GroupId": id, "From_Account": "bob", "Random": 7, "MsgBody": magpietest.Text("hi")}
			s.MustREST(t, rest+"send_group_msg", say, nil)
			s.NextSecond(t)
			filter := M{"GroupId": id, "MemberInfoFilter": []string{"OnlineStatus", "LastSendMsgTime"}}
			want := []string{"alice Online 0", fmt.Sprintf("bob Offline %d", sent), "carol Offline 0"}
			named := magpietest.With(filter, M{"Member_List_Account": []string{"bob", "carol", "alice", "dave"}})
			for name, call := range map[string]caller{"client": by(alice), "REST": byREST(s)} {
				for command, body := range map[string]M{"get_group_member_info": filter, "get_specified_group_member_info": named} {
					var reply struct{ MemberList []M }
					call.must(t, command, body, &reply)
					if got := doings(reply.MemberList); !slices.Equal(got, want) {
						t.Errorf("%s, %s, %s: %q, want %q", kind, name, command, got, want)
					}
					for _, m := range reply.MemberList {
						wantKeys(t, m, "LastSendMsgTime", "Member_Account", "OnlineStatus")
					}
				}
			}
			wantOnline(t, by(alice), id, counted{1, int(kind.Number("online_count.refresh_seconds"))})
			by(dave).refuses(t, "get_online_member_num", M{"GroupId": id}, 10007)
			bob := s.Login(t, "bob")
			wantOnline(t, byREST(s), id, counted{1, int(kind.Number("online_count.refresh_seconds"))})
			s.Pass(t, time.Duration(kind.Number("online_count.refresh_seconds"))*time.Second)
			magpietest.Eventually(t, "the node says again that it lives", func() bool { return isOnline(t, s, "alice") })
			wantOnline(t, byREST(s), id, counted{2, int(kind.Number("online_count.refresh_seconds"))})
			bob.MustCall(t, "im_open_status.wslogout", M{}, nil)
		}
	}, magpietest.Timed(), magpietest.Set(t, "idle-timeout", "1h"))
}

func isOnline(t *testing.T, s *Server, userID string) bool {
	t.Helper()
	var reply struct{ QueryResult []struct{ Status string } }
	s.MustREST(t, "openim/query_online_status", M{"To_Account": []string{userID}}, &reply)
	return reply.QueryResult[0].Status == "Online"
}

func wantOnline(t *testing.T, call caller, id string, want counted) {
	t.Helper()
	var got counted
	call.must(t, "get_online_member_num", M{"GroupId": id}, &got)
	if got != want {
		t.Errorf("online are %+v, want %+v", got, want)
	}
}

// A client reads of itself when it last spoke, of all its groups together; a back end of all members.
func TestLastSpoke(t *testing.T) {
	magpietest.Scenario(t, func(t *testing.T, s *Server) {
		s.Import(t, "alice", "bob", "carol", "dave")
		alice := s.Login(t, "alice")
		spoken, silent := create(t, s, "Public", nil), create(t, s, "Work", nil)
		for random := range 2 {
			alice.MustCall(t, "group_open_http_svc.send_group_msg", M{"GroupId": spoken, "Random": random, "MsgBody": magpietest.Text("hi")}, nil)
			s.NextSecond(t)
		}
		sent := s.Now().Unix() - 1
		var reply struct {
			GroupInfo []struct{ MemberList []M }
		}
		ask := M{"GroupIdList": []string{spoken, silent}, "ResponseFilter": M{"MemberInfoFilter": []string{"LastSendMsgTime", "OnlineStatus"}}}
		by(alice).must(t, "get_group_self_member_info", ask, &reply)
		if got := doings(append(reply.GroupInfo[0].MemberList, reply.GroupInfo[1].MemberList...)); !slices.Equal(got,
			[]string{"alice Online 0", fmt.Sprintf("alice Online %d", sent)}) {
			t.Errorf("alice reads of herself %q", got)
		}
		s.MustREST(t, rest+"get_group_info", ask, &reply)
		if got := doings(reply.GroupInfo[0].MemberList); got[0] != fmt.Sprintf("alice Online %d", sent) || len(got) != 3 {
			t.Errorf("a back end reads %q", got)
		}
		s.Configure(t, "group.member_online_status", "off")
		s.MustREST(t, rest+"get_group_info", ask, &reply)
		for _, m := range reply.GroupInfo[0].MemberList {
			wantKeys(t, m, "LastSendMsgTime", "Member_Account")
		}
		byREST(s).refuses(t, "get_online_member_num", M{"GroupId": spoken}, 10007)
	}, magpietest.Timed())
}

// Members come page by page, each once, whatever the roles that are asked for.
func TestMemberPages(t *testing.T) {
	story(t, func(t *testing.T, s *Server) {
		var names []string
		for i := range 40 {
			names = append(names, fmt.Sprintf("m%02d", i))
		}
		s.Import(t, names...)
		alice := by(s.Login(t, "alice"))
		for _, kind := range types(t) {
			id := create(t, s, kind.String(), M{"MemberList": append(named(names...), M{"Member_Account": "carol"})})
			million := kind.Rule("members.list.paging") == "Next"
			for _, row := range []struct {
				roles []string
				want  int
			}{{nil, 42}, {[]string{"Member"}, 41}, {[]string{"Owner"}, 1}, {[]string{"Owner", "Member"}, 42}} {
				for _, call := range []caller{byREST(s), alice} {
					if got := memberPages(t, call, id, million, row.roles); len(got) != row.want {
						t.Errorf("%s: of the roles %v there are %d, want %d: %q", kind, row.roles, len(got), row.want, got)
					}
				}
			}
		}
	})
}

// memberPages walks over the members by pages of seven.
func memberPages(t *testing.T, call caller, id string, million bool, roles []string) (all []string) {
	t.Helper()
	ask := M{"GroupId": id, "Limit": 7, "Offset": 0, "Next": "", "MemberInfoFilter": []string{}, "MemberRoleFilter": roles}
	for range 20 {
		var page struct {
			MemberList []member
			Next       *string
		}
		call.must(t, "get_group_member_info", ask, &page)
		for _, m := range page.MemberList {
			if slices.Contains(all, m.Account) {
				t.Errorf("%s comes twice", m.Account)
			}
			all = append(all, m.Account)
		}
		if million != (page.Next != nil) {
			t.Fatalf("the cursor is %v", page.Next)
		}
		if million && *page.Next == "" || !million && len(page.MemberList) < 7 {
			return all
		}
		ask["Offset"] = len(all)
		if million {
			ask["Next"] = *page.Next
		}
	}
	t.Fatal("the pages have no end")
	return nil
}
