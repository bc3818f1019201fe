package message

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// page asks for a part of a chat as its owner, one of the two parties, sees it.
type page struct {
	owner, peer account.Account
	chat.Page
}

// history is an answered page: oldest first, and whether there is more in its direction.
type history struct {
	messages []chat.Message
	more     bool
	read     readState
}

// read answers a page.
func (m *Messages) read(ctx context.Context, p page) (history, error) {
	if p.Chat == 0 {
		return history{}, nil
	}
	views, err := m.chats.Conversations(ctx, m.db, p.Chat, p.owner.ID, p.peer.ID)
	if err != nil {
		return history{}, err
	}
	own, has := views[p.owner.ID]
	if !has && account.IsOfficial(p.peer.UserID) { // nobody reads what an account says to whom it has not asked to hear
		return history{}, nil
	}
	other := views[p.peer.ID]
	if p.owner.ID == p.peer.ID {
		other = chat.Conversation{}
	}
	var h history
	h.read.upTo = map[im.AccountID]int64{p.owner.ID: other.Read.Sequence, p.peer.ID: own.Read.Sequence}
	p.Owner, p.Cleared = p.owner.ID, own.Cleared
	if h.messages, h.more, err = m.chats.Read(ctx, m.db, p.Page); err != nil {
		return h, err
	}
	h.read.receipts, err = m.attached.ReadByAny(ctx, m.db, withReceipts(h.messages))
	return h, err
}

// wholeSeconds bounds how much a page grows to end at the end of a second.
const wholeSeconds = 1000

// readSeconds is read for a client that goes on by the last message's second alone, as the web client does when it
// fills a gap: a page that ended inside a second would give it the same messages again and again. So the page goes
// through its last second, and past the second that it starts from.
func (m *Messages) readSeconds(ctx context.Context, p page) (history, error) {
	h, err := m.read(ctx, p)
	for err == nil && h.more && len(h.messages) < wholeSeconds {
		last := h.messages[len(h.messages)-1]
		rest := p
		rest.From, rest.Limit = last.Position, im.MaxHistoryPage
		var more history
		if more, err = m.read(ctx, rest); err != nil {
			break
		}
		end := slices.IndexFunc(more.messages, func(one chat.Message) bool {
			return one.Order != last.Order && last.Order > p.From.Order
		})
		if end >= 0 {
			h.messages = append(h.messages, more.messages[:end]...)
			maps.Copy(h.read.receipts, more.read.receipts)
			break
		}
		h.messages, h.more = append(h.messages, more.messages...), more.more
		maps.Copy(h.read.receipts, more.read.receipts)
	}
	return h, err
}

// written writes the page's messages for the owner.
func (h *history) written(owner, peer account.Account) []WireMessage {
	written := make([]WireMessage, 0, len(h.messages))
	for i := range h.messages {
		written = append(written, wireFor(&h.messages[i], owner, peer, h.read))
	}
	return written
}

// cursor is where a page ended: at a message, by its key and time, in the direction of reading.
type cursor struct {
	time  int64
	key   string
	newer bool
}

// at turns a cursor into a position. Without a key, or with that of a message that is gone, the page begins with the
// messages of that second.
func (m *Messages) at(ctx context.Context, id int64, c cursor) (chat.Position, error) {
	if c.key != "" {
		found, err := m.byCursor(ctx, id, c.key)
		if err != nil || found != nil {
			return *cmp.Or(found, &chat.Position{}), err
		}
	}
	switch {
	case c.newer:
		return chat.BeginOf(c.time), nil
	case c.time == 0:
		return chat.Newest(), nil
	default:
		return chat.EndOf(c.time), nil
	}
}

// byCursor finds the message that a cursor's key names; nil if it is gone.
func (m *Messages) byCursor(ctx context.Context, id int64, text string) (*chat.Position, error) {
	key, sequence, err := parseCursor(text)
	if err != nil {
		return nil, err
	}
	if sequence != 0 {
		found, err := m.chats.Twins(ctx, m.db, id, key.Time, chat.Key(key))
		if err != nil {
			return nil, fmt.Errorf("find the cursor's message: %w", err)
		}
		if at := slices.IndexFunc(found, func(p chat.Position) bool { return p.Sequence == sequence }); at >= 0 {
			return &found[at], nil
		}
	}
	found, err := m.chats.ByKey(ctx, m.db, id, chat.Key(key), 0)
	if err != nil {
		return nil, fmt.Errorf("find the cursor's message: %w", err)
	}
	if found == nil {
		return nil, nil
	}
	return &found.Position, nil
}

// cursorAt writes the key by which a caller goes on from a message. Both sides of a chat may use the same numbers in one
// second: then the message's sequence follows, which tells them apart.
func (m *Messages) cursorAt(ctx context.Context, at *chat.Message) (string, error) {
	key := Key(at.Key())
	found, err := m.chats.Twins(ctx, m.db, at.Chat, at.Order, chat.Key(key))
	if err != nil {
		return "", fmt.Errorf("find messages of one key: %w", err)
	}
	if len(found) > 1 {
		return key.String() + "_" + itoa(at.Sequence), nil
	}
	return key.String(), nil
}

// pageFrom begins a page of the chat of two accounts at a cursor.
func (m *Messages) pageFrom(ctx context.Context, owner, peer account.Account, c cursor) (page, error) {
	id, err := m.chats.Find(ctx, ChatOf(owner, peer))
	if err != nil {
		return page{}, err
	}
	from, err := m.at(ctx, id, c)
	return page{owner, peer, chat.Page{Chat: id, From: from, Newer: c.newer}}, err
}

