package groupmessage

import (
	"context"

	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/chat/annotate"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
)

// askReceipts holds a draft that asks for receipts against the rules. Where the group has none, the message is sent without, and
// its sender learns why.
func (d *Draft) askReceipts(call *command.Call) error {
	if !d.Flags.Has(chat.NeedReceipt) {
		return nil
	}
	switch {
	case !receiptsOn(call.App, d.Group.Type):
		d.receipts = im.CodeGroupRights
	case d.OnlineOnly:
		return im.Errorf(im.CodeReceiptOnline, "a message for whoever is online has no receipts: leave NeedReadReceipt out")
	case d.Group.MemberCount > int64(receiptMembers.Of(call.App)):
		d.receipts = im.CodeReceiptMembers
	}
	if d.receipts != im.CodeOK {
		d.Flags &^= chat.NeedReceipt
	}
	return nil
}

// receiptsRequest names messages whose receipts are given, or asked for. From is who has read them, at the REST door.
type receiptsRequest struct {
	GroupID string     `json:"GroupId"`
	TopicID string     `json:"TopicId"`
	From    string     `json:"From_Account"`
	List    []sequence `json:"MsgSeqList"`
}

// receiptResult says of a message whether it has receipts.
type receiptResult struct {
	Sequence int64   `json:"MsgSeq"`
	Code     im.Code `json:"Code"`
}

type givenReply struct {
	List []receiptResult `json:"MsgSeqList"`
}

// receiptSpec is what the commands of receipts have in common.
func receiptSpec(name, doc string) command.Spec {
	return command.Spec{
		Service: service, Name: name, Also: []string{community}, By: command.Administrator | command.Account,
		Family: im.FamilyGroup(), Doc: doc, Section: "rest.md#" + name,
	}
}

func (g *GroupMessages) giveReceiptsCommand() command.Command {
	return command.New(receiptSpec("group_msg_receipt", "give receipts of messages that a member has read"), g.giveReceipts)
}

func (g *GroupMessages) giveReceipts(ctx context.Context, call *command.Call, r *receiptsRequest) (*givenReply, error) {
	given, err := g.receiptsOf(ctx, call, r)
	if err != nil {
		return nil, err
	}
	var refused error
	err = g.db.Write(ctx, func(tx *db.Tx) error {
		refused, err = given.take(ctx, tx, g)
		return err
	})
	if err != nil || refused != nil {
		return nil, orElse(err, refused)
	}
	g.pushReceipts(ctx, given)
	return &givenReply{given.results()}, nil
}

func orElse(first, second error) error {
	if first != nil {
		return first
	}
	return second
}

// given are receipts that a member gives.
type given struct {
	call      *command.Call
	group     *group.Group
	chat      int64
	reader    im.AccountID
	userID    string
	sequences []int64

	found map[int64]*chat.Message // those that the member sees and that have receipts, by sequence
	fresh []*chat.Message         // those that it had given none of
}

// receiptsOf checks what a request names.
func (g *GroupMessages) receiptsOf(ctx context.Context, call *command.Call, r *receiptsRequest) (*given, error) {
	of, err := g.find(ctx, call, r.GroupID, r.TopicID)
	if err != nil {
		return nil, err
	}
	d := &given{call: call, group: of, reader: call.Account, userID: call.UserID}
	if call.Admin() {
		one, err := g.account(ctx, call.App, r.From)
		if err != nil {
			return nil, err
		}
		d.reader, d.userID = one.ID, one.UserID
	}
	if d.sequences, err = receiptSequences(call.App, of, r.List); err != nil {
		return nil, err
	}
	d.chat, err = g.chats.Find(ctx, of.Chat())
	return d, err
}

// receiptSequences are the sequences of a list, in a group whose messages have receipts.
func receiptSequences(app *im.App, of *group.Group, list []sequence) ([]int64, error) {
	most := int(of.Type.Number("receipt.max_per_call"))
	switch {
	case !receiptsOn(app, of.Type):
		return nil, errNoReceipts(of)
	case len(list) == 0 || len(list) > most:
		return nil, im.Errorf(im.CodeGroupTooMany, "MsgSeqList: want 1 to %d sequences", most)
	}
	sequences := make([]int64, len(list))
	for i, one := range list {
		sequences[i] = one.Number
	}
	return sequences, nil
}

func errNoReceipts(of *group.Group) error {
	return im.Errorf(im.CodeGroupRights, "groups of type %s have no receipts", of.Type)
}

