package conversation

import (
	"context"
	"time"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/groupmessage"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// paged is what a client reads of a conversation of either kind (docs/protocol/wire.md#page_get).
type paged struct {
	Type         int       `json:"Type"`
	Time         int64     `json:"MsgTimeStamp"`
	Seq          int64     `json:"MsgSeq"` // the sender's; of a group the sequence
	Random       int64     `json:"MsgRandom"`
	LastFlags    int       `json:"LastMsgFlags"`
	Unread       int64     `json:"UnreadMsgCount"`
	TopFlags     int       `json:"TopFlags"`
	StandardMark string    `json:"StandardMark"`
	CustomMark   string    `json:"CustomMark"`
	Folders      []int     `json:"ContactGroupId"`
	RecvOption   int       `json:"MsgRecvOption"`
	Last         *pageLast `json:"LastMsg,omitempty"`
}

type pageLast struct {
	Body      wire.Raw     `json:"MsgBody,omitzero"`
	CloudData string       `json:"CloudCustomData"`
	Revoker   *pageRevoker `json:"RevokerInfo,omitempty"`
	// Event and Tip are there of a tip, in the place of the body.
	Event int                       `json:"Event,omitzero"`
	Tip   *groupmessage.WireMessage `json:"GroupTips,omitzero"`
}

type pageRevoker struct {
	Account string `json:"Revoker_Account"`
	Reason  string `json:"Reason"`
}

// pagedPeer is a conversation with another account.
type pagedPeer struct {
	paged
	To           string `json:"To_Account"`
	LastFrom     string `json:"LastC2CMsgFrom_Account"` // as the full web SDK reads it
	LastFromLite string `json:"LastC2cMsgFrom_Account"` // as the newer one does
	Nick         string `json:"C2cNick"`
	Image        string `json:"C2cImage"`
	Remark       string `json:"C2cRemark"`
	PeerRead     int64  `json:"C2cPeerReadTime"`
}

// pagedGroup is a conversation of a group. What is unread is Unread less Ignored.
type pagedGroup struct {
	paged
	Group    string `json:"ToAccount"`
	Name     string `json:"GroupNick"`
	Image    string `json:"GroupImage"`
	Kind     string `json:"GroupType"`
	Next     int64  `json:"GroupNextMsgSeq"`
	From     string `json:"MsgGroupFrom_Account"`
	FromCard string `json:"MsgGroupFromCardName"`
	FromNick string `json:"MsgGroupFromNickName"`
	Read     int64  `json:"MsgGroupReadedSeq"`
	Ignored  int64  `json:"GroupIgnoredUnreadSeqCount"`
}

type pageReply struct {
	Complete wire.Bool `json:"CompleteFlag"`
	cursors
	Folders []folder `json:"GroupItem"`
	Items   []any    `json:"SessionItem"` // pagedPeer, pagedGroup
}

func (c *Conversations) pageCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "page_get", By: command.Account, Family: family(),
		Doc: "list one's conversations with their last messages", Section: "wire.md#conversations",
	}, c.pageGet)
}

// sinceOverlap is read twice, because the client's cursor counts seconds and nodes' clocks differ a little.
const sinceOverlap = 10 * time.Second

// pageGet pages through the list. A finished list leaves the client with the cursor {now, 0}, which it brings along
// after a reconnect: then it gets the conversations that changed since. A page's cursor always has an index above 0.
func (c *Conversations) pageGet(ctx context.Context, call *command.Call, r *listRequest) (*pageReply, error) {
	owner, err := c.owner(ctx, call, r.From)
	if err != nil {
		return nil, err
	}
	since := int64(0)
	if r.StartIndex == 0 && r.TimeStamp > 0 {
		since = time.Unix(r.TimeStamp, 0).Add(-sinceOverlap).UnixMilli()
	}
	started := c.db.Now().Unix()
	s, err := c.stretch(ctx, call, owner, r, since)
	if err != nil {
		return nil, err
	}
	if s.done {
		s.next = cursors{TimeStamp: started, TopTimeStamp: started}
	}
	reply := &pageReply{Complete: wire.Bool(s.done), cursors: s.next}
	if reply.Folders, err = c.folders(ctx, c.db, owner.ID); err != nil {
		return nil, err
	}
	p := &pageReader{owner: owner}
	if err := c.readPage(ctx, p, s.rows); err != nil {
		return nil, err
	}
	reply.Items = p.items(s.rows)
	call.ReportSync(command.SyncReport{UpTo: covered(s.rows)})
	return reply, nil
}

// covered says of the groups on a page up to which message it counts: what of them is pushed to a device that logs in would be
// counted twice.
func covered(rows []row) map[int64]int64 {
	upTo := map[int64]int64{}
	for i := range rows {
		if g := rows[i].group; g != nil {
			upTo[g.Tail.Chat] = g.Tail.Sequence
		}
	}
	return upTo
}

// pageReader is what the rows of a page are written from.
type pageReader struct {
	owner  account.Account
	listed map[int64]chat.Listed   // by chat
	last   map[int64]*chat.Message // of groups, by id
	cards  map[int64]string        // by group
	peers  map[im.AccountID]account.Account
	called map[im.AccountID]string // what the owner calls its friends
}

