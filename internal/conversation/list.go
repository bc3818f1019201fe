package conversation

import (
	"context"
	"time"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/wire"
)

// cursors is the cursor that a client sends back to go on. StartIndex counts the conversations that it has; none are pinned
// yet, so the other two stay zero.
type cursors struct {
	TimeStamp     int64 `json:"TimeStamp"`
	StartIndex    int   `json:"StartIndex"`
	TopTimeStamp  int64 `json:"TopTimeStamp"`
	TopStartIndex int   `json:"TopStartIndex"`
}

// pageSize is how many conversations one reply holds.
const pageSize = 100

type listRequest struct {
	From string `json:"From_Account"`
	cursors
}

// listed is a conversation as back ends read it.
type listed struct {
	Type    int    `json:"Type"`
	To      string `json:"To_Account"`
	MsgTime int64  `json:"MsgTime"`
	TopFlag int    `json:"TopFlag"`
}

type listReply struct {
	Items    []listed  `json:"SessionItem"`
	Complete wire.Bool `json:"CompleteFlag"`
	cursors
	ErrorDisplay string `json:"ErrorDisplay"`
}

func (c *Conversations) listCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "get_list", By: command.Administrator, Family: family(),
		Doc: "list an account's conversations", Section: "rest.md#get_list",
	}, c.list)
}

func (c *Conversations) list(ctx context.Context, call *command.Call, r *listRequest) (*listReply, error) {
	owner, err := c.owner(ctx, call, r.From)
	if err != nil {
		return nil, err
	}
	rows, done, next, err := c.page(ctx, call, owner, 0, r.StartIndex)
	if err != nil {
		return nil, err
	}
	peers, err := c.peers(ctx, rows)
	if err != nil {
		return nil, err
	}
	reply := &listReply{Items: []listed{}, Complete: wire.Bool(done), cursors: next}
	for _, r := range rows {
		reply.Items = append(reply.Items, listed{Type: typeC2C, To: peers[r.Peer].UserID, MsgTime: r.Time})
	}
	return reply, nil
}

// page reads the next stretch of a list that is cut at the application's number of recent contacts.
func (c *Conversations) page(
	ctx context.Context, call *command.Call, owner account.Account, since int64, offset int,
) ([]chat.Listed, bool, cursors, error) {
	most := recentContacts.Of(call.App)
	offset = min(max(offset, 0), most)
	limit := min(pageSize, most-offset)
	rows, err := c.chats.List(ctx, c.db, owner.ID, chat.Stretch{Since: since, Limit: limit + 1, Offset: offset})
	if err != nil {
		return nil, false, cursors{}, err
	}
	done := len(rows) <= limit || offset+limit >= most
	rows = rows[:min(len(rows), limit)]
	next := cursors{StartIndex: offset + len(rows)}
	if len(rows) > 0 {
		next.TimeStamp = rows[len(rows)-1].Time
	}
	return rows, done, next, nil
}

// paged is a conversation as clients read it (docs/protocol/wire.md#conversations).
type paged struct {
	Type         int       `json:"Type"`
	To           string    `json:"To_Account"`
	Time         int64     `json:"MsgTimeStamp"`
	Seq          int64     `json:"MsgSeq"`
	Random       int64     `json:"MsgRandom"`
	LastFlags    int       `json:"LastMsgFlags"`
	LastFrom     string    `json:"LastC2CMsgFrom_Account"` // as the full web SDK reads it
	LastFromLite string    `json:"LastC2cMsgFrom_Account"` // as the newer one does
	Unread       int64     `json:"UnreadMsgCount"`
	Nick         string    `json:"C2cNick"`
	Image        string    `json:"C2cImage"`
	Remark       string    `json:"C2cRemark"`
	PeerRead     int64     `json:"C2cPeerReadTime"`
	TopFlags     int       `json:"TopFlags"`
	StandardMark string    `json:"StandardMark"`
	CustomMark   string    `json:"CustomMark"`
	Groups       []int     `json:"ContactGroupId"`
	RecvOption   int       `json:"MsgRecvOption"`
	Last         *pageLast `json:"LastMsg,omitempty"`
}

type pageLast struct {
	Body      wire.Raw     `json:"MsgBody"`
	CloudData string       `json:"CloudCustomData"`
	Revoker   *pageRevoker `json:"RevokerInfo,omitempty"`
}

type pageRevoker struct {
	Account string `json:"Revoker_Account"`
	Reason  string `json:"Reason"`
}

type pageReply struct {
	Complete wire.Bool `json:"CompleteFlag"`
	cursors
	Groups []struct{} `json:"GroupItem"`
	Items  []paged    `json:"SessionItem"`
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
	rows, done, next, err := c.page(ctx, call, owner, since, r.StartIndex)
	if err != nil {
		return nil, err
	}
	if done {
		next = cursors{TimeStamp: started}
	}
	peers, err := c.peers(ctx, rows)
	if err != nil {
		return nil, err
	}
	reply := &pageReply{Complete: wire.Bool(done), cursors: next, Groups: []struct{}{}, Items: []paged{}}
	for _, r := range rows {
		reply.Items = append(reply.Items, pagedOf(r, owner, peers[r.Peer]))
	}
	return reply, nil
}

// flagRecalled is the bit of LastMsgFlags that says the last message was recalled.
const flagRecalled = 8

func pagedOf(r chat.Listed, owner, peer account.Account) paged {
	it := paged{
		Type: typeC2C, To: peer.UserID, Time: r.Time, Unread: r.Unread,
		Nick: peer.Nick, Image: peer.FaceURL, PeerRead: r.PeerReadTime, Groups: []int{},
	}
	if r.Last == nil {
		return it
	}
	it.Seq, it.Random, it.LastFrom = r.Last.Seq, r.Last.Random, peer.UserID
	if r.Last.From == owner.ID {
		it.LastFrom = owner.UserID
	}
	it.LastFromLite = it.LastFrom
	it.Last = &pageLast{Body: wire.Raw(r.Last.Body), CloudData: r.Last.CloudData}
	if r.Last.Flags.Has(chat.Recalled) {
		it.LastFlags = flagRecalled
		it.Last.Revoker = &pageRevoker{r.Last.Revoker, r.Last.Reason}
	}
	return it
}
