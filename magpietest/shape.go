package magpietest

import (
	"encoding/json"
	"fmt"
	"strings"

	jsonv2 "github.com/go-json-experiment/json"
)

// Shape is how tests read one kind of item that is pushed: the key that holds its value, by which clients route it too
// (docs/protocol/wire.md#push-catalogue), and how it is told in lines.
type Shape struct {
	Key string
	// Lines tells the value, or fails if it cannot be read.
	Lines func(value []byte) ([]string, error)
}

// Reads makes a shape of a value of the type T.
func Reads[T any](key string, tell func(value T) []string) Shape {
	return Shape{key, func(raw []byte) ([]string, error) {
		var value T
		if err := jsonv2.Unmarshal(raw, &value); err != nil {
			return nil, err
		}
		return tell(value), nil
	}}
}

// Shapes teaches the connections of a server more shapes than every test knows. A room that pushes something of its own
// names them in its story. An item of an unknown shape is told as it came.
func Shapes(more ...Shape) Option {
	return func(o *options) { o.shapes = append(o.shapes, more...) }
}

// usual are the shapes that every test knows: what happens to messages, profiles, conversations and logins in the stories of
// all rooms.
func usual() []Shape {
	return []Shape{
		Reads("C2cNotifyMsgArray", notices), Reads("ProfileDataMod", profiles), Reads("C2cMsgModNotifys", edits),
		Reads("RecentContactMod", conversations), Reads("C2cMsgInfo", receipts),
		Reads("MsgExtensionNotify", extensions), Reads("MsgReactionNotifyList", reactions), Reads("MsgReactionNotify", ownReaction),
	}
}

// tell says a pushed item in lines, by the shapes of its keys.
func tell(shapes []Shape, raw []byte) (lines []string, err error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return nil, err
	}
	for _, s := range shapes {
		value, ok := members[s.Key]
		if !ok {
			continue
		}
		some, err := s.Lines(value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.Key, err)
		}
		lines = append(lines, some...)
	}
	return lines, nil
}

// noticeItem is a notice about messages or about the login: one of its members is there.
type noticeItem struct {
	Kickout  *struct{ KickType int } `json:"KickoutMsgNotify"`
	Withdraw *struct {
		List []withdrawn `json:"C2cWithdrawInfoArray"`
	} `json:"WithdrawC2cMsgNotify"`
	PeerRead *struct {
		To   string     `json:"To_Account"`
		List []lastRead `json:"UinPairReadArray"`
	} `json:"C2cReadedReceipt"`
	OwnRead *struct {
		List []lastRead `json:"UinPairReadArray"`
	} `json:"ReadC2cMsgNotify"`
	Mute *struct {
		To   string `json:"To_Account"`
		Mute int    `json:"MuteNotifications"`
	} `json:"MuteNotificationsSync"`
}

type withdrawn struct {
	From    string `json:"From_Account"`
	To      string `json:"To_Account"`
	Seq     int64  `json:"MsgSeq"`
	Random  int64  `json:"MsgRandom"`
	Time    int64  `json:"MsgTimeStamp"`
	Revoker struct {
		Account string `json:"Revoker_Account"`
	} `json:"RevokerInfo"`
}

type lastRead struct {
	From string `json:"From_Account"`
	Time int64  `json:"LastReadTime"`
}

func notices(all []noticeItem) (lines []string) {
	for _, one := range all {
		switch {
		case one.Kickout != nil:
			lines = append(lines, fmt.Sprintf("kicked %d", one.Kickout.KickType))
		case one.Withdraw != nil:
			for _, m := range one.Withdraw.List {
				lines = append(lines, fmt.Sprintf("%s → %s: %d_%d_%d recalled by %s", m.From, m.To, m.Seq, m.Random, m.Time, m.Revoker.Account))
			}
		case one.PeerRead != nil:
			lines = append(lines, fmt.Sprintf("%s has read up to %d", one.PeerRead.To, one.PeerRead.List[0].Time))
		case one.OwnRead != nil:
			lines = append(lines, fmt.Sprintf("read %s up to %d elsewhere", one.OwnRead.List[0].From, one.OwnRead.List[0].Time))
		case one.Mute != nil:
			lines = append(lines, fmt.Sprintf("receive option %d for %s", one.Mute.Mute, one.Mute.To))
		}
	}
	return lines
}

