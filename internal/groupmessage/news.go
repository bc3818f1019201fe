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

// recallEvent tells that a message was taken back. A push has one message, as clients walk the whole list again for each.
type recallEvent struct {
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
	told, err := g.toldOf(ctx, of, done...)
	if err != nil {
		g.warn(of.ID, err)
		return
	}
	except := call.Device
	if call.Lite {
		except = 0
	}
	for _, m := range done {
		n := g.recallEventOf(of, m, told.senders[m.From])
		g.push(of.ID, recalls.Of([]recallEvent{n}), told.readersOf(m, except)...)
	}
	g.line.Flush()
}

// recallEventOf is what is told of a recalled message.
func (g *GroupMessages) recallEventOf(of *group.Group, m *chat.Message, sender string) recallEvent {
	n := recallEvent{
		From: system, Group: of.GroupID, Info: infoOf(of), Revoker: revoker{m.Revoker, m.Reason},
		Sequence: m.Sequence, Random: m.Random, Time: g.db.Now().Unix(),
	}
	n.Info.From = m.Revoker
	n.Body.List = []recalledInfo{{of.GroupID, sender, m.Sequence, m.Random, m.Time, m.ClientTime, tinyID(m.From)}}
	return n
}

// pushEdit tells those who can read it what a message says now, all but the device that edited it.
func (g *GroupMessages) pushEdit(ctx context.Context, except im.DeviceID, of *group.Group, m *chat.Message) {
	told, err := g.toldOf(ctx, of, m)
	if err != nil {
		g.warn(of.ID, err)
		return
	}
	g.push(of.ID, edits.Of([]editEvent{{
		Group: of.GroupID, From: told.senders[m.From], Sequence: m.Sequence, Random: m.Random, Time: m.Time,
		Body: wire.Raw(m.Body), CloudData: m.CloudData, Version: m.Version,
	}}), told.readersOf(m, except)...)
	g.line.Flush()
}

// told is what is known, for news of stored messages, of who sent and of who reads them.
type told struct {
	group   int64
	senders map[im.AccountID]string
	// members are those that are members still of the senders and readers of messages for some members.
	members map[im.AccountID]*group.Member
}

// toldOf reads it, in a number of statements that does not depend on how many messages there are.
func (g *GroupMessages) toldOf(ctx context.Context, of *group.Group, messages ...*chat.Message) (*told, error) {
	var senders, some []im.AccountID
	for _, m := range messages {
		senders = append(senders, m.From)
		if len(m.Readers) > 0 {
			some = append(append(some, m.From), m.Readers...)
		}
	}
	found, err := g.accounts.ByID(ctx, g.db, distinct(senders))
	if err != nil {
		return nil, err
	}
	t := &told{group: of.ID, senders: make(map[im.AccountID]string, len(found))}
	for id, one := range found {
		t.senders[id] = one.UserID
	}
	if len(some) > 0 {
		t.members, err = g.groups.MembersOf(ctx, g.db, of.ID, distinct(some))
	}
	return t, err
}

func distinct(ids []im.AccountID) []im.AccountID {
	slices.Sort(ids)
	return slices.Compact(ids)
}

// readersOf are whom the message is for and who are members still, all but one device.
func (t *told) readersOf(m *chat.Message, except im.DeviceID) []event.Audience {
	return readersOf(t.group, m, except, func(who im.AccountID) bool { return t.members[who] != nil })
}
