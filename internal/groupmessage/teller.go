package groupmessage

import (
	"context"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// telling is what is pushed of something that happened in a group.
type telling struct {
	*GroupMessages
	h *group.Happening
	// tip is the frame of the tip; nil is no tip.
	tip   []byte
	notes []*note
}

// Tell implements [group.Teller]: a tip that is kept is stored with what happened. Once that is on disk, sessions of members
// leave the group's audience before anything that is said later is pushed, or join it.
func (g *GroupMessages) Tell(tx *db.Tx, h *group.Happening) (group.News, error) {
	t := &telling{GroupMessages: g, h: h}
	if err := t.write(tx); err != nil {
		return group.News{}, err
	}
	if err := t.note(tx); err != nil {
		return group.News{}, err
	}
	return group.News{InOrder: t.inOrder, Then: t.then}, nil
}

// Flush implements [group.Teller].
func (g *GroupMessages) Flush() { g.line.Flush() }

// write stores the tip, if it is kept, and makes its frame.
func (t *telling) write(tx *db.Tx) error {
	if t.h.Tip == group.TipNone {
		return nil
	}
	says, told := tipOf(t.h)
	if !told {
		return nil
	}
	body, err := wire.Marshal(says)
	if err != nil {
		return err
	}
	d := t.draft(numberOf(tx.NextID()), body)
	declared, number := tips, eventTip
	if t.h.Tip == group.TipKept {
		err = t.chats.Append(tx, []*chat.Draft{d})
	} else {
		declared, number = passingTips, eventPassing
		err = t.compose(tx, d)
	}
	if err != nil {
		return err
	}
	it := wireOf(&d.Message, t.h.Group, system)
	it.Info, it.Event = t.info(), number
	t.tip, err = t.router.Frame(declared.Of([]WireMessage{it}))
	return err
}

// note makes the notifications, and stores those that are kept.
func (t *telling) note(tx *db.Tx) (err error) {
	if t.notes, err = t.notesOf(tx); err != nil {
		return err
	}
	for _, n := range t.notes {
		n.number(numberOf(tx.NextID()), tx.Now().Unix())
		if !n.kept || len(n.to) == 0 {
			continue
		}
		if err := keepNote(tx, n); err != nil {
			return err
		}
	}
	return nil
}

// numberOf is the number by which clients tell apart what the server says: the low bits of an id.
func numberOf(id int64) int64 { return id & (1<<31 - 1) }

func (t *telling) draft(number int64, body []byte) *chat.Draft {
	return &chat.Draft{
		App: t.h.Group.App, Chat: t.h.Group.Chat(), Seq: number, Random: number, Lifetime: im.MaxLifetimeSeconds,
		Flags: chat.NoUnread, Body: body, Nick: t.h.By.Nick, FaceURL: t.h.By.FaceURL,
	}
}

// compose makes the message of a tip that is not stored. It stands at the end of the chat, and has no sequence of its own.
func (t *telling) compose(tx *db.Tx, d *chat.Draft) error {
	d.Compose(tx.Now().Unix())
	tails, err := t.chats.Tails(context.Background(), tx, []int64{t.h.Group.ID})
	d.Message.Sequence = tails[t.h.Group.ID].Sequence
	return err
}

func (t *telling) info() *groupInfo {
	info := infoOf(t.h.Group)
	info.From, info.Nick, info.FaceURL = t.h.By.UserID, t.h.By.Nick, t.h.By.FaceURL
	if t.h.Member != nil {
		info.Extra.NameCard = t.h.Member.NameCard
	}
	return info
}

// inOrder pushes to the group. Who left learns nothing of it any more.
func (t *telling) inOrder() {
	switch t.h.Kind {
	case group.HappenedQuit, group.HappenedKicked:
		t.attempt(t.router.Leave(t.h.Group.ID, numbersOf(t.h.Targets)...))
	case group.HappenedDestroyed:
		for _, n := range t.notes {
			t.notify(n)
		}
		t.attempt(t.router.Empty(t.h.Group.ID))
	default:
	}
	if t.tip != nil {
		t.attempt(t.router.Send(event.Group(t.h.Group.ID), t.tip))
	}
}

// then pushes to those whom it happened to. Who joins is told so before all that is said in the group.
func (t *telling) then() {
	for _, n := range t.notes {
		if !n.everybody {
			t.notify(n)
		}
	}
	switch t.h.Kind {
	case group.HappenedCreated, group.HappenedJoined, group.HappenedImported:
		for _, one := range t.h.Targets {
			if t.tip != nil {
				t.attempt(t.router.Send(event.Devices(one.ID), t.tip))
			}
			t.attempt(t.router.Join(t.h.Group.ID, one.ID))
		}
	case group.HappenedQuit, group.HappenedKicked:
		for _, one := range t.h.Targets {
			t.attempt(t.router.LeaveOwn(t.h.Group.ID, one.ID))
		}
	default:
	}
}

// attempt notes a push that failed: it is a hint, and what it tells of is stored.
func (t *telling) attempt(err error) {
	if err != nil {
		t.warn(t.h.Group.ID, err)
	}
}

func numbersOf(accounts []account.Account) []im.AccountID {
	all := make([]im.AccountID, len(accounts))
	for i, one := range accounts {
		all[i] = one.ID
	}
	return all
}
