package live

import "github.com/magpie-im/magpie/internal/wire"

// eventRecall is the Event by which who polls is told of recalled messages; in a push it is another one.
const eventRecall = 20

// pushedTip is what a node reads of a tip that was pushed: whether it tells of recalled messages.
type pushedTip struct {
	Event   int      `json:"Event"`
	Group   string   `json:"ToGroupId"`
	Number  int64    `json:"MsgSeq"`
	Info    wire.Raw `json:"GroupInfo"`
	Revoker wire.Raw `json:"RevokerInfo"`
	Body    wire.Raw `json:"MsgBody"`
}

type recalledMessage struct {
	Number     int64  `json:"MsgSeq"`
	Random     int64  `json:"MsgRandom"`
	ClientTime int64  `json:"MsgClientTime"`
	TinyID     string `json:"TinyId"`
}

// polledRecall is how who polls is told of recalled messages (docs/protocol/wire.md#live-items).
type polledRecall struct {
	Event   int      `json:"Event"`
	Group   string   `json:"GroupId"`
	To      string   `json:"ToGroupId"`
	Number  int64    `json:"MsgSeq"`
	Info    wire.Raw `json:"GroupInfo"`
	Revoker wire.Raw `json:"RevokerInfo"`
	Body    struct {
		List []recalledMessage `json:"RevokeMsgList"`
	} `json:"MsgBody"`
}

// recall gives the numbers of the messages that the tip says were recalled, and how that is told who polls; nothing, if it says
// something else.
func (t *pushedTip) recall() (numbers []int64, polled wire.Raw) {
	var body struct {
		List []recalledMessage `json:"GroupWithdrawInfoArray"`
	}
	if wire.Unmarshal(t.Body, &body) != nil || len(body.List) == 0 {
		return nil, nil
	}
	it := polledRecall{Event: eventRecall, Group: t.Group, To: t.Group, Number: t.Number, Info: t.Info, Revoker: t.Revoker}
	it.Body.List = body.List
	for _, one := range body.List {
		numbers = append(numbers, one.Number)
	}
	text, err := wire.Marshal(it)
	if err != nil {
		return numbers, nil
	}
	return numbers, text
}
