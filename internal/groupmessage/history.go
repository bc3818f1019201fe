package groupmessage

import (
	"context"
	"math"
	"slices"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// The bounds of a page, as the interface has them; a client that fills a gap asks for a few more than one page.
const (
	maxBackEndPage = 20
	maxClientPage  = 100
)

// The values of IsFinished.
const (
	cutPage   = 0 // there is more
	wholePage = 1 // a back end got what it asked for
	lastPage  = 2 // a client has nothing older to read
)

// reader is who reads a group's history: a member, or a back end.
type reader struct {
	group *group.Group
	chat  int64
	// member is nil of a back end, which reads everything.
	member *group.Member
	// after is the sequence behind which the reader may read.
	after int64
	// deleted are the sequences at which he has deleted messages for himself, of those that were looked up.
	deleted map[int64]bool
	// bodies says that he reads what recalled messages said.
	bodies bool
}

// reads finds the group's chat and whether the caller may read it.
func (g *GroupMessages) reads(ctx context.Context, call *command.Call, groupID, topicID string) (*reader, error) {
	of, err := g.find(ctx, call, groupID, topicID)
	if err != nil {
		return nil, err
	}
	if !of.Type.Yes("history.stored") {
		return nil, im.Errorf(im.CodeGroupNoHistory, "groups of type %s have no history", of.Type)
	}
	var member *group.Member
	if !call.Admin() {
		if member, err = g.groups.Member(ctx, g.db, of.ID, call.Account); err != nil {
			return nil, err
		}
		if err := mayRead(of, member); err != nil {
			return nil, err
		}
	}
	id, err := g.chats.Find(ctx, of.Chat())
	return readerOf(call, of, id, member), err
}

// mayRead refuses a member, or nobody, that may not read the group's history.
func mayRead(of *group.Group, member *group.Member) error {
	if member == nil || !of.Type.Allows("history.pull.who.client", member.Role.Who()) {
		return im.Errorf(im.CodeGroupRights, "you are not a member of group %q", of.GroupID)
	}
	return nil
}

// still is the reader as it stands in a transaction that stores what it asks for. It refuses one that may not read the group any
// more: the member may have been removed since the request came, or the group destroyed.
func (g *GroupMessages) still(ctx context.Context, tx *db.Tx, call *command.Call, r *reader) (*reader, error) {
	at := group.MemberKey{Group: r.group.ID, Account: call.Account}
	standing, err := g.groups.StandingOf(ctx, tx, []group.MemberKey{at})
	if err != nil {
		return nil, err
	}
	if !standing.Alive(r.group.ID) {
		return nil, group.ErrUnknown(r.group.GroupID)
	}
	if call.Admin() {
		return r, nil
	}
	member := standing.MemberOrMuted(at)
	return readerOf(call, r.group, r.chat, member), mayRead(r.group, member)
}

// readerOf is a member as a reader of the group's chat; no member is a back end.
func readerOf(call *command.Call, of *group.Group, id int64, member *group.Member) *reader {
	r := &reader{group: of, chat: id, member: member}
	if member != nil {
		r.after = max(of.Begins(call.App, member), member.Cleared)
	}
	return r
}

// sees reports whether the reader may read the message.
func (r *reader) sees(m *chat.Message) bool {
	return r.member == nil || m.ReadBy(r.member.Account) && !r.deleted[m.Sequence]
}

// wireMessages writes messages for the reader. What he may not see he is told by its sequence alone, so that he misses nothing.
func (g *GroupMessages) wireMessages(ctx context.Context, r *reader, found []chat.Message) ([]WireMessage, error) {
	senders := make([]im.AccountID, 0, len(found))
	for i := range found {
		senders = append(senders, found[i].From)
	}
	senders = distinct(senders)
	accounts, err := g.accounts.ByID(ctx, g.db, senders)
	if err != nil {
		return nil, err
	}
	members, err := g.groups.MembersOf(ctx, g.db, r.group.ID, senders)
	if err != nil {
		return nil, err
	}
	wireMessages := make([]WireMessage, len(found))
	for i := range found {
		m := &found[i]
		wireMessages[i] = r.wireMessage(m, accounts[m.From], members[m.From])
	}
	return wireMessages, nil
}

func (r *reader) wireMessage(m *chat.Message, from account.Account, member *group.Member) WireMessage {
	if !r.sees(m) {
		return WireMessage{
			To: r.group.GroupID, Group: r.group.GroupID, Sequence: m.Sequence, Priority: numbered(0), Body: wire.Raw("[]"),
			Mentions: mentions{}, Placeholder: unseen, Event: eventMessage,
		}
	}
	it := wireOf(m, r.group, from.UserID)
	it.Priority = numbered(m.Flags)
	if it.Placeholder == recalled && !r.bodies {
		it.Body, it.CloudData, it.Mentions = wire.Raw("[]"), "", mentions{}
	}
	it.Info = infoOf(r.group)
	it.Info.From, it.Info.Nick, it.Info.FaceURL = it.From, m.Nick, m.FaceURL
	if member != nil {
		it.Info.Extra.NameCard = member.NameCard
	}
	return it
}

// adminHistoryRequest is a back end's.
type adminHistoryRequest struct {
	GroupID      string    `json:"GroupId"`
	TopicID      string    `json:"TopicId"`
	Count        int       `json:"ReqMsgNumber"`
	UpTo         int64     `json:"ReqMsgSeq"`
	WithRecalled wire.Bool `json:"WithRecalledMsg"`
}

type adminHistoryReply struct {
	GroupID  string        `json:"GroupId"`
	Finished int           `json:"IsFinished"`
	Messages []WireMessage `json:"RspMsgList"` // newest first
}

func (g *GroupMessages) adminHistoryCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "group_msg_get_simple", By: command.Administrator, Family: im.FamilyGroup(),
		Doc: "read the history of a group", Section: "rest.md#group_msg_get_simple",
	}, g.adminHistory)
}

