package groupmessage_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/magpie-im/magpie/magpietest"
)

// The stories of this room are told about alice, who owns the group, bob and carol, who are in it, and dave, who has an account
// and is not. They go through the doors of a whole server, once on each database.

type (
	// M is a JSON object.
	M = magpietest.M
	// Server is a running Magpie.
	Server = magpietest.Server
	// Conn is a client's connection.
	Conn = magpietest.Conn
)

const (
	sendCommand = "group_open_http_svc/send_group_msg"
	clientSend  = "group_open_http_svc.send_group_msg"
)

// item is a message of a group as it is read.
type item struct {
	From        string `json:"From_Account"`
	Group       string `json:"ToGroupId"`
	Sequence    int64  `json:"MsgSeq"`
	Random      int64  `json:"MsgRandom"`
	Time        int64  `json:"MsgTimeStamp"`
	ClientSeq   int64  `json:"ClientSeq"`
	Priority    any    `json:"MsgPriority"`
	OnlineOnly  int    `json:"OnlineOnlyFlag"`
	Placeholder int    `json:"IsPlaceMsg"`
	Body        said   `json:"MsgBody"`
	Event       int
	System      int `json:"IsSystemMsg"`
	Info        struct {
		Group, Nick string
	} `json:"GroupInfo"`
	Mentions []M `json:"GroupAtInfo"`
}

// said is a MsgBody: elements, or what a tip says.
type said struct {
	elements []struct {
		Content struct{ Text string } `json:"MsgContent"`
	}
	tip *tip
}

// UnmarshalJSON reads either.
func (b *said) UnmarshalJSON(raw []byte) error {
	if bytes.HasPrefix(raw, []byte("[")) {
		return json.Unmarshal(raw, &b.elements)
	}
	return json.Unmarshal(raw, &b.tip)
}

func (i *item) text() string {
	switch {
	case i.Body.tip != nil:
		return i.Body.tip.String()
	case len(i.Body.elements) == 0:
		return ""
	}
	return i.Body.elements[0].Content.Text
}

// String tells it as stories do: "3 alice: hello".
func (i *item) String() string { return fmt.Sprintf("%d %s: %s", i.Sequence, i.From, i.text()) }

// shapes are how stories tell what this room pushes.
func shapes() magpietest.Option {
	return magpietest.Shapes(
		magpietest.Reads("GroupMsgArray", func(all []item) (lines []string) {
			for _, one := range all {
				lines = append(lines, one.String())
			}
			return lines
		}),
		magpietest.Reads("GroupMsgModNotifys", func(all []struct {
			item
			Version int `json:"MsgVersion"`
		}) (lines []string) {
			for _, one := range all {
				lines = append(lines, fmt.Sprintf("%d %s edited %d: %s", one.Sequence, one.From, one.Version, one.text()))
			}
			return lines
		}),
		magpietest.Reads("GroupTips", func(all []notice) (lines []string) {
			for _, one := range all {
				lines = append(lines, one.lines()...)
			}
			return lines
		}),
	)
}

// notice is what a group tells beside messages.
type notice struct {
	Revoker struct {
		Account string `json:"Revoker_Account"`
		Reason  string
	} `json:"RevokerInfo"`
	Event    int
	Sequence int64  `json:"MsgSeq"`
	To       string `json:"To_Account"`
	Info     struct {
		To string `json:"To_Account"`
	} `json:"GroupInfo"`
	Body struct {
		tip
		Pinned   *item `json:"PinnedMsg"`
		Unpinned *struct {
			SenderTinyID   string `json:"SenderTinyId"`
			Random, MsgSeq int
		} `json:"SdkGroupMessageId"`
		ReportType       int
		RemarkInfo       string
		MsgFlag          string
		MsgKey           int64
		Authentication   string
		Invited          []string `json:"MemberList_Account"`
		UserDefinedField string
		Recalled         []struct{ MsgSeq int }                     `json:"GroupWithdrawInfoArray"`
		Read             []struct{ LastReadMsgSeq int }             `json:"GroupReadInfoArray"`
		Receipts         []struct{ MsgSeq, ReadNum, UnreadNum int } `json:"GroupMsgReceiptList"`
	} `json:"MsgBody"`
	At *struct {
		MsgSeq      int
		GroupAtType []int
	} `json:"GroupAtTips"`
}

