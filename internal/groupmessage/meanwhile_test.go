package groupmessage_test

import (
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/magpietest"
)

// Who is removed, demoted or muted while its request is under way, after the request was let in and before it is stored, changes
// nothing any more.
func TestTakenBackMeanwhile(t *testing.T) {
	faults := map[string]*dbtest.Faults{}
	for name, with := range map[string]func(*testing.T) string{
		"sqlite": func(*testing.T) string { return "" }, "postgres": func(t *testing.T) string { return dbtest.URL(t) },
	} {
		faults[name] = &dbtest.Faults{}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := magpietest.Start(t, magpietest.Database(with(t)), magpietest.Faulty(faults[name]), shapes())
			s.Import(t, "alice", "bob", "carol", "dave")
			takenBackMeanwhile(t, s, faults[name])
		})
	}
}

func takenBackMeanwhile(t *testing.T, s *Server, faults *dbtest.Faults) {
	bob := s.Login(t, "bob")
	kick := func(id string) {
		s.MustREST(t, "group_open_http_svc/delete_group_member", M{"GroupId": id, "MemberToDel_Account": []string{"bob"}}, nil)
	}
	demote := func(id string) {
		s.MustREST(t, "group_open_http_svc/modify_group_member_info", M{"GroupId": id, "Member_Account": "bob", "Role": "Member"}, nil)
	}
	edits := func(id string, at int64) magpietest.Envelope {
		return bob.Call(t, "openim.modify_group_msg", M{"GroupId": id, "MsgSeq": at, "MsgVersion": 0, "MsgBody": magpietest.Text("changed")}, nil)
	}
	recalls := func(id string, at int64) magpietest.Envelope {
		var reply struct {
			List []struct{ RetCode int } `json:"RecallRetList"`
		}
		e := bob.Call(t, "group_open_http_svc.group_msg_recall", M{"GroupId": id, "MsgSeqList": []M{{"MsgSeq": at}}}, &reply)
		if len(reply.List) == 1 {
			e.ErrorCode = reply.List[0].RetCode
		}
		return e
	}
	mentions := func(id string, _ int64) magpietest.Envelope {
		return bob.Call(t, clientSend, magpietest.With(says(id, "hi", 1), M{"GroupAtInfo": []M{{"GroupAtAllFlag": 1}}}), nil)
	}
	s.Configure(t, "group.public.at_all_who", "admin")
	for name, of := range map[string]struct {
		meanwhile func(id string)
		asks      func(id string, at int64) magpietest.Envelope
	}{
		"an edit of who is removed": {kick, edits}, "a recall of who is removed": {kick, recalls}, "a recall of who is demoted": {demote, recalls},
		"a mention of all by who is demoted": {demote, mentions},
	} {
		id := create(t, s, "Public")
		s.MustREST(t, "group_open_http_svc/modify_group_member_info", M{"GroupId": id, "Member_Account": "bob", "Role": "Admin"}, nil)
		at := order(t, s, id, "first", M{"From_Account": "alice"}).Seq
		if e := whileStalled(t, faults, func() magpietest.Envelope { return of.asks(id, at) }, func() { of.meanwhile(id) }); e.ErrorCode == 0 {
			t.Errorf("%s is taken", name)
		}
	}
}

// whileStalled asks, and has something done when the asking account's place in the group has been read for the first time.
func whileStalled(t *testing.T, faults *dbtest.Faults, asks func() magpietest.Envelope, meanwhile func()) magpietest.Envelope {
	t.Helper()
	reached, release := faults.Stall("changed_at FROM group_member WHERE group_id = ")
	defer release()
	answer := make(chan magpietest.Envelope, 1)
	go func() { answer <- asks() }()
	select {
	case <-reached:
	case <-time.After(10 * time.Second):
		t.Fatal("the request does not look at the member")
	}
	meanwhile()
	release()
	return <-answer
}