// historyRequest is a client's.
type historyRequest struct {
	Peer         string    `json:"Peer_Account"`
	Count        int       `json:"MaxCnt"`
	Time         int64     `json:"LastMsgTime"`
	Key          string    `json:"MsgKey"`
	WithRecalled wire.Bool `json:"WithRecalledMsg"`
	Direction    int       `json:"GetDirection"` // 0 older, 1 newer
}

type historyReply struct {
	Complete wire.Bool     `json:"Complete"`
	Count    int           `json:"MsgCnt"`
	Messages []WireMessage `json:"MsgList"`
	Time     int64         `json:"LastMsgTime"`
	Key      string        `json:"MsgKey"`
}

// gapPage is the MaxCnt by which the web client's own gap filling is known; its applications' requests have 15. After a
// reconnect it fills the gap and syncs at once, and counts a message wrongly that comes by both. So the gap is empty while
// the sync is under way, which brings the same messages.
const gapPage = 16

func (m *Messages) historyCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "getroammsg", By: command.Account, Family: im.FamilyMessage(), Codes: sendCodes(),
		Doc: "read the history of a chat", Section: "wire.md#history",
	}, m.history)
}

func (m *Messages) history(ctx context.Context, call *command.Call, r *historyRequest) (*historyReply, error) {
	owner, peer, err := m.ownParties(ctx, call.App, call.UserID, r.Peer)
	if err != nil {
		return nil, err
	}
	newer := r.Direction == 1
	if newer && r.Key == "" && r.Count == gapPage && call.SyncPending() {
		return &historyReply{Complete: true, Messages: []WireMessage{}, Time: r.Time}, nil
	}
	p, err := m.pageFrom(ctx, owner, peer, cursor{r.Time, r.Key, newer})
	if err != nil {
		return nil, err
	}
	p.Limit = min(max(r.Count, 1), im.MaxHistoryPage)
	read := m.read
	if newer && r.Key == "" {
		read = m.readSeconds
	}
	h, err := read(ctx, p)
	if err != nil {
		return nil, err
	}
	reply := &historyReply{Complete: wire.Bool(!h.more), Time: r.Time, Key: r.Key}
	if len(h.messages) > 0 {
		edge := h.messages[0]
		if newer {
			edge = h.messages[len(h.messages)-1]
		}
		reply.Time = edge.Time
		if reply.Key, err = m.cursorAt(ctx, &edge); err != nil {
			return nil, err
		}
	}
	reply.Messages = h.written(owner, peer)
	if !r.WithRecalled {
		reply.Messages = slices.DeleteFunc(reply.Messages, func(i WireMessage) bool { return i.FlagBits == flagRecalled })
	}
	reply.Count = len(reply.Messages)
	return reply, nil
}

// adminHistoryRequest is a back end's, with the older names of the two parties.
type adminHistoryRequest struct {
	Operator string `json:"Operator_Account"`
	Peer     string `json:"Peer_Account"`
	From     string `json:"From_Account"`
	To       string `json:"To_Account"`
	Count    int    `json:"MaxCnt"`
	MinTime  int64  `json:"MinTime"`
	MaxTime  int64  `json:"MaxTime"`
	LastKey  string `json:"LastMsgKey"`
}

type adminHistoryReply struct {
	Complete wire.Bool     `json:"Complete"`
	Count    int           `json:"MsgCnt"`
	Time     int64         `json:"LastMsgTime"`
	Key      string        `json:"LastMsgKey"`
	Messages []WireMessage `json:"MsgList"`
}

func (m *Messages) adminHistoryCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "admin_getroammsg", By: command.Administrator, Family: im.FamilyMessage(), Codes: peerCodes(),
		Doc: "read the history of a chat as one of its parties", Section: "rest.md#admin_getroammsg",
	}, m.adminHistory)
}

func (m *Messages) adminHistory(ctx context.Context, call *command.Call, r *adminHistoryRequest) (*adminHistoryReply, error) {
	if r.Operator == "" {
		r.Operator = r.From
	}
	if r.Peer == "" {
		r.Peer = r.To
	}
	if r.Operator == "" {
		return nil, im.Errorf(im.CodeMessageSender, "Operator_Account (or From_Account) is missing")
	}
	if r.Count <= 0 || r.MaxTime <= 0 || r.MinTime < 0 || r.MinTime > r.MaxTime {
		return nil, im.Errorf(im.CodeMessageFormat, "want MaxCnt above 0 and MinTime not after MaxTime, in unix seconds")
	}
	owner, peer, err := m.ownParties(ctx, call.App, r.Operator, r.Peer)
	if err != nil {
		return nil, err
	}
	p, err := m.pageFrom(ctx, owner, peer, cursor{time: r.MaxTime, key: r.LastKey})
	if err != nil {
		return nil, err
	}
	p.Since, p.Limit = r.MinTime, min(r.Count, im.MaxHistoryPage)
	h, err := m.read(ctx, p)
	if err != nil {
		return nil, err
	}
	h.fit(im.MaxHistoryReplyBytes)
	reply := &adminHistoryReply{Complete: wire.Bool(!h.more), Messages: h.written(owner, peer), Count: len(h.messages)}
	for i := range reply.Messages {
		reply.Messages[i].MsgKey = Key(h.messages[i].Key()).String()
	}
	if len(h.messages) > 0 {
		reply.Time = h.messages[0].Time
		if reply.Key, err = m.cursorAt(ctx, &h.messages[0]); err != nil {
			return nil, err
		}
	}
	return reply, nil
}

// fit keeps the newest messages whose contents fit the bytes, and one in any case.
func (h *history) fit(most int) {
	for i := len(h.messages) - 1; i >= 0; i-- {
		most -= len(h.messages[i].Body) + len(h.messages[i].CloudData)
		if most < 0 && i < len(h.messages)-1 {
			h.messages, h.more = h.messages[i+1:], true
			return
		}
	}
}
