package group

import (
	"cmp"
	"context"
	"slices"

	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
)

type importReply struct {
	GroupID string `json:"GroupId"`
}

func (g *Groups) importCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "import_group", By: command.Administrator, Family: im.FamilyGroup(),
		Doc: "take over a group from elsewhere; nobody is told", Section: "rest.md#import_group",
	}, g.importGroup)
}

func (g *Groups) importGroup(ctx context.Context, call *command.Call, r *createRequest) (*importReply, error) {
	if len(r.Members) > 0 {
		return nil, im.Errorf(im.CodeGroupParameter, "a group is imported without members: import_group_member adds them")
	}
	now := g.db.Now().Unix()
	if r.CreateTime < 0 || r.CreateTime > now {
		return nil, im.Errorf(im.CodeGroupParameter, "CreateTime is %d: want a unix second of the past", r.CreateTime)
	}
	f, err := g.found(ctx, call, r)
	if err != nil {
		return nil, err
	}
	if !f.group.Type.Yes("import.group") {
		return nil, errRights(&f.group, "import")
	}
	f.imported, f.group.Created = true, r.CreateTime
	if err := g.store(ctx, f); err != nil {
		return nil, err
	}
	return &importReply{GroupID: f.group.GroupID}, nil
}

func (g *Groups) importMembersCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "import_group_member", By: command.Administrator, Family: im.FamilyGroup(),
		Doc: "take over members from elsewhere; nobody is told", Section: "rest.md#import_group_member",
	}, g.importMembers)
}

func (g *Groups) importMembers(ctx context.Context, call *command.Call, r *addRequest) (*addReply, error) {
	of, err := g.find(ctx, call, r.GroupID)
	if err != nil {
		return nil, err
	}
	if !of.Type.Yes("import.member") {
		return nil, errRights(of, "import members")
	}
	j, err := g.joining(ctx, call, of, r.Members)
	if err != nil {
		return nil, err
	}
	now := g.db.Now().Unix()
	for _, m := range r.Members {
		if err := checkImported(of.Type, &m, now); err != nil {
			return nil, err
		}
	}
	err = g.change(ctx, call, of, ids(j.accounts), func(c *change) (refused, err error) { return g.importAll(c, j, r.Members) })
	if err != nil {
		return nil, err
	}
	return j.reply(), nil
}

func checkImported(t Type, m *newMember, now int64) error {
	switch {
	case m.Role != "" && m.Role != Ordinary.String() && !t.OneOf("create.members.initial.role", m.Role):
		return im.Errorf(im.CodeGroupParameter, "Role of %.40q is %.20q, which no imported member of this type has", m.Member, m.Role)
	case m.JoinTime < 0 || m.JoinTime > now:
		return im.Errorf(im.CodeGroupParameter, "JoinTime of %.40q is %d: want a unix second of the past", m.Member, m.JoinTime)
	case m.Unread < 0:
		return im.Errorf(im.CodeGroupParameter, "UnreadMsgNum of %.40q is %d", m.Member, m.Unread)
	}
	return nil
}

// importAll makes members of those who are none yet, each as it is named first.
func (g *Groups) importAll(c *change, j *joining, given []newMember) (refused, err error) {
	fresh, refused, err := g.fresh(c, j)
	if refused != nil || err != nil || len(fresh) == 0 {
		return refused, err
	}
	tails, err := g.chats.Tails(c.ctx, c.tx, []int64{c.group.ID})
	if err != nil {
		return nil, err
	}
	members := make([]*Member, len(fresh))
	for i, one := range fresh {
		first := slices.IndexFunc(given, func(m newMember) bool { return m.Member == one.UserID })
		members[i] = c.imported(one.ID, &given[first], tails[c.group.ID])
	}
	slices.SortFunc(members, func(x, y *Member) int { return cmp.Compare(x.Account, y.Account) })
	if err := putMembers(c.tx, members); err != nil {
		return nil, err
	}
	if err := c.settled(accountsOf(members)); err != nil {
		return nil, err
	}
	if err := c.count(int64(len(members))); err != nil {
		return nil, err
	}
	return nil, g.tell(c, Happening{Kind: HappenedImported, Tip: TipNone, Targets: fresh})
}

// imported is a member as it was elsewhere. Its history reaches back to the group's beginning.
func (c *change) imported(account im.AccountID, m *newMember, tail chat.Tail) *Member {
	role := Ordinary
	if m.Role == Admin.String() {
		role = Admin
	}
	joined := m.JoinTime
	if joined == 0 {
		joined = c.tx.Now().Unix()
	}
	unread := min(m.Unread, tail.Sequence)
	return &Member{
		Group: c.group.ID, Account: account, Role: role, Joined: joined, Custom: "{}", Receive: usualReceive(c.call.App, c.group.Type),
		ReadSequence: tail.Sequence - unread, ReadCounted: tail.Counted - unread,
	}
}
