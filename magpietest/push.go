package magpietest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	jsonv2 "github.com/go-json-experiment/json"
)

// Push is one item that was pushed to a client.
type Push struct {
	Servcmd string `json:"-"`
	Event   int
	// Messages are new messages; everything else is read by String, by the shapes that the test knows, and by tests that look
	// closer, from Raw.
	Messages []Item          `json:"C2cMsgArray"`
	Raw      json.RawMessage `json:"-"`

	shapes []Shape
}

// Item is a message as clients and back ends read it. It has every member that Magpie writes, and a test that finds
// another one fails.
type Item struct {
	From            string                             `json:"From_Account"`
	To              string                             `json:"To_Account"`
	Seq             int64                              `json:"MsgSeq"`
	Random          int64                              `json:"MsgRandom"`
	Time            int64                              `json:"MsgTimeStamp"`
	ClientTime      int64                              `json:"MsgClientTime"`
	TinyID          string                             `json:"TinyId"`
	ClientSeq       int64                              `json:"ClientSeq"`
	Nick            string                             `json:"From_AccountNick"`
	FaceURL         string                             `json:"From_AccountHeadurl"`
	Body            json.RawMessage                    `json:"MsgBody"`
	CloudCustomData string                             `json:"CloudCustomData"`
	NeedReceipt     int                                `json:"IsNeedReadReceipt"`
	PeerRead        int                                `json:"IsPeerRead"`
	Extensible      int                                `json:"SupportMessageExtension"`
	Version         int                                `json:"MsgVersion"`
	Control         *struct{ NoUnread, NoLastMsg int } `json:"SendMsgControl"`
	LifeTime        *int64                             `json:"MsgLifeTime"`
	FlagBits        int                                `json:"MsgFlagBits"`
	Revoker         *struct {
		Account string `json:"Revoker_Account"`
		Reason  string
	} `json:"RevokerInfo"`
	MsgKey string
}

// Key is the item's MsgKey, also where the item does not carry it.
func (i *Item) Key() string { return fmt.Sprintf("%d_%d_%d", i.Seq, i.Random, i.Time) }

// Text is the text of the first element, or its kind if it is no text.
func (i *Item) Text() string {
	var body []struct {
		MsgType    string
		MsgContent struct{ Text string }
	}
	if err := jsonv2.Unmarshal(i.Body, &body); err != nil || len(body) == 0 {
		return "unreadable " + string(i.Body)
	}
	if body[0].MsgType != "TIMTextElem" {
		return "[" + body[0].MsgType + "]"
	}
	return body[0].MsgContent.Text
}

// String tells the message in a line: "alice → bob: hi".
func (i *Item) String() string {
	line := i.From + " → " + i.To + ": " + i.Text()
	if i.LifeTime != nil && *i.LifeTime == 0 {
		line += " (online only)"
	}
	if i.FlagBits&8 != 0 {
		line += " (recalled by " + i.Revoker.Account + ")"
	}
	return line
}

// String tells the item in a line.
func (p *Push) String() string {
	var lines []string
	for i := range p.Messages {
		lines = append(lines, p.Messages[i].String())
	}
	told, err := tell(p.shapes, p.Raw)
	if err != nil {
		return fmt.Sprintf("unreadable (%v) %s", err, p.Raw)
	}
	if lines = append(lines, told...); len(lines) == 0 {
		return string(p.Raw)
	}
	return strings.Join(lines, ", ")
}

// Pushes returns every item that was pushed to this connection until now and not returned before: it has the server push
// a mark behind them and waits for that.
func (c *Conn) Pushes(t testing.TB) []Push {
	t.Helper()
	c.marks++
	mark := fmt.Sprintf("%s%p %d", markPrefix, c, c.marks)
	c.server.SendWith(t, Message(Admin, c.UserID, mark), M{
		"OnlineOnlyFlag":        1,
		"ForbidCallbackControl": []string{"ForbidBeforeSendMsgCallback", "ForbidAfterSendMsgCallback"},
	})
	var items []Push
	c.inbox.await(t, "the mark behind the pushes comes", func() bool {
		for n := range c.inbox.frames {
			if bytesContain(c.inbox.frames[n].Text, mark) {
				items = c.inbox.pushes(t, n)
				return true
			}
		}
		return false
	})
	return items
}

// Sees compares what was pushed since the last look with these lines, one an item (Push.String), and fails the test if
// anything is missing or anything else came.
func (c *Conn) Sees(t testing.TB, lines ...string) {
	t.Helper()
	var got []string
	for _, p := range c.Pushes(t) {
		got = append(got, p.String())
	}
	if !slices.Equal(got, lines) {
		t.Errorf("%s sees %q, want %q", c.UserID, got, lines)
	}
}

// SeesNothing fails the test if anything was pushed since the last look.
func (c *Conn) SeesNothing(t testing.TB) {
	t.Helper()
	c.Sees(t)
}

// Kicked waits to be told that the device was logged out, and returns the KickType.
func (c *Conn) Kicked(t testing.TB) int {
	t.Helper()
	f := c.Next(t, "the device is told that it was logged out", func(f *Frame) bool {
		return f.Servcmd == "im_open_status.stat_forceoffline"
	})
	items := c.inbox.readPush(t, &f)
	var kick int
	if _, err := fmt.Sscanf(items[0].String(), "kicked %d", &kick); err != nil || len(items) != 1 || items[0].Event != 15 {
		t.Fatalf("the device was told %s (%v)", f.Text, err)
	}
	return kick
}

const markPrefix = "magpietest mark "

// pushes takes the pushes out of the first frames, without marks.
func (in *inbox) pushes(t testing.TB, upTo int) (items []Push) {
	t.Helper()
	var others []Frame
	for n := range in.frames {
		f := &in.frames[n]
		switch {
		case n > upTo, !strings.HasPrefix(f.Servcmd, "im_open_push.") && f.Servcmd != "im_open_status.stat_forceoffline":
			others = append(others, *f)
		case !bytesContain(f.Text, markPrefix):
			items = append(items, in.readPush(t, f)...)
		}
	}
	in.frames = others
	return items
}

func (in *inbox) readPush(t testing.TB, f *Frame) []Push {
	t.Helper()
	var body struct {
		EventArray []json.RawMessage
		Flag       int
	}
	if err := jsonv2.Unmarshal(f.Body, &body, jsonv2.RejectUnknownMembers(true)); err != nil || len(body.EventArray) == 0 {
		t.Fatalf("a push that cannot be read: %v in %s", err, f.Text)
	}
	items := make([]Push, len(body.EventArray))
	for i, raw := range body.EventArray {
		items[i] = Push{Servcmd: f.Servcmd, Raw: raw, shapes: in.shapes}
		var head struct {
			Event    int
			Messages []json.RawMessage `json:"C2cMsgArray"`
		}
		if err := jsonv2.Unmarshal(raw, &head); err != nil {
			t.Fatalf("a push item that cannot be read: %v in %s", err, raw)
		}
		items[i].Event = head.Event
		for _, text := range head.Messages {
			items[i].Messages = append(items[i].Messages, ReadItem(t, text))
		}
	}
	return items
}

// ReadItem reads a message and fails the test for any member that Item does not have.
func ReadItem(t testing.TB, text []byte) Item {
	t.Helper()
	var item Item
	if err := jsonv2.Unmarshal(text, &item, jsonv2.RejectUnknownMembers(true)); err != nil {
		t.Fatalf("a message that cannot be read: %v in %s", err, text)
	}
	return item
}

func bytesContain(text []byte, part string) bool { return strings.Contains(string(text), part) }
