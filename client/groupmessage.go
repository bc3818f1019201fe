package client

import (
	"cmp"
	"hash/maphash"

	"github.com/go-json-experiment/json/jsontext"
)

// GroupMessage is one message of a group. All times are Unix seconds.
type GroupMessage struct {
	// Group is the group's ID.
	Group string
	// Sequence is the message's number in its group: 1, 2, 3, … without gaps. It is 0 of an online-only message.
	Sequence int64
	// From is the account that sent it; this user for a copy of what another of his devices sent.
	From string
	// Seq and Random were chosen by the sender.
	Seq, Random uint32
	// Time is the server's, ClientTime the sender's.
	Time, ClientTime int64
	// TinyID is the server's number of the sender.
	TinyID string
	// Elements are the content, usually one. There are none of a message that is for other members.
	Elements []Element
	// Tip is what the server says of the group in the place of a message, such as who joined, as the wire has it (in the
	// history); nil of a message.
	Tip jsontext.Value
	// CloudCustomData is the app's own text beside the content.
	CloudCustomData string
	// FromNick and FromFaceURL are the sender's profile at that time, NameCard his name in the group; each if the server carries it.
	FromNick, FromFaceURL, NameCard string
	// Version counts edits; 0 is the message as sent.
	Version int64
	// NeedReadReceipt: the sender asked to be told who reads this very message.
	NeedReadReceipt bool
	// OnlineOnly: it is neither stored nor counted.
	OnlineOnly bool
	// Recalled: it was taken back (in the history); Elements may still be there.
	Recalled bool
	// Hidden: it is there and not for this user, who is told its Sequence only (in the history).
	Hidden bool
}

// Text is the text of the first text element, empty when there is none.
func (m *GroupMessage) Text() string { return textOf(m.Elements) }

// wireGroupMessage is a group's message as pushes and the history carry it.
type wireGroupMessage struct {
	From  string `json:"From_Account"`
	Group string `json:"GroupId"`
	Info  struct {
		Nick    string `json:"From_AccountNick"`
		FaceURL string `json:"From_AccountHeadurl"`
		Extra   struct {
			NameCard string `json:"NameCard"`
		} `json:"MsgFrom_AccountExtraInfo"`
	} `json:"GroupInfo"`
	Sequence   int64  `json:"MsgSeq"`
	Random     uint32 `json:"MsgRandom"`
	Seq        uint32 `json:"ClientSeq"`
	Time       int64  `json:"MsgTimeStamp"`
	ClientTime int64  `json:"MsgClientTime"`
	TinyID     string `json:"TinyId"`
	// Body is a list of elements, or an object of a tip.
	Body            jsontext.Value `json:"MsgBody"`
	CloudCustomData string         `json:"CloudCustomData"`
	NeedReadReceipt int            `json:"NeedReadReceipt"`
	Version         int64          `json:"MsgVersion"`
	OnlineOnly      int            `json:"OnlineOnlyFlag"`
	Placeholder     int            `json:"IsPlaceMsg"`
}

// The values of wireGroupMessage.Placeholder.
const (
	placeHidden   = 1
	placeRecalled = 2
)

// message converts it for callers. The content is copied, since a push is lent.
func (w *wireGroupMessage) message() (GroupMessage, error) {
	m := GroupMessage{
		Group: w.Group, Sequence: w.Sequence, From: w.From, Seq: w.Seq, Random: w.Random,
		Time: w.Time, ClientTime: w.ClientTime, TinyID: w.TinyID, CloudCustomData: w.CloudCustomData,
		FromNick: w.Info.Nick, FromFaceURL: w.Info.FaceURL, NameCard: w.Info.Extra.NameCard, Version: w.Version,
		NeedReadReceipt: w.NeedReadReceipt != 0, OnlineOnly: w.OnlineOnly != 0,
		Recalled: w.Placeholder == placeRecalled, Hidden: w.Placeholder == placeHidden,
	}
	if w.Body.Kind() == '[' {
		return m, decode(w.Body, &m.Elements)
	}
	m.Tip = w.Body.Clone()
	return m, nil
}

// giveGroup hands a group's message to OnGroupMessage, unless it has been there: a server pushes a message again whose sender
// repeated it after a crash. One that cannot be read does not keep the others back.
func (c *Client) giveGroup(w *wireGroupMessage) {
	if c.opt.OnGroupMessage == nil {
		return
	}
	m, err := w.message()
	if err != nil {
		c.log.Warn("group message dropped", fieldError, err)
		return
	}
	fresh := c.known.add(groupKey(c.seed, &m))
	c.mu.Lock()
	if fresh {
		c.stats.Received++
	} else {
		c.stats.Duplicates++
	}
	c.mu.Unlock()
	if fresh {
		c.opt.OnGroupMessage(m)
	}
}

// groupKey tells a group's message apart, by its sequence if it has one.
func groupKey(seed maphash.Seed, m *GroupMessage) seenKey {
	from, group := maphash.String(seed, m.From), maphash.String(seed, m.Group)
	return seenKey{pair: from*31 + group, seq: m.Seq, random: m.Random, time: cmp.Or(m.Sequence, m.Time)}
}
