package annotate_test

import (
	"slices"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// The stories of this room are told twice, about a one-to-one chat and about a group: alice has said something to bob, or in the
// group where bob and carol are; dave has an account and sees nothing of it. They go through the doors of a whole server, once on
// each database.

type (
	// M is a JSON object.
	M = magpietest.M
	// Server is a running Magpie.
	Server = magpietest.Server
	// Conn is a client's connection.
	Conn = magpietest.Conn
)

const service = "openim_msg_ext_http_svc"

// said is a message that alice has sent, and how it is named.
type said struct {
	*Server
	// prefix begins the names of commands, where is how events tell it, and name what requests call it by.
	prefix, where string
	name          M
	group         string // empty of a one-to-one message
	recall        func(t *testing.T)
	// unknown and stranger are the codes for a message that is not there, and for whoever is no party or member.
	unknown, stranger int
}

// command is the name of a command at the REST door.
func (m *said) command(name string) string { return service + "/" + m.prefix + name }

// dotted is the name of a command at the client door.
func (m *said) dotted(name string) string { return service + "." + m.prefix + name }

// with is a request about the message.
func (m *said) with(more M) M { return magpietest.With(m.name, more) }

// several is a request about a list of messages, of which this one is the first.
func (m *said) several(more M) M {
	if m.group != "" {
		return magpietest.With(M{"GroupId": m.group, "MsgSeqList": []any{m.name["MsgSeq"], 77}}, more)
	}
	return magpietest.With(M{"From_Account": "alice", "To_Account": "bob", "MsgKeyList": []any{m.name["MsgKey"], "1_2_3"}}, more)
}

// story tells of a message of each kind that was sent with more fields.
func story(t *testing.T, more M, tell func(t *testing.T, m *said)) {
	t.Helper()
	for kind, say := range map[string]func(*testing.T, *Server, M) *said{"one-to-one": sayToBob, "group": sayToGroup} {
		t.Run(kind, func(t *testing.T) {
			magpietest.Shared(t, func(t *testing.T, s *Server) {
				s.Import(t, "alice", "bob", "carol", "dave")
				tell(t, say(t, s, more))
			})
		})
	}
}

func sayToBob(t *testing.T, s *Server, more M) *said {
	t.Helper()
	sent := s.SendWith(t, magpietest.Message("alice", "bob", "look"), more)
	return &said{
		Server: s, where: "alice → bob", unknown: 20022, stranger: 20003,
		name: M{"From_Account": "alice", "To_Account": "bob", "MsgKey": sent.MsgKey},
		recall: func(t *testing.T) {
			t.Helper()
			s.MustREST(t, "openim/admin_msgwithdraw", M{"From_Account": "alice", "To_Account": "bob", "MsgKey": sent.MsgKey}, nil)
		},
	}
}

func sayToGroup(t *testing.T, s *Server, more M) *said {
	t.Helper()
	var made struct {
		GroupID string `json:"GroupId"`
	}
	s.MustREST(t, "group_open_http_svc/create_group", M{
		"Type": "Public", "Name": "team", "Owner_Account": "alice", "MemberList": []M{{"Member_Account": "bob"}, {"Member_Account": "carol"}},
	}, &made)
	s.MustREST(t, "group_open_http_svc/send_group_msg", magpietest.With(M{
		"GroupId": made.GroupID, "From_Account": "alice", "Random": 7, "MsgBody": magpietest.Text("look"),
	}, more), nil)
	return &said{
		Server: s, prefix: "group_", where: "alice → group", unknown: 10030, stranger: 10007, group: made.GroupID,
		name: M{"GroupId": made.GroupID, "MsgSeq": 1},
		recall: func(t *testing.T) {
			t.Helper()
			s.MustREST(t, "group_open_http_svc/group_msg_recall", M{"GroupId": made.GroupID, "MsgSeqList": []M{{"MsgSeq": 1}}}, nil)
		},
	}
}

func wantLines(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// refuses checks that a client's request is refused with the code.
func refuses(t *testing.T, c *Conn, command string, body M, code int) {
	t.Helper()
	if e := c.Call(t, command, body, nil); e.ErrorCode != code {
		t.Errorf("%s %v by %s: %d %s, want %d", command, body, c.UserID, e.ErrorCode, e.ErrorInfo, code)
	}
}

func lines[T any](all []T, line func(T) string) (told []string) {
	for _, one := range all {
		told = append(told, line(one))
	}
	return told
}
