package message

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// page asks for a part of a chat as one of its parties sees it.
type page struct {
	viewer, peer account.Account
	// from is where it starts, itself left out; minTime bounds it from below, in unix seconds.
	from    position
	newer   bool // read towards the present; otherwise towards the past
	minTime int64
	limit   int
}

// position is a place in a chat's order: by time, then by sequence.
type position struct{ time, sequence int64 }

// history is an answered page: oldest first, and whether there is more in its direction.
type history struct {
	messages []stored
	more     bool
	readBy   map[im.AccountID]int64
}

const selectHistory = `SELECT ` + storedColumns + ` FROM message WHERE chat_id = $1 AND sequence > $2 AND sent_at >= $3
	AND ((from_id = $4 AND (hidden & 1) = 0) OR (from_id <> $4 AND (hidden & 2) = 0)) AND `

// Both directions walk the index on (chat_id, sent_at, sequence), so a page costs the same whatever the chat's length.
const (
	selectOlder = selectHistory + `(sent_at, sequence) < ($5, $6) ORDER BY sent_at DESC, sequence DESC LIMIT $7`
	selectNewer = selectHistory + `(sent_at, sequence) > ($5, $6) ORDER BY sent_at, sequence LIMIT $7`
)

// read answers a page.
func (m *Messages) read(ctx context.Context, p page) (history, error) {
	chat, err := m.chat(ctx, p.viewer, p.peer)
	if err != nil || chat == 0 {
		return history{}, err
	}
	own, other, err := m.views(ctx, m.db, chat, p.viewer, p.peer)
	if err != nil {
		return history{}, fmt.Errorf("read views: %w", err)
	}
	h := history{readBy: map[im.AccountID]int64{p.viewer.ID: other.readTime, p.peer.ID: own.readTime}}
	query := selectOlder
	if p.newer {
		query = selectNewer
	}
	h.messages, err = allStored(ctx, m.db, query, chat, own.cleared, p.minTime, int64(p.viewer.ID),
		p.from.time, p.from.sequence, p.limit+1)
	if err != nil {
		return history{}, fmt.Errorf("read history: %w", err)
	}
	if len(h.messages) > p.limit {
		h.messages, h.more = h.messages[:p.limit], true
	}
	if !p.newer {
		slices.Reverse(h.messages)
	}
	return h, nil
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
		rest.from, rest.limit = position{last.time, last.sequence}, im.MaxHistoryPage
		var more history
		if more, err = m.read(ctx, rest); err != nil {
			break
		}
		end := slices.IndexFunc(more.messages, func(s stored) bool { return s.time != last.time && last.time > p.from.time })
		if end >= 0 {
			h.messages = append(h.messages, more.messages[:end]...)
			break
		}
		h.messages, h.more = append(h.messages, more.messages...), more.more
	}
	return h, err
}

// items writes the page's messages for the viewer.
func (h *history) items(viewer, peer account.Account) []Item {
	items := make([]Item, 0, len(h.messages))
	for i := range h.messages {
		items = append(items, h.messages[i].item(viewer, peer, h.readBy))
	}
	return items
}

// cursor is where a caller stopped: at a message, by its key and time, reading in a direction.
type cursor struct {
	time  int64
	key   string
	newer bool
}

// place turns a cursor into a position. Without a key, or with that of a message that is
// gone, the messages of that second are still to come.
func (m *Messages) place(ctx context.Context, viewer, peer account.Account, c cursor) (position, error) {
	if c.key != "" {
		key, err := ParseKey(c.key)
		if err != nil {
			return position{}, err
		}
		chat, err := m.chat(ctx, viewer, peer)
		if err != nil {
			return position{}, err
		}
		found, err := m.byKey(ctx, m.db, chat, key)
		if err != nil {
			return position{}, fmt.Errorf("find the cursor's message: %w", err)
		}
		if found.id != 0 {
			return position{found.time, found.sequence}, nil
		}
	}
	switch {
	case c.newer:
		return position{c.time, 0}, nil
	case c.time == 0:
		return position{math.MaxInt64, math.MaxInt64}, nil
	default:
		return position{c.time, math.MaxInt64}, nil
	}
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
	Complete wire.Bool `json:"Complete"`
	Count    int       `json:"MsgCnt"`
	Messages []Item    `json:"MsgList"`
	Time     int64     `json:"LastMsgTime"`
	Key      string    `json:"MsgKey"`
}

