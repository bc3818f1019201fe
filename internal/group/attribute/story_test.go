package attribute_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// The stories of this room are told about alice, who owns a group, bob and carol, who are in it, and dave, who has an account and
// is not. They go through the doors of a whole server, once on each database, and the clock stands still: a group's attributes
// change a few times a second only.

type (
	// M is a JSON object.
	M = magpietest.M
	// Server is a running Magpie.
	Server = magpietest.Server
	// Conn is a client's connection.
	Conn = magpietest.Conn
)

const (
	rest   = "group_open_http_svc/"
	client = "group_open_http_svc."
	reads  = "group_open_attr_http_svc"
)

// event is what a group tells of attributes and counters.
type event struct {
	Group string `json:"ToGroupId"`
	Body  struct {
		OpType int
		New    struct {
			Change *struct {
				OpType, GroupAttrSeq, PushChangedAttrValFlag int
				GroupAttrInfo                                []struct {
					Key, Val  string
					SubKeySeq int
				}
			} `json:"GroupAttrOption"`
		} `json:"MsgGroupNewInfo"`
		Counters []struct {
			Type, GroupCounterSeq int
			GroupCounter          []struct {
				Key   string
				Value int64
			}
		} `json:"GroupCounterInfo"`
	} `json:"MsgBody"`
}

// lines tell it: "attributes 2: option 1, a=b/2", "counters 1: type 0, likes=1".
func (e *event) lines() (lines []string) {
	if c := e.Body.New.Change; c != nil {
		var all []string
		for _, one := range c.GroupAttrInfo {
			all = append(all, fmt.Sprintf("%s=%s/%d", one.Key, one.Val, one.SubKeySeq))
		}
		lines = append(lines, fmt.Sprintf("attributes %d: option %d, %s", c.GroupAttrSeq, c.OpType, strings.Join(all, " ")))
	}
	for _, c := range e.Body.Counters {
		var all []string
		for _, one := range c.GroupCounter {
			all = append(all, fmt.Sprintf("%s=%d", one.Key, one.Value))
		}
		lines = append(lines, fmt.Sprintf("counters %d: type %d, %s", c.GroupCounterSeq, c.Type, strings.Join(all, " ")))
	}
	return lines
}

// story runs a scenario with the four and a group of alice's of the type, whose id is given.
func story(t *testing.T, kind string, tell func(t *testing.T, s *Server, id string)) {
	t.Helper()
	magpietest.Scenario(t, func(t *testing.T, s *Server) {
		s.Import(t, "alice", "bob", "carol", "dave")
		tell(t, s, create(t, s, kind))
	}, magpietest.Timed(), magpietest.Shapes(magpietest.Reads("GroupTips", func(all []event) (lines []string) {
		for i := range all {
			lines = append(lines, all[i].lines()...)
		}
		return lines
	})))
}

// create makes a group of alice's with bob and carol in it.
func create(t *testing.T, s *Server, kind string) string {
	t.Helper()
	var reply struct {
		GroupID string `json:"GroupId"`
	}
	s.MustREST(t, rest+"create_group", M{
		"Type": kind, "Name": "the group", "Owner_Account": "alice", "MemberList": []M{{"Member_Account": "bob"}, {"Member_Account": "carol"}},
	}, &reply)
	return reply.GroupID
}

// kept is a group's attributes as they are read.
type kept struct {
	Main int `json:"AttrMainSeq"`
	All  []struct {
		Key      string `json:"key"`
		Value    string `json:"value"`
		Sequence int    `json:"seq"`
	} `json:"GroupAttrAry"`
}

func (k *kept) String() string {
	all := []string{fmt.Sprint(k.Main)}
	for _, one := range k.All {
		all = append(all, fmt.Sprintf("%s=%s/%d", one.Key, one.Value, one.Sequence))
	}
	return strings.Join(all, " ")
}

// attributes builds a request's list of keys, values and sequences: "a=b/2".
func attributes(all ...string) []M {
	list := []M{}
	for _, one := range all {
		rest, sequence, _ := strings.Cut(one, "/")
		key, value, _ := strings.Cut(rest, "=")
		m := M{"key": key, "value": value}
		if sequence != "" {
			var n int
			_, _ = fmt.Sscan(sequence, &n)
			m["seq"] = n
		}
		list = append(list, m)
	}
	return list
}

// refuses fails unless the client is refused with the code and a sentence.
func refuses(t *testing.T, c *Conn, command string, body any, code int) {
	t.Helper()
	if e := c.Call(t, client+command, body, nil); e.ErrorCode != code || e.ErrorInfo == "" {
		t.Errorf("%s answers %d %s, want %d", command, e.ErrorCode, e.ErrorInfo, code)
	}
}

// has compares the group's attributes as a back end and a client read them.
func has(t *testing.T, s *Server, c *Conn, id, want string) {
	t.Helper()
	var byBackEnd, byClient kept
	s.MustREST(t, reads+"/get_group_attr", M{"GroupId": id}, &byBackEnd)
	c.MustCall(t, reads+".get_group_attr", M{"GroupId": id, "GroupType": 0}, &byClient)
	if byBackEnd.String() != want || byClient.String() != want {
		t.Errorf("the attributes are %q, and %q for a client, want %q", byBackEnd.String(), byClient.String(), want)
	}
}
