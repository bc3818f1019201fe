package groupmessage

import (
	"context"
	"errors"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
)

// Speech is a message that a back end makes for one of its accounts, such as a robot's answer.
type Speech struct {
	GroupID string
	From    account.Account
	// Body is of elements in normal form.
	Body      []byte
	CloudData string
	// Random is the sender's number, by which a repeat is recognised; nil draws one.
	Random *uint32
}

// Say sends such a message. It gives the message as it is stored; one that the back end itself dropped has no sequence.
func (g *GroupMessages) Say(ctx context.Context, call *command.Call, what Speech) (*chat.Message, error) {
	d, err := g.speech(ctx, call, what.GroupID, what.From)
	if err != nil {
		return nil, err
	}
	if err := g.maySend(ctx, call, d); err != nil {
		return nil, err
	}
	if err := d.Number(); err != nil {
		return nil, err
	}
	if d.Body, d.CloudData = what.Body, what.CloudData; what.Random != nil {
		d.Random = int64(*what.Random)
		d.Recognise(g.db.Now().Unix(), d.Group.Type.Number("send.dedupe_seconds"))
	}
	if err := g.line.Send(ctx, call, d); err != nil {
		return nil, err
	}
	return &d.Message, nil
}

// speech is a draft of an account in a group whose messages are stored, with nothing said yet.
func (g *GroupMessages) speech(ctx context.Context, call *command.Call, groupID string, from account.Account) (*Draft, error) {
	of, err := g.find(ctx, call, groupID, "")
	if err != nil {
		return nil, err
	}
	if !of.Type.Yes("history.stored") {
		return nil, im.Errorf(im.CodeGroupRights, "messages of groups of type %s are not stored, so that none of them grows", of.Type)
	}
	return draft(of, from, nil), nil
}

// Growth is a change of a message that grows while it is read, named by its sequence.
type Growth struct {
	GroupID  string
	From     account.Account
	Sequence int64
	// Ends says that nothing more is said by it: the sender may be one who may not speak any more.
	Ends bool
	// Change gives the new content for the one that is stored, or refuses. It may run several times.
	Change func(old chat.Editable) (chat.Editable, error)
}

// Grown is a message as it stands after it has grown.
type Grown struct {
	*chat.Message
	of *group.Group
}

// Grow stores the change and pushes nothing; when it returns, the change is on disk. It is for the message's sender, as long as he may
// speak in the group.
func (g *GroupMessages) Grow(ctx context.Context, call *command.Call, e Growth) (*Grown, error) {
	d, err := g.speech(ctx, call, e.GroupID, e.From)
	if err != nil {
		return nil, err
	}
	if !e.Ends {
		if err := g.maySend(ctx, call, d); err != nil {
			return nil, err
		}
	}
	unknown := im.Errorf(im.CodeGroupNoMessage, "there is no message %d of %.40q, or it was recalled", e.Sequence, e.From.UserID)
	if e.Sequence <= 0 {
		return nil, unknown
	}
	grown, err := g.chats.Edit(ctx, chat.Edit{
		Chat: d.Group.Chat(), Sequence: e.Sequence, Change: e.Change, Check: func(tx *db.Tx, m *chat.Message) error {
			switch {
			case m.From != e.From.ID:
				return unknown
			case e.Ends:
				return nil
			}
			standing, err := g.groups.StandingOf(ctx, tx, []group.MemberKey{d.in(d.Sender.ID)})
			if err != nil {
				return err
			}
			return d.hold(standing, tx.Now().Unix())
		},
	})
	if errors.Is(err, chat.ErrUnknown) || errors.Is(err, chat.ErrRecalled) {
		return nil, unknown
	}
	return &Grown{grown, d.Group}, err
}

// Announce tells those who can read it what a message says now. Devices pass over a version that is not newer than theirs, so the
// order of announcements does not matter.
func (g *GroupMessages) Announce(ctx context.Context, e *Grown) { g.pushEdit(ctx, 0, e.of, e.Message) }