// receiptItem is a message that has been read, and asked for a receipt.
type receiptItem struct {
	From       string `json:"From_Account"`
	To         string `json:"To_Account"`
	Seq        int64  `json:"MsgSeq"`
	Random     int64  `json:"MsgRandom"`
	Time       int64  `json:"MsgTime"`
	ClientTime int64  `json:"MsgClientTime"`
	TinyID     string `json:"TinyId"`
}

func receipts(all []receiptItem) (lines []string) {
	for _, m := range all {
		lines = append(lines, fmt.Sprintf("%s → %s: %d_%d_%d has its receipt", m.From, m.To, m.Seq, m.Random, m.Time))
	}
	return lines
}

// annotatedItem is how events name a message to which something is attached.
type annotatedItem struct {
	C2C   *annotatedMessage `json:"C2CMsgInfo"`
	Group *annotatedMessage `json:"GroupMsgInfo"`
}

type annotatedMessage struct {
	From       string `json:"From_Account"`
	To         string `json:"To_Account"`
	Group      string `json:"GroupId"`
	TinyID     string `json:"TinyId"`
	ClientTime int64  `json:"MsgClientTime"`
	Random     int64  `json:"MsgRandom"`
	Seq        int64  `json:"MsgSeq"`
}

// String is "alice → bob" or "alice → group": the sender is always told, and of what the message's id is made.
func (i *annotatedItem) String() string {
	m := i.C2C
	if m == nil {
		m = i.Group
	}
	if m == nil || m.TinyID == "" || m.Random == 0 || m.ClientTime == 0 || m.Seq == 0 {
		return "an unknown message"
	}
	if m.Group != "" {
		return m.From + " → group"
	}
	return m.From + " → " + m.To
}

func reactions(all []struct {
	annotatedItem
	Summary []struct {
		Reaction    string
		Count       int
		Users       []string `json:"Reaction_Account"`
		ReactedByMe *int
	} `json:"MsgReactionSummary"`
}) (lines []string) {
	for _, one := range all {
		for _, s := range one.Summary {
			lines = append(lines, fmt.Sprintf("%s: %s by %d %v", one.String(), s.Reaction, s.Count, s.Users))
		}
	}
	return lines
}

type extensionItem struct {
	TinyID string            `json:"TinyId"`
	Change int               `json:"MsgOptType"`
	Seq    int               `json:"MsgLastSeq"`
	C2C    *annotatedMessage `json:"ExtensionC2cMsgInfo"`
	Group  *annotatedMessage `json:"ExtensionGroupMsgInfo"`
	Set    []keyValues       `json:"SetKVInfo"`
	Delete []keyValues       `json:"DeleteKVInfo"`
	Clear  []keyValues       `json:"ClearKVInfo"`
}

type keyValues struct {
	List []struct {
		Key, Value string
		Seq        int
	} `json:"MsgKeyValue"`
	ClearMsgSeq int
}

func extensions(one extensionItem) (lines []string) {
	where := annotatedItem{one.C2C, one.Group}
	for _, part := range []struct {
		change int
		all    []keyValues
	}{{1, one.Set}, {2, one.Delete}, {3, one.Clear}} {
		for _, some := range part.all {
			if part.change != one.Change || one.TinyID == "" {
				return []string{fmt.Sprintf("unreadable %+v", one)}
			}
			lines = append(lines, fmt.Sprintf("%s: extensions %d %v cleared %d of %d", where.String(), part.change, some.List, some.ClearMsgSeq, one.Seq))
		}
	}
	return lines
}

func ownReaction(one struct {
	annotatedItem
	Reaction   string
	MsgOptType int
}) []string {
	return []string{fmt.Sprintf("%s: own %s %d", one.String(), one.Reaction, one.MsgOptType)}
}

type editItem struct {
	From    string          `json:"From_Account"`
	To      string          `json:"To_Account"`
	Seq     int64           `json:"MsgSeq"`
	Random  int64           `json:"MsgRandom"`
	Time    int64           `json:"MsgTime"`
	Body    json.RawMessage `json:"MsgBody"`
	Version int64           `json:"MsgVersion"`
}

