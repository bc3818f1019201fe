package client

import (
	"errors"
	"strconv"
	"strings"
)

// Message is one message of a one-to-one conversation. All times are Unix seconds.
type Message struct {
	// From and To are the two accounts; From is this user for a copy of what another device sent.
	From, To string
	// Seq and Random were chosen by the sender; with Time they are the message's [Key].
	Seq, Random uint32
	// Time is the server's, ClientTime the sender's.
	Time, ClientTime int64
	// TinyID is the server's number of the sender; clients build a message's ID from it, ClientTime and Random.
	TinyID string
	// Elements are the content, usually one.
	Elements []Element
	// CloudCustomData is the app's own text beside the content.
	CloudCustomData string
	// FromNick and FromFaceURL are the sender's profile at that time, if the server carries it.
	FromNick, FromFaceURL string
	// Version counts edits; 0 is the message as sent.
	Version int64
	// NeedReadReceipt: the sender asked to be told when this very message is read. ReadByPeer: it was (in the history).
	NeedReadReceipt, ReadByPeer bool
	// OnlineOnly: it is neither stored nor counted.
	OnlineOnly bool
	// Recalled: the author took it back (in the history); Elements may still be there.
	Recalled bool
}

// Key names the message in the commands that refer to one.
func (m *Message) Key() Key { return Key{Seq: m.Seq, Random: m.Random, Time: m.Time} }

// Peer is the other side of the conversation, seen from self.
func (m *Message) Peer(self string) string {
	if m.From == self {
		return m.To
	}
	return m.From
}

// Text is the text of the first text element, empty when there is none.
func (m *Message) Text() string { return textOf(m.Elements) }

func textOf(elements []Element) string {
	for _, element := range elements {
		if element.Type == "TIMTextElem" {
			var content struct{ Text string }
			if decode(element.Content, &content) == nil {
				return content.Text
			}
		}
	}
	return ""
}

// Key is what the wire calls MsgKey; its text is "<seq>_<random>_<time>".
type Key struct {
	Seq, Random uint32
	// Time is the server's, in Unix seconds.
	Time int64
}

// String writes the key as the wire has it.
func (k Key) String() string {
	text := make([]byte, 0, 34)
	text = append(strconv.AppendUint(text, uint64(k.Seq), 10), '_')
	text = append(strconv.AppendUint(text, uint64(k.Random), 10), '_')
	return string(strconv.AppendInt(text, k.Time, 10))
}

// ParseKey reads a MsgKey.
func ParseKey(text string) (Key, error) {
	seq, rest, _ := strings.Cut(text, "_")
	random, second, found := strings.Cut(rest, "_")
	if !found {
		return Key{}, errors.New("client: a message key has three numbers")
	}
	s, err := strconv.ParseUint(seq, 10, 32)
	r, err2 := strconv.ParseUint(random, 10, 32)
	t, err3 := strconv.ParseInt(second, 10, 64)
	if err = errors.Join(err, err2, err3); err != nil {
		return Key{}, errors.Join(errors.New("client: bad message key"), err)
	}
	return Key{Seq: uint32(s), Random: uint32(r), Time: t}, nil
}

// wireMessage is a message as pushes, syncs and the history carry it.
type wireMessage struct {
	From            string    `json:"From_Account"`
	To              string    `json:"To_Account"`
	Seq             uint32    `json:"MsgSeq"`
	Random          uint32    `json:"MsgRandom"`
	Time            int64     `json:"MsgTimeStamp"`
	MsgTime         int64     `json:"MsgTime"`
	ClientTime      int64     `json:"MsgClientTime"`
	TinyID          string    `json:"TinyId"`
	Body            []Element `json:"MsgBody"`
	CloudCustomData string    `json:"CloudCustomData"`
	Nick            string    `json:"From_AccountNick"`
	FaceURL         string    `json:"From_AccountHeadurl"`
	Version         int64     `json:"MsgVersion"`
	NeedReadReceipt int       `json:"IsNeedReadReceipt"`
	PeerRead        int       `json:"IsPeerRead"`
	LifeTime        *int64    `json:"MsgLifeTime"`
	SyncCopy        int       `json:"IsSyncMsg"`
	Flags           int       `json:"MsgFlagBits"`
	// Events stand in a sync's list in the place of a message.
	Events []pushedEvent `json:"EventArray"`
}

const flagRecalled = 8

// message converts it for callers, turning a copy of the user's own message back the way it was sent.
func (w *wireMessage) message() Message {
	m := Message{
		From: w.From, To: w.To, Seq: w.Seq, Random: w.Random,
		Time: w.Time, ClientTime: w.ClientTime, TinyID: w.TinyID,
		Elements: w.Body, CloudCustomData: w.CloudCustomData,
		FromNick: w.Nick, FromFaceURL: w.FaceURL, Version: w.Version,
		NeedReadReceipt: w.NeedReadReceipt != 0, ReadByPeer: w.PeerRead != 0,
		OnlineOnly: w.LifeTime != nil && *w.LifeTime == 0,
		Recalled:   w.Flags&flagRecalled != 0,
	}
	if m.Time == 0 {
		m.Time = w.MsgTime
	}
	if w.SyncCopy != 0 {
		m.From, m.To = m.To, m.From
	}
	return m
}