func (g *GroupMessages) adminHistory(ctx context.Context, call *command.Call, r *adminHistoryRequest) (*adminHistoryReply, error) {
	if r.Count <= 0 || r.UpTo < 0 {
		return nil, im.Errorf(im.CodeGroupParameter, "want ReqMsgNumber above 0, and ReqMsgSeq not below")
	}
	by, err := g.reads(ctx, call, r.GroupID, r.TopicID)
	if err != nil {
		return nil, err
	}
	by.bodies = bool(r.WithRecalled)
	limit := min(r.Count, maxBackEndPage)
	found, err := g.chats.Before(ctx, g.db, by.chat, orNewest(r.UpTo), limit)
	if err != nil {
		return nil, err
	}
	whole := fit(&found, im.MaxHistoryReplyBytes) && (r.Count <= maxBackEndPage || len(found) < limit)
	reply := &adminHistoryReply{GroupID: by.group.GroupID, Finished: cutPage}
	if whole {
		reply.Finished = wholePage
	}
	reply.Messages, err = g.wireMessages(ctx, by, found)
	return reply, err
}

// fit keeps the first messages whose contents fit the bytes, and one in any case, and reports whether it kept them all.
func fit(found *[]chat.Message, most int) (whole bool) {
	for i, m := range *found {
		most -= len(m.Body) + len(m.CloudData)
		if most < 0 && i > 0 {
			*found = (*found)[:i]
			return false
		}
	}
	return true
}

func orNewest(sequence int64) int64 {
	if sequence == 0 {
		return math.MaxInt64
	}
	return sequence
}

// historyRequest is a client's: a page that ends at a sequence, or the messages at the sequences of a list.
type historyRequest struct {
	GroupID      string    `json:"GroupId"`
	TopicID      string    `json:"TopicId"`
	Count        int       `json:"ReqMsgNumber"`
	UpTo         int64     `json:"ReqMsgSeq"`
	WithRecalled wire.Bool `json:"WithRecalledMsg"`
	Kind         int       `json:"GetType"` // getListed, or a page
	Listed       []int64   `json:"ReqMsgSeqList"`
}

// getListed is the GetType of a list of sequences.
const getListed = 3

type historyReply struct {
	GroupID  string `json:"GroupId"`
	Finished int    `json:"IsFinished"`
	// Next is where an older page ends, 0 if there is none.
	Next      int64         `json:"NextReqMsgSeq"`
	Messages  []WireMessage `json:"RspMsgList"` // newest first
	Invisible []int64       `json:"InvisibleMsgSeq"`
}

func (g *GroupMessages) historyCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "group_msg_get", Also: []string{community}, By: command.Account, Family: im.FamilyGroup(),
		Doc: "read the history of a group as a member", Section: "wire.md#group-messages",
	}, g.history)
}

func (g *GroupMessages) history(ctx context.Context, call *command.Call, r *historyRequest) (*historyReply, error) {
	by, err := g.reads(ctx, call, r.GroupID, r.TopicID)
	if err != nil {
		return nil, err
	}
	by.bodies = bool(r.WithRecalled)
	found, more, err := g.page(ctx, by, r)
	if err != nil {
		return nil, err
	}
	if err := g.lookUpDeleted(ctx, by, found); err != nil {
		return nil, err
	}
	reply := &historyReply{GroupID: by.group.GroupID, Finished: lastPage, Invisible: []int64{}}
	if more {
		reply.Finished, reply.Next = cutPage, found[len(found)-1].Sequence-1
	}
	for i := range found {
		if !by.sees(&found[i]) {
			reply.Invisible = append(reply.Invisible, found[i].Sequence)
		}
	}
	reply.Messages, err = g.wireMessages(ctx, by, found)
	return reply, err
}

// page reads what a client asks for, and whether there is more below it.
func (g *GroupMessages) page(ctx context.Context, by *reader, r *historyRequest) (found []chat.Message, more bool, err error) {
	if r.Kind == getListed {
		if len(r.Listed) == 0 || len(r.Listed) > maxClientPage {
			return nil, false, im.Errorf(im.CodeGroupParameter, "ReqMsgSeqList: want 1 to %d sequences", maxClientPage)
		}
		found, err = g.chats.At(ctx, g.db, by.chat, r.Listed)
		return by.allowed(found), false, err
	}
	limit := min(max(r.Count, 1), maxClientPage)
	found, err = g.chats.Before(ctx, g.db, by.chat, orNewest(max(r.UpTo, 0)), limit+1)
	if found = by.allowed(found); len(found) > limit {
		found, more = found[:limit], true
	}
	return found, more, err
}

// allowed cuts off what was said before the reader may read.
func (r *reader) allowed(found []chat.Message) []chat.Message {
	return slices.DeleteFunc(found, func(m chat.Message) bool { return m.Sequence <= r.after })
}
