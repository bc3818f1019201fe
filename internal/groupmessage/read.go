package groupmessage

import (
	"context"
	"maps"
	"slices"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
)

type readRequest struct {
	GroupID  string `json:"GroupId"`
	TopicID  string `json:"TopicId"`
	Sequence int64  `json:"MsgReadedSeq"`
}

// readEvent tells an account's other devices how far it has read a group.
type readEvent struct {
	From string     `json:"From_Account"`
	To   string     `json:"To_Account"`
	Info *groupInfo `json:"GroupInfo"`
	Body struct {
		List []lastRead `json:"GroupReadInfoArray"`
	} `json:"MsgBody"`
}

type lastRead struct {
	Group    string `json:"GroupId"`
	Sequence int64  `json:"LastReadMsgSeq"`
}

func (g *GroupMessages) readCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "msg_read_report", Also: []string{community}, By: command.Account, Family: im.FamilyGroup(),
		Doc: "say up to which message one has read a group", Section: "wire.md#group-messages",
	}, g.read)
}

// read moves the member's read mark, and tells its other devices.
func (g *GroupMessages) read(ctx context.Context, call *command.Call, r *readRequest) (*command.None, error) {
	by, err := g.reads(ctx, call, r.GroupID, r.TopicID)
	if err != nil {
		return nil, err
	}
	mark, err := g.mark(ctx, call, by, r.Sequence)
	if err != nil || mark == 0 {
		return nil, err
	}
	n := readEvent{From: system, To: call.UserID, Info: infoOf(by.group)}
	n.Body.List = []lastRead{{by.group.GroupID, mark}}
	g.push(by.group.ID, ownReads.Of([]readEvent{n}), event.Devices(call.Account).Except(call.Device))
	return nil, nil
}

// mark moves a member's read mark, and gives where it stands then; 0 if it did not move. It never goes back, nor beyond what is
// there, where it would swallow messages to come.
func (g *GroupMessages) mark(ctx context.Context, call *command.Call, by *reader, sequence int64) (mark int64, err error) {
	if sequence < 0 {
		return 0, im.Errorf(im.CodeGroupParameter, "the sequence is below 0")
	}
	to, err := g.markAt(ctx, by.chat, sequence)
	if err != nil || to == nil {
		return 0, err
	}
	err = g.db.Write(ctx, func(tx *db.Tx) error {
		moved, err := g.groups.MarkRead(tx, group.MemberKey{Group: by.group.ID, Account: call.Account}, *to)
		if mark = 0; moved {
			mark = to.Sequence
		}
		return err
	})
	return mark, err
}

// markAt is the read mark at a sequence, or at the newest message below it; nil: there is none.
func (g *GroupMessages) markAt(ctx context.Context, chat, sequence int64) (*group.ReadMark, error) {
	newest, err := g.chats.Before(ctx, g.db, chat, sequence, 1)
	if err != nil || len(newest) == 0 {
		return nil, err
	}
	to := &group.ReadMark{Sequence: newest[0].Sequence}
	to.Counted, err = g.chats.CountedUpTo(ctx, g.db, chat, to.Sequence)
	return to, err
}

// Read says that a member has read a group up to a sequence, and what became of that.
type Read struct {
	GroupID  string
	Sequence int64
	// Moved is where the read mark stands then, 0 if it did not move, and Code that of a refusal.
	Moved int64
	Code  im.Code
}

// ReadMany moves an account's read marks in several groups, each by itself, in one transaction. The number of statements depends on
// how many marks are not at their groups' ends. It tells neither the account's other devices nor its back end.
func (g *GroupMessages) ReadMany(ctx context.Context, call *command.Call, all []Read) error {
	if len(all) == 0 {
		return nil
	}
	found, err := g.readsMany(ctx, call, all)
	if err != nil || len(found) == 0 {
		return err
	}
	marks, err := g.marksAt(ctx, all, found)
	if err != nil || len(marks) == 0 {
		return err
	}
	var moved map[int64]bool
	err = g.db.Write(ctx, func(tx *db.Tx) error {
		moved, err = g.groups.MarkManyRead(tx, call.Account, marks)
		return err
	})
	for i := range all {
		if of := found[all[i].GroupID]; all[i].Code == im.CodeOK && of != nil && moved[of.ID] {
			all[i].Moved = marks[of.ID].Sequence
		}
	}
	return err
}

// readsMany finds the named groups, by name, that the account may read, and gives the others the code of a refusal.
func (g *GroupMessages) readsMany(ctx context.Context, call *command.Call, all []Read) (map[string]*group.Group, error) {
	names := make([]string, len(all))
	for i := range all {
		names[i] = all[i].GroupID
	}
	found, err := g.groups.Read(ctx, g.db, call.App.ID, names)
	if err != nil {
		return nil, err
	}
	numbers := make([]int64, 0, len(found))
	for _, of := range found {
		numbers = append(numbers, of.ID)
	}
	members, err := g.groups.Memberships(ctx, g.db, call.Account, numbers)
	if err != nil {
		return nil, err
	}
	for i := range all {
		one := &all[i]
		switch of := found[one.GroupID]; {
		case one.GroupID == "":
			one.Code = im.CodeGroupParameter
		case of == nil:
			one.Code = im.CodeGroupUnknown
		case !of.Type.Yes("history.stored"):
			one.Code = im.CodeGroupNoHistory
		case mayRead(of, members[of.ID]) != nil:
			one.Code = im.CodeGroupRights
		case one.Sequence < 0:
			one.Code = im.CodeGroupParameter
		}
	}
	return found, nil
}

// marksAt gives the read marks at the sequences, or at the newest messages below them, by the groups' numbers; of a group that is
// named again the highest one.
func (g *GroupMessages) marksAt(ctx context.Context, all []Read, found map[string]*group.Group) (map[int64]group.ReadMark, error) {
	upTo := map[int64]int64{}
	for i := range all {
		if one := &all[i]; one.Code == im.CodeOK {
			of := found[one.GroupID].ID
			upTo[of] = max(upTo[of], one.Sequence)
		}
	}
	tails, err := g.chats.Tails(ctx, g.db, slices.Collect(maps.Keys(upTo)))
	if err != nil {
		return nil, err
	}
	marks := make(map[int64]group.ReadMark, len(upTo))
	for of, sequence := range upTo {
		tail := tails[of]
		to := group.ReadMark{Sequence: min(sequence, tail.Sequence), Counted: tail.Counted}
		if to.Sequence == 0 {
			continue
		}
		if to.Sequence < tail.Sequence {
			if to.Counted, err = g.chats.CountedUpTo(ctx, g.db, tail.Chat, to.Sequence); err != nil {
				return nil, err
			}
		}
		marks[of] = to
	}
	return marks, nil
}