func (c *Conversations) readPage(ctx context.Context, p *pageReader, rows []row) (err error) {
	var (
		chats, groups, last []int64
		others              []im.AccountID
	)
	for i := range rows {
		if rows[i].kind != chat.Group {
			others = append(others, im.AccountID(rows[i].peer))
		}
		switch one := &rows[i]; {
		case one.recent != nil:
			chats = append(chats, one.recent.Chat)
		case one.group != nil && !one.empty:
			groups, last = append(groups, one.peer), append(last, one.group.Tail.Last)
		}
	}
	if p.listed, err = c.chats.List(ctx, c.db, p.owner.ID, chats); err != nil {
		return err
	}
	if p.last, err = c.chats.ByIDs(ctx, c.db, last); err != nil {
		return err
	}
	deleted, err := c.chats.LastOf(ctx, c.db, p.owner.ID, chatsOfGroups(rows))
	if err != nil {
		return err
	}
	p.replace(rows, deleted)
	if p.cards, err = c.groups.LastNameCards(ctx, c.db, groups); err != nil {
		return err
	}
	if p.called, err = c.remarks.Remarks(ctx, c.db, p.owner.ID, others); err != nil {
		return err
	}
	p.peers, err = c.peers(ctx, rows, p.last)
	return err
}

// chatsOfGroups are the chats of the groups on a page.
func chatsOfGroups(rows []row) (chats []int64) {
	for i := range rows {
		if g := rows[i].group; g != nil {
			chats = append(chats, g.Tail.Chat)
		}
	}
	return chats
}

// replace shows the messages before those that the owner has deleted, if it may read them.
func (p *pageReader) replace(rows []row, before map[int64]*chat.Message) {
	for i := range rows {
		g := rows[i].group
		if g == nil {
			continue
		}
		m, deleted := before[g.Tail.Chat]
		if !deleted {
			continue
		}
		delete(p.last, g.Tail.Last)
		if m != nil && m.Sequence > max(g.Begins, g.Member.Cleared) {
			g.Tail.Last, p.last[m.ID] = m.ID, m
		}
	}
}

func (p *pageReader) items(rows []row) []any {
	items := make([]any, len(rows))
	for i := range rows {
		if rows[i].kind == chat.Group {
			items[i] = p.ofGroup(&rows[i])
		} else {
			items[i] = p.ofPeer(&rows[i])
		}
	}
	return items
}

// ofRow writes what both kinds have.
func ofRow(r *row) paged {
	return paged{
		Type: int(r.kind), Time: r.time, TopFlags: r.top(), StandardMark: r.marks.text(), CustomMark: r.custom, Folders: r.folders.list(),
	}
}

// The bits of LastMsgFlags that say that the last message was recalled.
const (
	flagRecalled      = 8
	flagRecalledGroup = 2
)

func (p *pageReader) ofPeer(r *row) *pagedPeer {
	peer := p.peers[im.AccountID(r.peer)]
	it := &pagedPeer{paged: ofRow(r), To: peer.UserID, Nick: peer.Nick, Image: peer.FaceURL, Remark: p.called[peer.ID]}
	it.RecvOption = int(r.receive)
	if r.recent == nil {
		return it
	}
	l := p.listed[r.recent.Chat]
	it.Time, it.Unread, it.PeerRead = l.Time, l.Unread, l.PeerReadTime
	if l.Last == nil {
		return it
	}
	it.Seq, it.Random, it.LastFrom = l.Last.Seq, l.Last.Random, peer.UserID
	if l.Last.From == p.owner.ID {
		it.LastFrom = p.owner.UserID
	}
	it.LastFromLite = it.LastFrom
	it.show(l.Last, flagRecalled)
	return it
}

// show writes the last message.
func (it *paged) show(m *chat.Message, recalled int) {
	it.Last = &pageLast{Body: wire.Raw(m.Body), CloudData: m.CloudData}
	if m.Flags.Has(chat.Recalled) {
		it.LastFlags = recalled
		it.Last.Revoker = &pageRevoker{m.Revoker, m.Reason}
	}
}

func (p *pageReader) ofGroup(r *row) *pagedGroup {
	g := r.group
	unread := max(g.Tail.Sequence-g.Member.ReadSequence, g.Unread)
	it := &pagedGroup{
		paged: ofRow(r), Group: g.Group.GroupID, Name: g.Group.Name, Image: g.Group.FaceURL, Kind: g.Group.Type.String(),
		Next: g.Tail.Sequence + 1, Read: g.Member.ReadSequence, Ignored: unread - g.Unread,
	}
	it.Unread, it.RecvOption, it.Seq = unread, receiveOptionOf(g.Member.Receive), g.Tail.Sequence
	m := p.last[g.Tail.Last]
	if m == nil {
		return it
	}
	it.Seq, it.Random = m.Sequence, m.Random
	if m.Tip() {
		tip := groupmessage.TipOf(m, g.Group)
		it.From, it.Last = tip.From, &pageLast{Event: tip.Event, Tip: tip}
		return it
	}
	it.From, it.FromCard, it.FromNick = p.peers[m.From].UserID, p.cards[r.peer], m.Nick
	it.show(m, flagRecalledGroup)
	return it
}