// gapPage is the MaxCnt by which the web client's own gap filling is known; its applications' requests have 15. After a
// reconnect it asks for the gap and for its pull at once, and of a message that comes by both it loses count. So the gap
// is empty while the pull is on its way, which brings the same messages.
const gapPage = 16

func (m *Messages) historyCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "getroammsg", By: command.Member, Family: im.FamilyMessage(),
		Doc: "read the history of a chat", Section: "wire.md#history",
	}, m.history)
}

func (m *Messages) history(ctx context.Context, call *command.Call, r *historyRequest) (*historyReply, error) {
	viewer, peer, err := m.parties(ctx, call, call.UserID, r.Peer)
	if err != nil {
		return nil, err
	}
	newer := r.Direction == 1
	if newer && r.Key == "" && r.Count == gapPage && call.SyncPending() {
		return &historyReply{Complete: true, Messages: []Item{}, Time: r.Time}, nil
	}
	from, err := m.place(ctx, viewer, peer, cursor{r.Time, r.Key, newer})
	if err != nil {
		return nil, err
	}
	read := m.read
	if newer && r.Key == "" {
		read = m.readSeconds
	}
	h, err := read(ctx, page{
		viewer: viewer, peer: peer, from: from, newer: newer, limit: min(max(r.Count, 1), im.MaxHistoryPage),
	})
	if err != nil {
		return nil, err
	}
	reply := &historyReply{Complete: wire.Bool(!h.more), Time: r.Time, Key: r.Key}
	if len(h.messages) > 0 {
		edge := h.messages[0]
		if newer {
			edge = h.messages[len(h.messages)-1]
		}
		reply.Time, reply.Key = edge.time, edge.key().String()
	}
	reply.Messages = h.items(viewer, peer)
	if !r.WithRecalled {
		reply.Messages = slices.DeleteFunc(reply.Messages, func(i Item) bool { return i.FlagBits == flagRecalled })
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
	Complete wire.Bool `json:"Complete"`
	Count    int       `json:"MsgCnt"`
	Time     int64     `json:"LastMsgTime"`
	Key      string    `json:"LastMsgKey"`
	Messages []Item    `json:"MsgList"`
}

func (m *Messages) adminHistoryCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "admin_getroammsg", By: command.Administrator, Family: im.FamilyMessage(),
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
	viewer, peer, err := m.parties(ctx, call, r.Operator, r.Peer)
	if err != nil {
		return nil, peerCode(err)
	}
	from, err := m.place(ctx, viewer, peer, cursor{time: r.MaxTime, key: r.LastKey})
	if err != nil {
		return nil, err
	}
	h, err := m.read(ctx, page{
		viewer: viewer, peer: peer, from: from, minTime: r.MinTime, limit: min(r.Count, im.MaxHistoryPage),
	})
	if err != nil {
		return nil, err
	}
	h.fit(im.MaxHistoryReplyBytes)
	reply := &adminHistoryReply{Complete: wire.Bool(!h.more), Messages: h.items(viewer, peer), Count: len(h.messages)}
	for i := range reply.Messages {
		reply.Messages[i].MsgKey = h.messages[i].key().String()
	}
	if len(h.messages) > 0 {
		reply.Time, reply.Key = h.messages[0].time, h.messages[0].key().String()
	}
	return reply, nil
}

// fit keeps the newest messages whose contents fit the bytes, and one in any case.
func (h *history) fit(most int) {
	for i := len(h.messages) - 1; i >= 0; i-- {
		most -= len(h.messages[i].body) + len(h.messages[i].cloudData)
		if most < 0 && i < len(h.messages)-1 {
			h.messages, h.more = h.messages[i+1:], true
			return
		}
	}
}
