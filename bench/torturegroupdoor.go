package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// simpleRequest and simpleReply are group_msg_get_simple's.
type simpleRequest struct {
	GroupID         string `json:"GroupId"`
	Count           int    `json:"ReqMsgNumber"`
	UpTo            int64  `json:"ReqMsgSeq,omitempty"`
	WithRecalledMsg int
}

type simpleReply struct {
	Messages []struct {
		From        string          `json:"From_Account"`
		Sequence    int64           `json:"MsgSeq"`
		Placeholder int             `json:"IsPlaceMsg"`
		Body        json.RawMessage `json:"MsgBody"`
	} `json:"RspMsgList"`
}

// recalledPlace is the IsPlaceMsg of a message that was recalled.
const recalledPlace = 2

// checkGroupDoor reads the history at the REST door, which must say the same.
func (t *torture) checkGroupDoor(ctx context.Context, g *groupBook, lines []groupLine) error {
	admin, err := t.stage.backEnd(t.stage.nodes[0])
	if err != nil {
		return err
	}
	again, err := readGroupSimple(ctx, admin, g.id)
	if err != nil {
		return fmt.Errorf("read the history of %s: %w", g.id, err)
	}
	if !slices.Equal(lines, again) {
		t.report.find(&t.report.Disagreements, "%s: %d messages at the client door, %d at the REST door, not the same",
			g.id, len(lines), len(again))
	}
	return nil
}

// readGroupSimple reads a group's whole history as the back end, oldest first.
func readGroupSimple(ctx context.Context, b *backEnd, group string) ([]groupLine, error) {
	const page = 20
	request := simpleRequest{GroupID: group, Count: page, WithRecalledMsg: 1}
	var lines []groupLine
	for {
		var reply simpleReply
		if err := b.call(ctx, "group_open_http_svc/group_msg_get_simple", &request, &reply); err != nil {
			return nil, err
		}
		for _, m := range reply.Messages {
			text, tip := textOfBody(m.Body)
			lines = append(lines, groupLine{m.Sequence, line{m.From, text, m.Placeholder == recalledPlace}, tip})
		}
		if len(reply.Messages) == 0 || lines[len(lines)-1].sequence <= 1 {
			slices.Reverse(lines)
			return lines, nil
		}
		next := lines[len(lines)-1].sequence - 1
		if request.UpTo != 0 && next >= request.UpTo {
			return nil, errors.New("a page that is not the last leads nowhere")
		}
		request.UpTo = next
	}
}

// textOfBody reads the text of a message's first element, or finds that it is a tip, whose body is no list.
func textOfBody(body json.RawMessage) (text string, tip bool) {
	var elements []struct{ MsgContent struct{ Text string } }
	if json.Unmarshal(body, &elements) != nil {
		return "", true
	}
	if len(elements) == 0 {
		return "", false
	}
	return elements[0].MsgContent.Text, false
}
