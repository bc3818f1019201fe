package groupmessage

import (
	"cmp"
	"context"
	"strconv"

	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/chat/annotate"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// countResult is how many have read a message.
type countResult struct {
	Sequence int64   `json:"MsgSeq"`
	Read     int64   `json:"ReadNum"`
	Unread   int64   `json:"UnreadNum"`
	Code     im.Code `json:"Code"`
}

type receiptsReply struct {
	List []countResult `json:"GroupMsgReceiptList"`
}

func (g *GroupMessages) receiptsCommand() command.Command {
	return command.New(receiptSpec("get_group_msg_receipt", "tell how many have read messages"), g.receipts)
}

// readsReceipts is reads of a group whose messages have receipts.
func (g *GroupMessages) readsReceipts(ctx context.Context, call *command.Call, groupID, topicID string) (*reader, error) {
	of, err := g.find(ctx, call, groupID, topicID)
	if err != nil {
		return nil, err
	}
	if !receiptsOn(call.App, of.Type) {
		return nil, errNoReceipts(of)
	}
	return g.reads(ctx, call, groupID, topicID)
}

// receipts answers for each message by itself; a client learns of its own ones alone.
func (g *GroupMessages) receipts(ctx context.Context, call *command.Call, r *receiptsRequest) (*receiptsReply, error) {
	by, err := g.readsReceipts(ctx, call, r.GroupID, r.TopicID)
	if err != nil {
		return nil, err
	}
	sequences, err := receiptSequences(call.App, by.group, r.List)
	if err != nil {
		return nil, err
	}
	found, err := g.chats.At(ctx, g.db, by.chat, sequences)
	if err != nil {
		return nil, err
	}
	bySequence, counted := map[int64]*chat.Message{}, []*chat.Message{}
	for i := range found {
		if m := &found[i]; by.receiptsOf(call, m) == im.CodeOK {
			counted = append(counted, m)
		}
		bySequence[found[i].Sequence] = &found[i]
	}
	counts, err := g.counted(ctx, g.db, by.group, counted)
	if err != nil {
		return nil, err
	}
	reply := &receiptsReply{List: make([]countResult, len(sequences))}
	for i, n := range sequences {
		reply.List[i] = countResult{Sequence: n, Code: by.receiptsOf(call, bySequence[n])}
		if m := bySequence[n]; reply.List[i].Code == im.CodeOK {
			reply.List[i].Read, reply.List[i].Unread = counts[m.ID].Read, counts[m.ID].Unread
		}
	}
	return reply, nil
}

// receiptsOf tells by a code whether the caller may know of a message's receipts: they are its sender's.
func (r *reader) receiptsOf(call *command.Call, m *chat.Message) im.Code {
	switch {
	case !hasReceipts(m):
		return im.CodeReceiptNone
	case !call.Admin() && m.From != call.Account:
		return im.CodeGroupRights
	}
	return im.CodeOK
}

// receiptListRequest has the names of both doors: a client says Flag and Num, a back end Filter and Count.
type receiptListRequest struct {
	GroupID  string       `json:"GroupId"`
	TopicID  string       `json:"TopicId"`
	Sequence int64        `json:"MsgSeq"`
	Flag     *int         `json:"Flag"`
	Filter   *int         `json:"Filter"`
	Cursor   string       `json:"Cursor"`
	Num      *wire.Number `json:"Num"`
	Count    *wire.Number `json:"Count"`
}

type readBy struct {
	Account string `json:"Read_Account"`
}

type unreadBy struct {
	Account string `json:"Unread_Account"`
}

// receiptListReply says that it is the last page under the names of both doors.
type receiptListReply struct {
	Sequence int64      `json:"MsgSeq"`
	Cursor   string     `json:"Cursor"`
	Finish   wire.Bool  `json:"IsFinish"`
	Finished wire.Bool  `json:"IsFinished"`
	Read     []readBy   `json:"ReadList"`
	Unread   []unreadBy `json:"UnreadList"`
}

func (g *GroupMessages) receiptListCommand() command.Command {
	return command.New(receiptSpec("get_group_msg_receipt_detail", "list who has read a message, or has not"), g.receiptList)
}

func (g *GroupMessages) receiptList(ctx context.Context, call *command.Call, r *receiptListRequest) (*receiptListReply, error) {
	by, err := g.readsReceipts(ctx, call, r.GroupID, r.TopicID)
	if err != nil {
		return nil, err
	}
	ask, err := r.list()
	if err != nil {
		return nil, err
	}
	m, err := g.chats.BySequence(ctx, g.db, by.chat, r.Sequence)
	if err != nil {
		return nil, err
	}
	if code := by.receiptsOf(call, m); code != im.CodeOK {
		return nil, im.Errorf(code, "message %d has no receipts, or they are another member's", r.Sequence)
	}
	readers, err := g.readers(ctx, g.db, by.group)
	if err != nil {
		return nil, err
	}
	who, next, err := g.attached.Who(ctx, g.db, m, readers, ask)
	if err != nil {
		return nil, err
	}
	return g.receiptListOf(ctx, m, ask, who, next)
}

// The values of Flag and Filter.
const (
	listRead   = 0
	listUnread = 1
)

// mostListed bounds a page of those who have read a message.
const mostListed = 200

func (r *receiptListRequest) list() (annotate.List, error) {
	flag, count := *cmp.Or(r.Flag, r.Filter, new(int)), int(*cmp.Or(r.Num, r.Count, new(wire.Number)))
	if flag != listRead && flag != listUnread {
		return annotate.List{}, im.Errorf(im.CodeGroupParameter, "the filter is %d: want 0 for who has read it, or 1", flag)
	}
	if count <= 0 || count > mostListed {
		count = mostListed
	}
	ask := annotate.List{Unread: flag == listUnread, Limit: count}
	if r.Cursor == "" {
		return ask, nil
	}
	var err error
	if ask.After, err = strconv.ParseInt(r.Cursor, 10, 64); err != nil || ask.After < 0 {
		return ask, im.Errorf(im.CodeGroupParameter, "Cursor is %.30q: want an empty text, or what the page before gave", r.Cursor)
	}
	return ask, nil
}

func (g *GroupMessages) receiptListOf(
	ctx context.Context, m *chat.Message, ask annotate.List, who []im.AccountID, next int64,
) (*receiptListReply, error) {
	names, err := g.accounts.ByID(ctx, g.db, who)
	if err != nil {
		return nil, err
	}
	reply := &receiptListReply{
		Sequence: m.Sequence, Finish: next == 0, Finished: next == 0, Read: []readBy{}, Unread: []unreadBy{},
	}
	if next != 0 {
		reply.Cursor = strconv.FormatInt(next, 10)
	}
	for _, one := range who {
		if ask.Unread {
			reply.Unread = append(reply.Unread, unreadBy{names[one].UserID})
		} else {
			reply.Read = append(reply.Read, readBy{names[one].UserID})
		}
	}
	return reply, nil
}
