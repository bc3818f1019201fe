package client

import (
	"context"
	"iter"
	"slices"

	"github.com/go-json-experiment/json"
)

// Cursor is a place in a conversation's history. The zero value is its newest end, or the oldest when going newer. With
// only Time it is that Unix second, itself included.
type Cursor struct {
	Time int64
	// Key is the server's name of the message at the edge, from an earlier page.
	Key string
}

// HistoryQuery says which part of a history to read. The zero value is the newest page.
type HistoryQuery struct {
	From Cursor
	// Newer goes towards the present instead of the past.
	Newer bool
	// Limit is how many messages a page has; 0 is 15. The server has its own maximum.
	Limit int
	// SkipRecalled leaves messages out that were taken back; otherwise they have [Message.Recalled].
	SkipRecalled bool
}

// Page is a part of a history.
type Page struct {
	// Messages are in the order they were sent, in either direction.
	Messages []Message
	// Next is where the next page in the same direction begins.
	Next Cursor
	// Complete: there is nothing further in this direction.
	Complete bool
}

type historyRequest struct {
	Peer        string `json:"Peer_Account"`
	MaxCnt      int    `json:"MaxCnt"`
	LastMsgTime int64  `json:"LastMsgTime"`
	MsgKey      string `json:"MsgKey"`
	Recalled    int    `json:"WithRecalledMsg"`
	Direction   int    `json:"GetDirection"`
}

type historyReply struct {
	Complete    int           `json:"Complete"`
	MsgList     []wireMessage `json:"MsgList"`
	LastMsgTime int64         `json:"LastMsgTime"`
	MsgKey      string        `json:"MsgKey"`
}

// History reads one page of the conversation with peer, as the server keeps it for this user.
func (c *Client) History(ctx context.Context, peer string, q HistoryQuery) (Page, error) {
	const defaultLimit = 15
	orElse(&q.Limit, defaultLimit)
	request := historyRequest{
		Peer: peer, MaxCnt: q.Limit, LastMsgTime: q.From.Time, MsgKey: q.From.Key,
		Recalled: number(!q.SkipRecalled), Direction: number(q.Newer),
	}
	body, err := json.Marshal(&request)
	if err != nil {
		return Page{}, err
	}
	answer, err := c.do(ctx, "openim.getroammsg", body)
	if err != nil {
		return Page{}, err
	}
	var rep historyReply
	if err = decode(answer, &rep); err != nil {
		return Page{}, err
	}
	page := Page{
		Messages: make([]Message, len(rep.MsgList)),
		Next:     Cursor{Time: rep.LastMsgTime, Key: rep.MsgKey},
		Complete: rep.Complete == 1,
	}
	for i := range rep.MsgList {
		page.Messages[i] = rep.MsgList[i].message()
	}
	return page, nil
}

// Messages reads a history message by message, a page at a time as they are needed: from the newest to the oldest, or
// with [HistoryQuery.Newer] the other way. An error is the last thing it yields.
func (c *Client) Messages(ctx context.Context, peer string, q HistoryQuery) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		for {
			page, err := c.History(ctx, peer, q)
			if err != nil {
				yield(Message{}, err)
				return
			}
			if !q.Newer {
				slices.Reverse(page.Messages)
			}
			for _, m := range page.Messages {
				if !yield(m, nil) {
					return
				}
			}
			if page.Complete || page.Next == q.From {
				return
			}
			q.From = page.Next
		}
	}
}

// number is how the wire writes a truth.
func number(truth bool) int {
	if truth {
		return 1
	}
	return 0
}