func edits(all []editItem) (lines []string) {
	for _, m := range all {
		now := Item{Body: m.Body}
		lines = append(lines, fmt.Sprintf("%s → %s: %d_%d_%d is now %s, version %d", m.From, m.To, m.Seq, m.Random, m.Time,
			now.Text(), m.Version))
	}
	return lines
}

type profileItem struct {
	Account string `json:"Profile_Account"`
	List    []struct {
		Tag        string
		ValueBytes *string
		ValueNum   *int64
	} `json:"ProfileList"`
}

func profiles(all []profileItem) (lines []string) {
	for _, one := range all {
		for _, field := range one.List {
			switch {
			case field.ValueNum != nil:
				lines = append(lines, fmt.Sprintf("%s: %s=%d", one.Account, field.Tag, *field.ValueNum))
			case field.ValueBytes != nil:
				lines = append(lines, fmt.Sprintf("%s: %s=%q", one.Account, field.Tag, *field.ValueBytes))
			}
		}
	}
	return lines
}

// contact names a conversation in a push.
type contact struct {
	Type  int
	User  string `json:"User_Account"`
	Group string `json:"GroupId"`
}

func (c *contact) String() string {
	return fmt.Sprintf("conversation %d with %s%s", c.Type, c.User, c.Group)
}

// conversationItem is a change of conversations: one of its members is there.
type conversationItem struct {
	PushType int
	Deleted  struct {
		List []contact `json:"RecentContactList"`
	} `json:"RecentContactDeleteItem"`
	Pinned struct {
		List []contact `json:"RecentContactList"`
	} `json:"RecentContactTopItem"`
	Marked struct {
		List []struct {
			OptType                  int
			Contact                  contact `json:"RecentContactItem"`
			StandardMark, CustomMark string
		} `json:"RecentContactMarkContactItem"`
	} `json:"RecentContactMarkContact"`
	Made struct {
		List []struct {
			Folder   folder    `json:"MsgGroupItem"`
			Contacts []contact `json:"MsgRecentContactItem"`
		} `json:"MsgContactGroupContactItem"`
	} `json:"RecentContactCreateContactGroup"`
	Removed struct {
		List []folder `json:"MsgGroupItem"`
	} `json:"RecentContactDelContactGroup"`
	Changed struct {
		UpdateType int
		Folder     struct {
			UpdateGroupType, GroupID int
			GroupName, OldGroupName  string
			Contacts                 []struct {
				Kind    int     `json:"ContactOptType"`
				Contact contact `json:"RecentContactItem"`
			} `json:"RecentContactUpdateGroupItem"`
		} `json:"MsgUpdateGroup"`
	} `json:"RecentContactUpdateContactGroup"`
}

type folder struct{ GroupName string }

func conversations(all []conversationItem) (lines []string) {
	for _, one := range all {
		lines = append(lines, one.lines()...)
	}
	return lines
}

func (c *conversationItem) lines() (lines []string) {
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	for _, one := range c.Deleted.List {
		say("%v removed elsewhere", &one)
	}
	for _, one := range c.Pinned.List {
		say("%v %s elsewhere", &one, map[int]string{2: "pinned", 3: "unpinned"}[c.PushType])
	}
	for _, one := range c.Marked.List {
		say("%v has marks %q and data %q (%d)", &one.Contact, strings.TrimLeft(one.StandardMark, "0"), one.CustomMark, one.OptType)
	}
	for _, one := range c.Made.List {
		say("folder %s made with %d", one.Folder.GroupName, len(one.Contacts))
	}
	for _, one := range c.Removed.List {
		say("folder %s removed", one.GroupName)
	}
	switch of := &c.Changed.Folder; of.UpdateGroupType {
	case 1:
		say("folder %s is now %s", of.OldGroupName, of.GroupName)
	case 2:
		for _, one := range of.Contacts {
			say("%v %s folder %s", &one.Contact, map[int]string{1: "put into", 2: "taken out of"}[one.Kind], of.OldGroupName)
		}
	}
	return lines
}
