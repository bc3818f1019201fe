package group

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// Presence knows who is inside groups of the types whose members are not stored. A higher room fills it in.
type Presence interface {
	// Enter brings the asking session into the group, and says what its client has to know; late asks for the newest messages.
	Enter(ctx context.Context, call *command.Call, of *Group, late bool) (*Entered, error)
	// Leave takes the asking account out, and reports whether it was inside.
	Leave(ctx context.Context, call *command.Call, of *Group) bool
	// Inside is the unix second since which an account is inside on this node; 0: it is not.
	Inside(group int64, account im.AccountID) int64
	// Online is how many are inside, on all nodes.
	Online(group int64) int64
}

// Entered is what the reply to a join has besides, of a group whose members are not stored (docs/protocol/wire.md#live-join).
type Entered struct {
	Huge wire.Bool `json:"HugeGroupFlag"`
	Key  string    `json:"AVChatRoomKey"`
	// Start is where a client that asks for messages begins.
	Start int64 `json:"StartSeq"`
	// PollKey is there for a client that asks; without it messages are pushed.
	PollKey string `json:"LongPollingKey,omitempty"`
	// Backlog is the newest messages; null is none.
	Backlog []wire.Raw `json:"RspMsgList"`
}

// PresentBy has a higher room know who is inside. It is for the time before commands are served.
func (g *Groups) PresentBy(p Presence) { g.presence = p }

// nobody is a Presence of groups that nobody is inside of.
type nobody struct{}

func (nobody) Enter(_ context.Context, _ *command.Call, of *Group, _ bool) (*Entered, error) {
	return nil, errRights(of, "join")
}

func (nobody) Leave(context.Context, *command.Call, *Group) bool { return false }

func (nobody) Inside(int64, im.AccountID) int64 { return 0 }

func (nobody) Online(int64) int64 { return 0 }

// Admits refuses an account that may not be inside of a group whose members are not stored, as the store has it now: the group was
// destroyed, or the account is banned.
func (g *Groups) Admits(ctx context.Context, of *Group, who account.Account) error {
	found, err := g.Read(ctx, g.db, of.App, []string{of.GroupID})
	if err != nil {
		return err
	}
	if now := found[of.GroupID]; now == nil || now.ID != of.ID {
		return ErrUnknown(of.GroupID)
	}
	banned, err := bannedAmong(ctx, g.db, of, g.now().Unix(), []im.AccountID{who.ID})
	if err == nil && banned[who.ID] {
		err = im.Errorf(im.CodeGroupRights, "%.40q is banned from this group", who.UserID)
	}
	return err
}

// inside adds to a member, or makes one of an account that has no row, what is known of it without the store.
func (g *Groups) inside(group int64, account im.AccountID, found *Member) *Member {
	since := g.presence.Inside(group, account)
	if since == 0 {
		return found
	}
	if found == nil {
		found = &Member{Group: group, Account: account, Role: Ordinary}
	}
	found.Inside, found.Joined, found.Role = true, since, max(found.Role, Ordinary)
	return found
}

// enterPresence joins a group whose members are not stored.
func (g *Groups) enterPresence(ctx context.Context, call *command.Call, of *Group, late bool) (*joinReply, error) {
	entered, err := g.presence.Enter(ctx, call, of, late)
	if err != nil {
		return nil, err
	}
	return &joinReply{Status: joinedSuccess, Entered: entered}, nil
}

// leavePresence leaves a group whose members are not stored.
func (g *Groups) leavePresence(ctx context.Context, call *command.Call, of *Group) error {
	by, err := g.asking(ctx, g.db, call, of.ID)
	switch {
	case err != nil:
		return err
	case by == nil || !by.Inside:
		return errRights(of, "leave: you are not inside")
	case !of.Type.Allows("leave.who", by.Role.Who()):
		return errOwnerQuits(of)
	}
	g.presence.Leave(ctx, call, of)
	return nil
}

func errOwnerQuits(of *Group) error {
	return im.Errorf(im.CodeGroupOwnerQuits, "the owner of a group of the type %s cannot leave it", of.Type)
}

// Speaker reads a member, or an account that is inside, or one that is muted without being either; nil: it is none of these.
func (g *Groups) Speaker(ctx context.Context, from db.Source, of *Group, account im.AccountID) (*Member, error) {
	found, err := g.MemberOrMuted(ctx, from, of.ID, account)
	if err != nil {
		return nil, err
	}
	return g.inside(of.ID, account, found), nil
}

// There tells which groups, by their numbers in the store, are there still.
func (g *Groups) There(ctx context.Context, ids []int64) (map[int64]bool, error) {
	there := map[int64]bool{}
	err := db.Each(ctx, g.db, func(row db.Scanner) error {
		var id int64
		err := row(&id)
		there[id] = true
		return err
	}, `SELECT id FROM chat_group WHERE deleted_at = 0 AND id IN ($1...)`, db.Ints(ids))
	if err != nil {
		return nil, fmt.Errorf("find groups: %w", err)
	}
	return there, nil
}

// EachBanned visits who is banned now from groups, by their numbers in the store.
func (g *Groups) EachBanned(ctx context.Context, ids []int64, visit func(group int64, who im.AccountID)) error {
	err := db.Each(ctx, g.db, func(row db.Scanner) error {
		var (
			group int64
			who   im.AccountID
		)
		if err := row(&group, &who); err != nil {
			return err
		}
		visit(group, who)
		return nil
	}, `SELECT group_id, account_id FROM group_ban WHERE banned_until > $1 AND group_id IN ($2...)`, g.now().Unix(), db.Ints(ids))
	if err != nil {
		return fmt.Errorf("read bans: %w", err)
	}
	return nil
}