func (n *notice) lines() (lines []string) {
	switch {
	case n.Body.Pinned != nil:
		return []string{fmt.Sprintf("%d: %s pinned %s", n.Event, n.Body.OperatorInfo.Account, n.Body.Pinned)}
	case n.Body.Unpinned != nil && n.Body.Unpinned.SenderTinyID != "" && n.Body.Unpinned.Random != 0:
		return []string{fmt.Sprintf("%d: %s unpinned %d", n.Event, n.Body.OperatorInfo.Account, n.Body.Unpinned.MsgSeq)}
	case n.Body.OpType != 0:
		lines = append(lines, fmt.Sprintf("%d:%d %s", n.Event, n.Sequence, n.Body.tip.String()))
	}
	for _, one := range n.Body.Recalled {
		lines = append(lines, fmt.Sprintf("%s recalled %d: %s", n.Revoker.Account, one.MsgSeq, n.Revoker.Reason))
	}
	for _, one := range n.Body.Read {
		lines = append(lines, fmt.Sprintf("read up to %d", one.LastReadMsgSeq))
	}
	for _, one := range n.Body.Receipts {
		lines = append(lines, fmt.Sprintf("%d read by %d, not by %d", one.MsgSeq, one.ReadNum, one.UnreadNum))
	}
	switch b := &n.Body; {
	case b.ReportType == 255:
		lines = append(lines, fmt.Sprintf("notice 255: %s", b.UserDefinedField))
	case b.ReportType != 0:
		line := fmt.Sprintf("notice %d for %s by %s: %s%s", b.ReportType, n.To, b.tip.Operator, b.RemarkInfo, b.MsgFlag)
		if b.Invited != nil {
			line += fmt.Sprint(b.Invited)
		}
		lines = append(lines, line)
	}
	if n.At != nil {
		lines = append(lines, fmt.Sprintf("mentioned in %d: %v", n.At.MsgSeq, n.At.GroupAtType))
	}
	return lines
}

// story runs a scenario with the four and a group of alice's of the type, whose id is given.
func story(t *testing.T, kind string, tell func(t *testing.T, s *Server, id string), with ...magpietest.Option) {
	t.Helper()
	magpietest.Scenario(t, func(t *testing.T, s *Server) {
		s.Import(t, "alice", "bob", "carol", "dave")
		tell(t, s, create(t, s, kind))
	}, append(with, shapes())...)
}

// create makes a group of alice's with bob and carol in it.
func create(t *testing.T, s *Server, kind string) string {
	t.Helper()
	var made struct {
		GroupID string `json:"GroupId"`
	}
	s.MustREST(t, "group_open_http_svc/create_group", M{
		"Type": kind, "Name": "team", "Owner_Account": "alice",
		"MemberList": []M{{"Member_Account": "bob"}, {"Member_Account": "carol"}},
	}, &made)
	return made.GroupID
}

// says is the body of a client's message to a group.
func says(group, text string, number int) M {
	return M{
		"GroupId": group, "Random": 1000 + number, "ClientSeq": 3_500_000_000 + number, "MsgClientTime": 1_790_000_000 + number,
		"MsgPriority": "Normal", "MsgBody": magpietest.Text(text),
	}
}

type sent struct {
	Time    int64  `json:"MsgTime"`
	Seq     int64  `json:"MsgSeq"`
	Dropped string `json:"MsgDropReason"`
}

// say sends a client's message and gives the answer.
func say(t *testing.T, c *Conn, body M) (answer sent) {
	t.Helper()
	c.MustCall(t, clientSend, body, &answer)
	return answer
}

// order sends a back end's message and gives the answer.
func order(t *testing.T, s *Server, group, text string, more M) (answer sent) {
	t.Helper()
	s.MustREST(t, sendCommand, magpietest.With(M{"GroupId": group, "Random": 7, "MsgBody": magpietest.Text(text)}, more), &answer)
	return answer
}

// messagesOf are what members said in a push.
func messagesOf(t *testing.T, p *magpietest.Push) []item {
	t.Helper()
	var of struct {
		All []item `json:"GroupMsgArray"`
	}
	if err := json.Unmarshal(p.Raw, &of); err != nil {
		t.Fatal(err)
	}
	return of.All
}
