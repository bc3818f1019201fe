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
	// Messages are new messages; the other members are read by String and by tests that look closer, from Raw.
	Messages []Item          `json:"C2cMsgArray"`
	Raw      json.RawMessage `json:"-"`
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

// notice is what a push may hold besides messages.
type notice struct {
	Notices []struct {
		Kickout  *struct{ KickType int } `json:"KickoutMsgNotify"`
		Withdraw *struct {
			List []struct {
				From    string `json:"From_Account"`
				To      string `json:"To_Account"`
				Seq     int64  `json:"MsgSeq"`
				Random  int64  `json:"MsgRandom"`
				Time    int64  `json:"MsgTimeStamp"`
				Revoker struct {
					Account string `json:"Revoker_Account"`
				} `json:"RevokerInfo"`
			} `json:"C2cWithdrawInfoArray"`
		} `json:"WithdrawC2cMsgNotify"`
		PeerRead *struct {
			To   string     `json:"To_Account"`
			List []lastRead `json:"UinPairReadArray"`
		} `json:"C2cReadedReceipt"`
		OwnRead *struct {
			List []lastRead `json:"UinPairReadArray"`
		} `json:"ReadC2cMsgNotify"`
	} `json:"C2cNotifyMsgArray"`
	Profiles []struct {
		Account string `json:"Profile_Account"`
		List    []struct {
			Tag        string
			ValueBytes *string
			ValueNum   *int64
		} `json:"ProfileList"`
	} `json:"ProfileDataMod"`
	Edits []struct {
		From            string          `json:"From_Account"`
		To              string          `json:"To_Account"`
		Seq             int64           `json:"MsgSeq"`
		Random          int64           `json:"MsgRandom"`
		Time            int64           `json:"MsgTime"`
		Body            json.RawMessage `json:"MsgBody"`
		CloudCustomData string
		Version         int64 `json:"MsgVersion"`
	} `json:"C2cMsgModNotifys"`
	Contacts []struct {
		PushType int
		Item     struct {
			List []struct {
				Type int
				User string `json:"User_Account"`
			} `json:"RecentContactList"`
		} `json:"RecentContactDeleteItem"`
	} `json:"RecentContactMod"`
}

type lastRead struct {
	From string `json:"From_Account"`
	Time int64  `json:"LastReadTime"`
}

// String tells the item in a line.
func (p *Push) String() string {
	var lines []string
	for i := range p.Messages {
		lines = append(lines, p.Messages[i].String())
	}
	var n notice
	if err := jsonv2.Unmarshal(p.Raw, &n); err != nil {
		return "unreadable " + string(p.Raw)
	}
	lines = append(lines, n.lines()...)
	if len(lines) == 0 {
		return string(p.Raw)
	}
	return strings.Join(lines, ", ")
}

func (n *notice) lines() (lines []string) {
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	for _, one := range n.Notices {
		switch {
		case one.Kickout != nil:
			say("kicked %d", one.Kickout.KickType)
		case one.Withdraw != nil:
			for _, m := range one.Withdraw.List {
				say("%s → %s: %d_%d_%d recalled by %s", m.From, m.To, m.Seq, m.Random, m.Time, m.Revoker.Account)
			}
		case one.PeerRead != nil:
			say("%s has read up to %d", one.PeerRead.To, one.PeerRead.List[0].Time)
		case one.OwnRead != nil:
			say("read %s up to %d elsewhere", one.OwnRead.List[0].From, one.OwnRead.List[0].Time)
		}
	}
	for _, m := range n.Edits {
		now := Item{Body: m.Body}
		say("%s → %s: %d_%d_%d is now %s, version %d", m.From, m.To, m.Seq, m.Random, m.Time, now.Text(), m.Version)
	}
	for _, profile := range n.Profiles {
		for _, field := range profile.List {
			if field.ValueNum != nil {
				say("%s: %s=%d", profile.Account, field.Tag, *field.ValueNum)
			} else if field.ValueBytes != nil {
				say("%s: %s=%q", profile.Account, field.Tag, *field.ValueBytes)
			}
		}
	}
	for _, contact := range n.Contacts {
		for _, one := range contact.Item.List {
			say("conversation %d with %s removed elsewhere", one.Type, one.User)
		}
	}
	return lines
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
	items := readPush(t, &f)
	var n notice
	if err := jsonv2.Unmarshal(items[0].Raw, &n); err != nil || len(items) != 1 || items[0].Event != 15 {
		t.Fatalf("the device was told %s (%v)", f.Text, err)
	}
	return n.Notices[0].Kickout.KickType
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
			items = append(items, readPush(t, f)...)
		}
	}
	in.frames = others
	return items
}

func readPush(t testing.TB, f *Frame) []Push {
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
		items[i] = Push{Servcmd: f.Servcmd, Raw: raw}
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
