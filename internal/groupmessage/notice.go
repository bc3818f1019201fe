package groupmessage

import (
	"context"
	"slices"

	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// recallNotice tells that a message was taken back. A push has one message, as clients walk the whole list again for each.
type recallNotice struct {
	From    string     `json:"From_Account"`
	Group   string     `json:"ToGroupId"`
	Info    *groupInfo `json:"GroupInfo"`
	Revoker revoker    `json:"RevokerInfo"`
	Body    struct {
		List []recalledInfo `json:"GroupWithdrawInfoArray"`
	} `json:"MsgBody"`
	Sequence int64 `json:"MsgSeq"`
	Random   int64 `json:"MsgRandom"`
	Time     int64 `json:"MsgTimeStamp"`
}

type recalledInfo struct {
	Group      string `json:"GroupId"`
	From       string `json:"From_Account"`
	Sequence   int64  `json:"MsgSeq"`
	Random     int64  `json:"MsgRandom"`
	Time       int64  `json:"MsgTimeStamp"`
	ClientTime int64  `json:"MsgClientTime"`
	TinyID     string `json:"TinyId"`
}

// pushRecalls tells those who could read them of recalled messages, all but the connection that recalled them, unless it is
// of a client whose kits wait for it.
func (g *GroupMessages) pushRecalls(ctx context.Context, call *command.Call, of *group.Group, done []*chat.Message) {
	senders, err := g.senders(ctx, done)
	if err != nil {
		g.warn(of.ID, err)
		return
	}
	except := call.Device
	if call.Lite {
		except = 0
	}
	for _, m := range done {
		n := recallNotice{
			From: system, Group: of.GroupID, Info: infoOf(of), Revoker: revoker{m.Revoker, m.Reason},
			Sequence: m.Sequence, Random: m.Random, Time: g.db.Now().Unix(),
		}
		n.Info.From = m.Revoker
		n.Body.List = []recalledInfo{{of.GroupID, senders[m.From], m.Sequence, m.Random, m.Time, m.ClientTime, tinyID(m.From)}}
		g.pushReaders(of, m, except, recalls.Of([]recallNotice{n}))
	}
	g.line.Flush()
}

// pushEdit tells those who can read it what a message says now, all but the connection that edited it.
func (g *GroupMessages) pushEdit(ctx context.Context, call *command.Call, of *group.Group, m *chat.Message) {
	senders, err := g.senders(ctx, []*chat.Message{m})
	if err != nil {
		g.warn(of.ID, err)
		return
	}
	g.pushReaders(of, m, call.Device, edits.Of([]modifyNotice{{
		Group: of.GroupID, From: senders[m.From], Sequence: m.Sequence, Random: m.Random, Time: m.Time,
		Body: wire.Raw(m.Body), CloudData: m.CloudData, Version: m.Version,
	}}))
	g.line.Flush()
}

// senders are the user ids of who sent messages.
func (g *GroupMessages) senders(ctx context.Context, of []*chat.Message) (map[im.AccountID]string, error) {
	ids := make([]im.AccountID, 0, len(of))
	for _, m := range of {
		ids = append(ids, m.From)
	}
	slices.Sort(ids)
	found, err := g.accounts.ByID(ctx, g.db, slices.Compact(ids))
	names := make(map[im.AccountID]string, len(found))
	for id, one := range found {
		names[id] = one.UserID
	}
	return names, err
}

// pushReaders tells those who can read a message something of it, all but one device.
func (g *GroupMessages) pushReaders(of *group.Group, m *chat.Message, except im.DeviceID, item event.Event) {
	frame, err := g.router.Frame(item)
	if err != nil {
		g.warn(of.ID, err)
		return
	}
	for _, to := range readersOf(of.ID, m) {
		g.sendFrame(of.ID, to.Except(except), frame)
	}
}
