package live_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/magpie-im/magpie/magpietest"
)

// The stories of this room are told about alice, who owns the live room, and bob, carol and dave, who have accounts. They go
// through the doors of a whole server, once on each database. Time stands still until a story lets it pass.

type (
	// M is a JSON object.
	M = magpietest.M
	// Server is a running Magpie.
	Server = magpietest.Server
	// Conn is a client's connection.
	Conn = magpietest.Conn
)

const (
	groups  = "group_open_http_svc."
	rest    = "group_open_http_svc/"
	special = "group_open_avchatroom_http_svc/"
)

// said is what is pushed of a live room: a message, a tip, or news of the room.
type said struct {
	From     string `json:"From_Account"`
	Group    string `json:"GroupId"`
	Sequence int64  `json:"MsgSeq"`
	Priority string `json:"MsgPriority"`
	Event    int
	Revoker  *struct {
		Account string `json:"Revoker_Account"`
	} `json:"RevokerInfo"`
	Body body `json:"MsgBody"`
}

// body is a list of elements, or what a tip says.
type body struct {
	texts []string
	tip   tip
}

type tip struct {
	OpType, ReportType int
	Operator           string   `json:"Operator_Account"`
	Accounts           []string `json:"List_Account"`
	Online             struct {
		Number int `json:"OnlineMemberNum"`
	} `json:"OnlineMemberInfo"`
	New              M `json:"MsgGroupNewInfo"`
	UserDefinedField string
}

// UnmarshalJSON reads either.
func (b *body) UnmarshalJSON(text []byte) error {
	if text[0] == '{' {
		return json.Unmarshal(text, &b.tip)
	}
	var elements []struct {
		Content struct{ Text string } `json:"MsgContent"`
	}
	if err := json.Unmarshal(text, &elements); err != nil {
		return err
	}
	for _, one := range elements {
		b.texts = append(b.texts, one.Content.Text)
	}
	return nil
}

func (s *said) String() string {
	if s.Revoker != nil {
		return "recall by " + s.Revoker.Account
	}
	switch t := s.Body.tip; {
	case t.ReportType != 0:
		return fmt.Sprintf("report %d by %s %s", t.ReportType, t.Operator, t.UserDefinedField)
	case t.New != nil:
		return fmt.Sprintf("tip %d by %s: %v", t.OpType, t.Operator, map[string]any(t.New))
	case t.OpType != 0:
		return fmt.Sprintf("tip %d of %s, %d inside", t.OpType, strings.Join(t.Accounts, "+"), t.Online.Number)
	}
	return fmt.Sprintf("%s: %s", s.From, strings.Join(s.Body.texts, ","))
}

func shapes() magpietest.Option {
	tell := func(all []said) (lines []string) {
		for _, one := range all {
			lines = append(lines, one.String())
		}
		return lines
	}
	return magpietest.Shapes(magpietest.Reads("GroupMsgArray", tell), magpietest.Reads("GroupTips", tell))
}

// story runs a scenario with the four and a live room of alice's, whose id is given.
func story(t *testing.T, tell func(t *testing.T, s *Server, id string), with ...magpietest.Option) {
	t.Helper()
	magpietest.Scenario(t, func(t *testing.T, s *Server) {
		s.Import(t, "alice", "bob", "carol", "dave")
		tell(t, s, create(t, s, M{}))
	}, append(with, shapes(), magpietest.Timed())...)
}

func create(t *testing.T, s *Server, more M) string {
	t.Helper()
	var made struct {
		GroupID string `json:"GroupId"`
		Huge    int    `json:"HugeGroupFlag"`
	}
	s.MustREST(t, rest+"create_group", magpietest.With(M{"Type": "AVChatRoom", "Name": "show", "Owner_Account": "alice"}, more), &made)
	if made.Huge != 1 {
		t.Fatalf("HugeGroupFlag is %d", made.Huge)
	}
	return made.GroupID
}

// enters logs an account in and has it join the live room.
func enters(t *testing.T, s *Server, userID, id string) *Conn {
	t.Helper()
	c := s.Login(t, userID)
	join(t, c, id)
	return c
}

type joined struct {
	Status  string  `json:"JoinedStatus"`
	Huge    int     `json:"HugeGroupFlag"`
	Key     string  `json:"AVChatRoomKey"`
	Poll    *string `json:"LongPollingKey"`
	Backlog []said  `json:"RspMsgList"`
}

func join(t *testing.T, c *Conn, id string) (answer joined) {
	t.Helper()
	c.MustCall(t, groups+"apply_join_group", M{"GroupId": id, "WebPushFlag": 1}, &answer)
	return answer
}

// says is the body of a message.
func says(id, text string, number int, priority string) M {
	return M{
		"GroupId": id, "Random": 1000 + number, "ClientSeq": 3_500_000_000 + number, "MsgClientTime": 1_790_000_000 + number,
		"MsgPriority": priority, "MsgBody": magpietest.Text(text),
	}
}

type sent struct {
	Time    int64  `json:"MsgTime"`
	Seq     int64  `json:"MsgSeq"`
	Dropped string `json:"MsgDropReason"`
}

func say(t *testing.T, c *Conn, message M) (answer sent) {
	t.Helper()
	c.MustCall(t, groups+"send_group_msg", message, &answer)
	return answer
}

// online is how many are inside, as a back end reads it.
func online(t *testing.T, s *Server, id string) (n int) {
	t.Helper()
	var answer struct{ OnlineMemberNum int }
	s.MustREST(t, rest+"get_online_member_num", M{"GroupId": id}, &answer)
	return answer.OnlineMemberNum
}

// listed is who is inside, as a back end reads it.
func listed(t *testing.T, s *Server, id string) string {
	t.Helper()
	var answer struct {
		Members []struct {
			Member string `json:"Member_Account"`
		} `json:"MemberList"`
	}
	s.MustREST(t, special+"get_members", M{"GroupId": id, "Timestamp": 0}, &answer)
	names := make([]string, 0, len(answer.Members))
	for _, one := range answer.Members {
		names = append(names, one.Member)
	}
	return strings.Join(names, " ")
}

// hears waits until what was pushed to a client is just these lines.
func hears(t *testing.T, c *Conn, lines ...string) {
	t.Helper()
	var got []string
	magpietest.Eventually(t, fmt.Sprintf("%s hears %q", c.UserID, lines), func() bool {
		for _, p := range c.Pushes(t) {
			got = append(got, p.String())
		}
		return len(got) >= len(lines)
	})
	if !slices.Equal(got, lines) {
		t.Errorf("%s hears %q, want %q", c.UserID, got, lines)
	}
}

// catches waits until a client is pushed a text: at once, or with the next window if something was pushed just before.
func catches(t *testing.T, s *Server, c *Conn, text string) {
	t.Helper()
	magpietest.Eventually(t, fmt.Sprintf("%s is pushed %q", c.UserID, text), func() bool {
		s.Pass(t, 200*time.Millisecond)
		return c.Arrived(func(f *magpietest.Frame) bool { return contains(f, text) }) > 0
	})
}

func contains(f *magpietest.Frame, text string) bool { return strings.Contains(string(f.Body), text) }