// take stores the receipts. Whether the account is a member is looked at here alone, in the transaction.
func (d *given) take(ctx context.Context, tx *db.Tx, g *GroupMessages) (refused, err error) {
	d.found, d.fresh = map[int64]*chat.Message{}, nil
	member, err := g.groups.Member(ctx, tx, d.group.ID, d.reader)
	if err != nil {
		return nil, err
	}
	if member == nil || !d.group.Type.Allows("receipt.give.who", member.Role.Who()) {
		return im.Errorf(im.CodeGroupRights, "%q is not a member of group %q", d.userID, d.group.GroupID), nil
	}
	by := readerOf(d.call, d.group, d.chat, member)
	messages, err := g.chats.At(ctx, tx, d.chat, d.sequences)
	if err != nil {
		return nil, err
	}
	var seen []*chat.Message
	for i := range messages {
		if m := &messages[i]; hasReceipts(m) && m.Sequence > by.after && by.sees(m) {
			d.found[m.Sequence], seen = m, append(seen, m)
		}
	}
	if d.fresh, err = g.attached.Read(ctx, tx, d.reader, seen); err != nil || len(d.fresh) == 0 {
		return nil, err
	}
	return nil, g.tellReceipts(ctx, tx, d)
}

func hasReceipts(m *chat.Message) bool {
	return m != nil && m.Flags.Has(chat.NeedReceipt) && !m.Flags.Has(chat.Recalled)
}

func (d *given) results() []receiptResult {
	results := make([]receiptResult, len(d.sequences))
	for i, n := range d.sequences {
		results[i] = receiptResult{Sequence: n}
		if d.found[n] == nil {
			results[i].Code = im.CodeReceiptNone
		}
	}
	return results
}

// readers are those who read the group's messages now, with where each joined: what was said before is not unread for it.
func (g *GroupMessages) readers(ctx context.Context, from db.Source, of *group.Group) ([]annotate.Reader, error) {
	entrants, err := g.groups.Roster(ctx, from, of.ID)
	readers := make([]annotate.Reader, len(entrants))
	for i, one := range entrants {
		readers[i] = annotate.Reader{Account: one.Account, After: one.JoinSequence}
	}
	return readers, err
}

// counted counts receipts as they are now.
func (g *GroupMessages) counted(
	ctx context.Context, from db.Source, of *group.Group, messages []*chat.Message,
) (map[int64]annotate.Receipts, error) {
	readers, err := g.readers(ctx, from, of)
	if err != nil {
		return nil, err
	}
	return g.attached.Count(ctx, from, messages, readers)
}

// receiptEvent tells a sender how many have read his messages. Clients find the messages by what their ids are made of.
type receiptEvent struct {
	From  string     `json:"From_Account"`
	Group string     `json:"ToGroupId"`
	Info  *groupInfo `json:"GroupInfo"`
	Body  struct {
		List []receiptCount `json:"GroupMsgReceiptList"`
	} `json:"MsgBody"`
}

type receiptCount struct {
	TinyID     string `json:"TinyId"`
	ClientTime int64  `json:"MsgClientTime"`
	Random     int64  `json:"MsgRandom"`
	Sequence   int64  `json:"MsgSeq"`
	Read       int64  `json:"ReadNum"`
	Unread     int64  `json:"UnreadNum"`
}

// pushReceipts tells the senders of messages that more have read them.
func (g *GroupMessages) pushReceipts(ctx context.Context, d *given) {
	if len(d.fresh) == 0 {
		return
	}
	g.attached.Tell(d.chat, func() {
		counts, err := g.counted(ctx, g.db, d.group, d.fresh)
		if err != nil {
			g.warn(d.group.ID, err)
			return
		}
		bySender := map[im.AccountID][]receiptCount{}
		for _, m := range d.fresh {
			n := counts[m.ID]
			bySender[m.From] = append(bySender[m.From], receiptCount{tinyID(m.From), m.ClientTime, m.Random, m.Sequence, n.Read, n.Unread})
		}
		for sender, list := range bySender {
			news := receiptEvent{From: system, Group: d.group.GroupID, Info: infoOf(d.group)}
			news.Body.List = list
			g.push(d.group.ID, receiptNews.Of([]receiptEvent{news}), event.Devices(sender))
		}
	})
	g.line.Flush()
}

type receiptBody struct {
	Group     string        `json:"GroupId"`
	Type      string        `json:"Type"`
	List      []receiptTold `json:"GroupMsgReceiptList"`
	EventTime int64         `json:"EventTime"` // unix milliseconds
}

type receiptTold struct {
	Sequence int64         `json:"MsgSeq"`
	Read     int64         `json:"ReadNum"`
	Unread   int64         `json:"UnreadNum"`
	Readers  []receiptUser `json:"ReadReceiptMembers"`
}

type receiptUser struct {
	UserID string `json:"Member_Account"`
}

// tellReceipts stores the callback of fresh receipts, in their transaction.
func (g *GroupMessages) tellReceipts(ctx context.Context, tx *db.Tx, d *given) error {
	return afterReceipt.Tell(tx, g.hooks, &d.call.Actor, d.group.ID, func() (receiptBody, error) {
		body := receiptBody{Group: d.group.GroupID, Type: d.group.Type.String(), EventTime: tx.Now().UnixMilli()}
		counts, err := g.counted(ctx, tx, d.group, d.fresh)
		for _, m := range d.fresh {
			body.List = append(body.List, receiptTold{m.Sequence, counts[m.ID].Read, counts[m.ID].Unread, []receiptUser{{d.userID}}})
		}
		return body, err
	})
}
