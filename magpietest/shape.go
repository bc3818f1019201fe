package magpietest

import (
	"encoding/json"
	"fmt"

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
		Reads("RecentContactMod", removals),
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
		}
	}
	return lines
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

type removalItem struct {
	PushType int
	Item     struct {
		List []struct {
			Type int
			User string `json:"User_Account"`
		} `json:"RecentContactList"`
	} `json:"RecentContactDeleteItem"`
}

func removals(all []removalItem) (lines []string) {
	for _, one := range all {
		for _, contact := range one.Item.List {
			lines = append(lines, fmt.Sprintf("conversation %d with %s removed elsewhere", contact.Type, contact.User))
		}
	}
	return lines
}
