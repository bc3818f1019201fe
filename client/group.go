package client

import (
	"context"
	"strings"
)

const (
	serviceGroup     = "group_open_http_svc."
	serviceCommunity = "million_group_open_http_svc."
)

// groupCommand names a command for a group: communities, known by their IDs, have a service of their own.
func groupCommand(group, name string) string {
	const community, topic = "@TGS#_", "@TOPIC#_"
	if strings.HasPrefix(group, community) && !strings.Contains(group, topic) {
		return serviceCommunity + name
	}
	return serviceGroup + name
}

// JoinGroup joins a group, or asks to: member is true if the user is a member now, and false if somebody has to decide first.
// The text is for who decides, and may be empty.
func (c *Client) JoinGroup(ctx context.Context, group, text string) (member bool, err error) {
	body := struct {
		Group string `json:"GroupId"`
		Text  string `json:"ApplyMsg"`
	}{group, text}
	var rep struct{ JoinedStatus string }
	err = c.Call(ctx, groupCommand(group, "apply_join_group"), &body, &rep)
	return rep.JoinedStatus == "JoinedSuccess", err
}

type groupBody struct {
	Group string `json:"GroupId"`
}

// QuitGroup leaves a group. Once it has returned without an error, no later message of the group is pushed to this connection.
func (c *Client) QuitGroup(ctx context.Context, group string) error {
	return c.Call(ctx, groupCommand(group, "quit_group"), &groupBody{group}, nil)
}

type sequenceItem struct {
	Sequence int64 `json:"MsgSeq"`
}

// RecallInGroup takes a message of a group back, for everybody. The group's type says whose messages the user may recall, the
// app's settings how old they may be.
func (c *Client) RecallInGroup(ctx context.Context, group string, sequence int64) error {
	body := struct {
		groupBody
		Items []sequenceItem `json:"MsgSeqList"`
	}{groupBody{group}, []sequenceItem{{sequence}}}
	var rep struct {
		Items []struct {
			Code int `json:"RetCode"`
		} `json:"RecallRetList"`
	}
	if err := c.Call(ctx, groupCommand(group, "group_msg_recall"), &body, &rep); err != nil {
		return err
	}
	if len(rep.Items) > 0 && rep.Items[0].Code != 0 {
		return &Error{Code: rep.Items[0].Code, Info: "the message was not recalled"}
	}
	return nil
}
