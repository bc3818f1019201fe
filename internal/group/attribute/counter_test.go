package attribute_test

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
)

// counted is a group's counters in replies.
type counted struct {
	All []struct {
		Key   string
		Value int64
	} `json:"GroupCounter"`
	Sequence int `json:"GroupCounterSeq"`
}

func (c *counted) String() string {
	var all []string
	for _, one := range c.All {
		all = append(all, fmt.Sprintf("%s=%d", one.Key, one.Value))
	}
	return fmt.Sprint(c.Sequence, " ", strings.Join(all, " "))
}

func counts(t *testing.T, s *Server, id, want string, keys ...string) {
	t.Helper()
	var reply counted
	s.MustREST(t, rest+"get_group_counter", M{"GroupId": id, "GroupCounterKeys": keys}, &reply)
	if reply.String() != want {
		t.Errorf("the counters are %q, want %q", reply.String(), want)
	}
}

func counter(key string, value int64) M { return M{"Key": key, "Value": value} }

// Counters are set, moved, read and deleted by both doors, and all members hear of it, the device that did it too.
func TestCounters(t *testing.T) {
	story(t, "ChatRoom", func(t *testing.T, s *Server, id string) {
		alice, bob := s.Login(t, "alice"), s.Login(t, "bob")
		var reply counted
		alice.MustCall(t, client+"update_group_counter", M{"GroupId": id, "Mode": "Set", "GroupCounter": []M{counter("likes", 5), counter("views", 9)}}, &reply)
		if reply.String() != "0 likes=5 views=9" {
			t.Errorf("the answer is %q", reply.String())
		}
		bob.MustCall(t, client+"update_group_counter", M{"GroupId": id, "Mode": "Increase", "GroupCounter": []M{counter("likes", 2)}}, nil)
		s.MustREST(t, rest+"update_group_counter", M{"GroupId": id, "Mode": "Decrease", "GroupCounter": []M{counter("likes", 1), counter("new", 1)}}, &reply)
		if reply.String() != "0 likes=6 new=-1" {
			t.Errorf("the answer is %q", reply.String())
		}
		s.MustREST(t, rest+"delete_group_counter", M{"GroupId": id, "GroupCounterKeys": []string{"new", "never"}}, nil)
		for _, one := range []*Conn{alice, bob} {
			one.Sees(t, "counters 1: type 0, likes=5 views=9", "counters 2: type 2, likes=7", "counters 3: type 2, likes=6 new=-1",
				"counters 4: type 1, new=-1")
		}
		counts(t, s, id, "4 likes=6 views=9")
		counts(t, s, id, "4 views=9", "views", "none")
		bob.MustCall(t, client+"get_group_counter", M{"GroupId": id, "GroupCounterKeys": []string{}}, &reply)
		if reply.String() != "4 likes=6 views=9" {
			t.Errorf("a client reads %q", reply.String())
		}
		s.MustREST(t, rest+"delete_group_counter", M{"GroupId": id, "GroupCounterKeys": []string{"never"}}, nil)
		s.MustREST(t, rest+"delete_group_counter", M{"GroupId": id}, nil)
		alice.Sees(t, "counters 5: type 1, likes=6 views=9")
		counts(t, s, id, "5 ")
	})
}

// A counter loses nothing when many move it at once.
func TestCountersTogether(t *testing.T) {
	story(t, "Public", func(t *testing.T, s *Server, id string) {
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for range 10 {
					s.MustREST(t, rest+"update_group_counter", M{"GroupId": id, "Mode": "Increase", "GroupCounter": []M{counter("n", 1)}}, nil)
				}
			})
		}
		all.Wait()
		counts(t, s, id, "40 n=40")
	})
}

func TestCounterBounds(t *testing.T) {
	story(t, "Private", func(t *testing.T, s *Server, id string) {
		many := []M{}
		for i := range 20 {
			many = append(many, counter(fmt.Sprintf("k%02d", i), 0))
		}
		update := func(mode string, all ...M) M { return M{"GroupId": id, "Mode": mode, "GroupCounter": all} }
		for _, row := range []struct {
			body M
			code int
		}{
			{update("Set"), 10004},
			{update("Double", counter("k", 1)), 10004},
			{update("Set", counter("", 1)), 10004},
			{update("Set", counter(strings.Repeat("k", 129), 1)), 10004},
			{update("Set", counter("k", 1), counter("k", 2)), 10004},
			{update("Set", append(many, counter("k", 1))...), 10063},
			{update("Set", many...), 0},
			{update("Increase", counter("k", 1)), 10063},
			{update("", counter("k00", math.MaxInt64)), 0},
			{update("Increase", counter("k00", 1)), 10004},
			{update("Decrease", counter("k00", -1)), 10004},
			{update("Increase", counter("k00", math.MinInt64)), 0},
			{update("Decrease", counter("k00", math.MaxInt64)), 0},
			{update("Decrease", counter("k00", 1)), 10004},
		} {
			if e := s.REST(t, rest+"update_group_counter", row.body, nil); e.ErrorCode != row.code {
				t.Errorf("%.80v: %d %s, want %d", row.body, e.ErrorCode, e.ErrorInfo, row.code)
			}
		}
		counts(t, s, id, fmt.Sprintf("4 k00=%d", int64(math.MinInt64)), "k00")
		s.Refuses(t, rest+"update_group_counter", M{"GroupId": create(t, s, "Community"), "GroupCounter": []M{counter("k", 1)}}, 10007)
	})
}
