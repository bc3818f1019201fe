package client

import "context"

// The kinds of [Conversation].
const (
	C2C   = 1 // with one user
	Group = 2
)

// Conversation is one row of the user's list.
type Conversation struct {
	// Type is [C2C] or [Group].
	Type int
	// ID is the peer's user ID or the group's ID.
	ID string
	// Name, FaceURL and Remark are what to show for it: nick or group name, picture, the user's own name for a friend.
	Name, FaceURL, Remark string
	// Time is that of the last message in Unix seconds, Seq its sequence, LastFrom its sender.
	Time     int64
	Seq      uint64
	LastFrom string
	// Last is the last message's content, nil when it was recalled, is a tip, or there is none.
	Last []Element
	// LastRecalled: the last message was taken back.
	LastRecalled bool
	// Unread counts messages not read. Of one-to-one conversations [Client.Unread] is the better source.
	Unread int
	// PeerReadTime is up to when the peer of a one-to-one conversation has read, in Unix seconds.
	PeerReadTime int64
	// Pinned: it stands at the top.
	Pinned bool
	// RecvOption is 0 notify, 1 do not receive, 2 receive without notifying, 3 only mentions.
	RecvOption int
	// Marks are bits, the right-most is mark 1, as a string of 0 and 1; CustomMark is the app's own text.
	Marks, CustomMark string
}

type conversationsRequest struct {
	From          string `json:"From_Account"`
	TimeStamp     int64  `json:"TimeStamp"`
	StartIndex    int64  `json:"StartIndex"`
	TopTimeStamp  int64  `json:"TopTimeStamp"`
	TopStartIndex int64  `json:"TopStartIndex"`
	OrderType     int    `json:"OrderType"`
	MsgFlags      int    `json:"MsgAssistFlags"`
	Flags         int    `json:"AssistFlags"`
}

type conversationsReply struct {
	Complete      int                `json:"CompleteFlag"`
	TimeStamp     int64              `json:"TimeStamp"`
	StartIndex    int64              `json:"StartIndex"`
	TopTimeStamp  int64              `json:"TopTimeStamp"`
	TopStartIndex int64              `json:"TopStartIndex"`
	Items         []wireConversation `json:"SessionItem"`
}

type wireConversation struct {
	Type         int    `json:"Type"`
	Peer         string `json:"To_Account"`
	Group        string `json:"ToAccount"` // without the underscore
	C2CNick      string `json:"C2cNick"`
	C2CImage     string `json:"C2cImage"`
	C2CRemark    string `json:"C2cRemark"`
	GroupNick    string `json:"GroupNick"`
	GroupImage   string `json:"GroupImage"`
	Time         int64  `json:"MsgTimeStamp"`
	Seq          uint64 `json:"MsgSeq"`
	C2CFrom      string `json:"LastC2CMsgFrom_Account"`
	GroupFrom    string `json:"MsgGroupFrom_Account"`
	LastFlags    int    `json:"LastMsgFlags"`
	Unread       int    `json:"UnreadMsgCount"`
	Ignored      int    `json:"GroupIgnoredUnreadSeqCount"`
	PeerReadTime int64  `json:"C2cPeerReadTime"`
	Top          int    `json:"TopFlags"`
	RecvOption   int    `json:"MsgRecvOption"`
	Marks        string `json:"StandardMark"`
	CustomMark   string `json:"CustomMark"`
	Last         struct {
		Body []Element `json:"MsgBody"`
	} `json:"LastMsg"`
}

func (w *wireConversation) conversation() Conversation {
	v := Conversation{
		Type: w.Type, Time: w.Time, Seq: w.Seq, Last: w.Last.Body, PeerReadTime: w.PeerReadTime,
		Pinned: w.Top == 1, RecvOption: w.RecvOption, Marks: w.Marks, CustomMark: w.CustomMark,
	}
	if w.Type == Group {
		const recalled = 2
		v.ID, v.Name, v.FaceURL, v.LastFrom = w.Group, w.GroupNick, w.GroupImage, w.GroupFrom
		v.Unread, v.LastRecalled = max(0, w.Unread-w.Ignored), w.LastFlags == recalled
	} else {
		v.ID, v.Name, v.FaceURL, v.LastFrom = w.Peer, w.C2CNick, w.C2CImage, w.C2CFrom
		v.Remark, v.Unread, v.LastRecalled = w.C2CRemark, w.Unread, w.LastFlags&flagRecalled != 0
	}
	if v.LastRecalled {
		v.Last = nil
	}
	return v
}

// Conversations reads the user's whole list in the server's order, as many as it keeps (100 by default).
func (c *Client) Conversations(ctx context.Context) ([]Conversation, error) {
	const mostPages = 1000
	request := conversationsRequest{From: c.opt.UserID, OrderType: 1, MsgFlags: 15, Flags: 31}
	var list []Conversation
	for range mostPages {
		var page conversationsReply
		if err := c.Call(ctx, "recentcontact.page_get", &request, &page); err != nil {
			return nil, err
		}
		for i := range page.Items {
			list = append(list, page.Items[i].conversation())
		}
		before := request
		request.TimeStamp, request.StartIndex = page.TimeStamp, page.StartIndex
		request.TopTimeStamp, request.TopStartIndex = page.TopTimeStamp, page.TopStartIndex
		if page.Complete == 1 || request == before {
			break
		}
	}
	return list, nil
}
