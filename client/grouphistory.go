package client

import (
	"context"
	"iter"
)

// GroupQuery says which part of a group's history to read. The zero value is the newest page.
type GroupQuery struct {
	// UpTo is the highest sequence wanted, itself included; 0 is the newest message.
	UpTo int64
	// Limit is how many messages a page has; 0 is 21, the web SDK's. The server has its own maximum.
	Limit int
}

// GroupPage is a part of a group's history.
type GroupPage struct {
	// Messages are in the order of their sequences.
	Messages []GroupMessage
	// Next is the UpTo of the next older page; 0 when there is nothing older that the user may read.
	Next int64
}

type groupHistoryRequest struct {
	groupBody
	Count    int   `json:"ReqMsgNumber"`
	UpTo     int64 `json:"ReqMsgSeq,omitzero"`
	Recalled int   `json:"WithRecalledMsg"`
}

type groupHistoryReply struct {
	Finished int                `json:"IsFinished"`
	Next     int64              `json:"NextReqMsgSeq"`
	Messages []wireGroupMessage `json:"RspMsgList"` // newest first
}

// GroupHistory reads one page of a group's history as the server keeps it for this user, who must be a member. Pushes of groups
// are not synced: a program that finds a gap between the sequences of two, or was disconnected, reads here what it missed.
func (c *Client) GroupHistory(ctx context.Context, group string, q GroupQuery) (GroupPage, error) {
	const defaultLimit, finished = 21, 2
	orElse(&q.Limit, defaultLimit)
	var rep groupHistoryReply
	err := c.Call(ctx, groupCommand(group, "group_msg_get"), &groupHistoryRequest{groupBody{group}, q.Limit, q.UpTo, 1}, &rep)
	if err != nil {
		return GroupPage{}, err
	}
	page := GroupPage{Messages: make([]GroupMessage, len(rep.Messages)), Next: max(rep.Next, 0)}
	if rep.Finished == finished {
		page.Next = 0
	}
	for i := range rep.Messages {
		if page.Messages[len(rep.Messages)-1-i], err = rep.Messages[i].message(); err != nil {
			return GroupPage{}, err
		}
	}
	return page, nil
}

// GroupMessages reads a group's history message by message from the newest to the oldest, a page at a time as they are needed.
// An error is the last thing it yields.
func (c *Client) GroupMessages(ctx context.Context, group string, q GroupQuery) iter.Seq2[GroupMessage, error] {
	return func(yield func(GroupMessage, error) bool) {
		for {
			page, err := c.GroupHistory(ctx, group, q)
			if err != nil {
				yield(GroupMessage{}, err)
				return
			}
			for i := len(page.Messages) - 1; i >= 0; i-- {
				if !yield(page.Messages[i], nil) {
					return
				}
			}
			if page.Next == 0 || q.UpTo != 0 && page.Next >= q.UpTo {
				return
			}
			q.UpTo = page.Next
		}
	}
}
