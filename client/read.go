package client

import (
	"context"

	"github.com/go-json-experiment/json"
)

type readItem struct {
	Peer    string `json:"To_Account"`
	Time    int64  `json:"LastedMsgTime"` // the wire's spelling
	Receipt int    `json:"Receipt"`
}

// MarkRead marks everything peer sent up to and at a Unix second as read. The peer is told, and the user's other devices.
func (c *Client) MarkRead(ctx context.Context, peer string, time int64) error {
	var body struct {
		Readed struct {
			Cookie string     `json:"Cookie"`
			Items  []readItem `json:"C2CMsgReadedItem"`
		} `json:"C2CMsgReaded"`
	}
	body.Readed.Items = []readItem{{Peer: peer, Time: time, Receipt: 1}}
	return c.Call(ctx, "openim.msgreaded", &body, nil)
}

// PeerReadTime is the Unix second up to which peer has read this user's messages, 0 when unknown.
func (c *Client) PeerReadTime(ctx context.Context, peer string) (int64, error) {
	body := struct {
		To []string `json:"To_Account"`
	}{[]string{peer}}
	var rep struct{ ReadTime []int64 }
	if err := c.Call(ctx, "openim.get_peer_read_time", &body, &rep); err != nil || len(rep.ReadTime) == 0 {
		return 0, err
	}
	return rep.ReadTime[0], nil
}

// Recall takes a message of this user back, for everybody. Both sides must still be able to find it by From, To, Seq,
// Random and Time; the app's settings bound how old it may be.
func (c *Client) Recall(ctx context.Context, m Message) error {
	var body struct {
		Info struct {
			From   string `json:"From_Account"`
			To     string `json:"To_Account"`
			Time   int64  `json:"MsgTimeStamp"`
			Seq    uint32 `json:"MsgSeq"`
			Random uint32 `json:"MsgRandom"`
		} `json:"MsgInfo"`
	}
	body.Info.From, body.Info.To, body.Info.Time = m.From, m.To, m.Time
	body.Info.Seq, body.Info.Random = m.Seq, m.Random
	return c.Call(ctx, "openim.msgwithdraw", &body, nil)
}

type unreadReply struct {
	Cookie   string `json:"Cookie"`
	SyncFlag int    `json:"SyncFlag"`
	More     int    `json:"MoreFlag"`
	Counts   []struct {
		From  string `json:"From_Account"`
		Count int    `json:"UnreadCount"`
	} `json:"C2CPairUnreadCount"`
}

// Unread is how many messages of each peer are not read, without the peers that have none. It reads a whole sync from
// the beginning, the one source of these counters, and leaves the client's own cookie alone.
func (c *Client) Unread(ctx context.Context) (map[string]int, error) {
	request := struct {
		Cookie                                                             string
		SyncFlag, NeedAbstract, IsOnlineSync, NeedSignaling, NeedCachedMsg int
	}{NeedAbstract: 1, NeedSignaling: 1, NeedCachedMsg: 1}
	counts := make(map[string]int)
	for range maxSyncPages {
		body, err := json.Marshal(&request)
		if err != nil {
			return nil, err
		}
		answer, err := c.do(ctx, cmdGetMsg, body)
		if err != nil {
			return nil, err
		}
		var page unreadReply
		if err = decode(answer, &page); err != nil {
			return nil, err
		}
		for _, item := range page.Counts {
			counts[item.From] = item.Count
			if item.Count == 0 {
				delete(counts, item.From)
			}
		}
		if (page.SyncFlag == 2 && page.More == 0) || page.Cookie == "" || page.Cookie == request.Cookie {
			break
		}
		request.Cookie, request.SyncFlag = page.Cookie, page.SyncFlag
	}
	return counts, nil
}
