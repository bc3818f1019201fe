package group_test

import (
	"strings"
	"testing"
	"time"

	"github.com/magpie-im/magpie/internal/db/dbtest"
	"github.com/magpie-im/magpie/magpietest"
)

// A group in which nothing happens for as long as its application wants ends by itself: its members and the back end are told. A
// message or a change of its profile keeps it.
func TestRecycle(t *testing.T) {
	magpietest.Scenario(t, func(t *testing.T, s *Server) {
		s.Import(t, "alice", "bob", "carol", "dave")
		back := s.BackEnd(t, "Group.CallbackAfterGroupDestroyed")
		s.Configure(t, "group.public.recycle_seconds", "1200", "group.meeting.recycle_seconds", "86400")
		idle, spoken, changed := create(t, s, "Public", nil), create(t, s, "Public", nil), create(t, s, "Public", nil)
		meeting, work := create(t, s, "Meeting", nil), create(t, s, "Work", nil)
		bob := s.Login(t, "bob")
		s.Pass(t, 15*time.Minute)
		s.MustREST(t, rest+"send_group_msg", magpietest.With(said(nil), M{"GroupId": spoken}), nil)
		s.MustREST(t, rest+"modify_group_base_info", M{"GroupId": changed, "Name": "new"}, nil)
		bob.Pushes(t)
		s.Pass(t, 6*time.Minute)
		var told struct {
			GroupID string `json:"GroupId"`
		}
		back.Gets(t, "Group.CallbackAfterGroupDestroyed", 1)[0].Into(t, &told)
		if told.GroupID != idle {
			t.Errorf("%s was destroyed, want %s", told.GroupID, idle)
		}
		gone(t, s, idle)
		for _, id := range []string{spoken, changed, meeting, work} {
			if got := read(t, s, id); got.ErrorCode == nil || *got.ErrorCode != 0 {
				t.Errorf("%s is %s", id, got.String())
			}
		}
		reported := false
		for _, p := range bob.Pushes(t) {
			reported = reported || strings.Contains(string(p.Raw), idle) && strings.Contains(string(p.Raw), `"ReportType":11`)
		}
		if !reported {
			t.Error("bob is not told that the group is gone")
		}
		s.Pass(t, 21*time.Minute)
		back.Gets(t, "Group.CallbackAfterGroupDestroyed", 3)
		gone(t, s, spoken)
		gone(t, s, changed)
	}, magpietest.Timed(), magpietest.Set(t, "idle-timeout", "100h"))
}

// A look for groups to destroy reads nothing more of those in which something happens.
func TestRecycleReadsIdleGroupsOnly(t *testing.T) {
	faults := &dbtest.Faults{}
	s := magpietest.Start(t, magpietest.Timed(), magpietest.Faulty(faults), magpietest.Set(t, "idle-timeout", "100h"))
	s.Import(t, "alice", "bob", "carol")
	back := s.BackEnd(t, "Group.CallbackAfterGroupDestroyed")
	s.Configure(t, "group.public.recycle_seconds", "1200")
	create(t, s, "Public", nil)
	s.Pass(t, 15*time.Minute)
	create(t, s, "Public", nil)
	const ends = "c.low_listed" // of chats
	faults.Seen(ends)
	s.Pass(t, 6*time.Minute)
	back.Gets(t, "Group.CallbackAfterGroupDestroyed", 1)
	if n := faults.Seen(ends); n != 1 {
		t.Errorf("%d statements read the ends of chats, want the one of the group that is destroyed", n)
	}
}
