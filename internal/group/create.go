package group

import (
	"context"
	"crypto/rand"
	"strings"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/webhook"
	"github.com/magpie-im/magpie/internal/wire"
)

const (
	service = "group_open_http_svc"
	// millionService is the service under which clients ask about communities.
	millionService = "million_group_open_http_svc"
)

type newMember struct {
	Member   string        `json:"Member_Account"`
	Role     string        `json:"Role"`
	Custom   []customField `json:"AppMemberDefinedData"`
	JoinTime int64         `json:"JoinTime"`
	Unread   int64         `json:"UnreadMsgNum"`
}

type createRequest struct {
	Type    string `json:"Type"`
	GroupID string `json:"GroupId"`
	Owner   string `json:"Owner_Account"`
	profileFields
	Members          []newMember   `json:"MemberList"`
	OwnFields        []customField `json:"AppMemberDefinedData"`
	SupportTopic     wire.Bool     `json:"SupportTopic"`
	EnablePermission wire.Bool     `json:"EnablePermission"`
	CreateTime       int64         `json:"CreateTime"`
}

type createReply struct {
	GroupID   string    `json:"GroupId"`
	Type      string    `json:"Type"`
	Huge      wire.Bool `json:"HugeGroupFlag"`
	OverLimit []string  `json:"OverJoinedGroupLimit_Account,omitempty"`
}

func (g *Groups) createCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "create_group", Also: []string{millionService}, By: command.Administrator | command.Account,
		Family: im.FamilyGroup(), Doc: "make a group", Section: "rest.md#create_group",
	}, g.create)
}

func (g *Groups) create(ctx context.Context, call *command.Call, r *createRequest) (*createReply, error) {
	f, err := g.found(ctx, call, r)
	if err != nil {
		return nil, err
	}
	if err := f.askFirst(ctx, g); err != nil {
		return nil, err
	}
	if err := g.store(ctx, f); err != nil {
		return nil, err
	}
	return &createReply{
		GroupID: f.group.GroupID, Type: f.group.Type.String(), Huge: wire.Bool(f.group.Type.Yes("reply.HugeGroupFlag")), OverLimit: f.over,
	}, nil
}

// founding is a group that is about to be made.
type founding struct {
	call    *command.Call
	group   Group
	members []*Member // the owner too
	owner   account.Account
	names   map[im.AccountID]account.Account
	// imported is a group from elsewhere: nobody is asked and nobody is told.
	imported bool
	// over are the accounts that are in too many groups already, and so do not become members.
	over []string
}

// found checks a request for a new group.
func (g *Groups) found(ctx context.Context, call *command.Call, r *createRequest) (*founding, error) {
	t, err := g.typeOf(call, r.Type)
	if err != nil {
		return nil, err
	}
	if r.SupportTopic || r.EnablePermission {
		return nil, im.Errorf(im.CodeGroupRights, "there are no topics and no permission groups")
	}
	profile, err := r.read(call)
	if err != nil {
		return nil, err
	}
	if profile.Name == nil {
		return nil, im.Errorf(im.CodeGroupParameter, "Name is missing")
	}
	f := &founding{call: call, names: map[im.AccountID]account.Account{}}
	f.group = Group{App: call.App.ID, Type: t, Custom: "{}", InfoSeq: 1, MaxMembers: mostMembers(call.App, t)}
	if err := f.fill(profile); err != nil {
		return nil, err
	}
	if f.group.GroupID, err = groupIDFor(t, r.GroupID); err != nil {
		return nil, err
	}
	return f, f.people(ctx, g, r)
}

// typeOf reads a request's type. Back ends have two spellings of some.
func (g *Groups) typeOf(call *command.Call, name string) (Type, error) {
	for _, t := range g.rules.Types() {
		if !t.OneOf(doorRule(call, "type.name.in"), name) {
			continue
		}
		if !t.Allows(doorRule(call, "create.who"), standing(call, nil)...) {
			return Type{}, errRights(&Group{Type: t}, "create")
		}
		return t, creatable(call, t)
	}
	return Type{}, im.Errorf(im.CodeGroupParameter, "there is no type of groups %.40q", name)
}

// fill takes over the profile of a new group.
func (f *founding) fill(p *Profile) error {
	t, of := f.group.Type, &f.group
	of.ApplyOption, of.InviteOption = t.Rule("create.apply_option.default"), t.Rule("create.invite_option.default")
	if err := p.checkOptions(); err != nil {
		return err
	}
	if p.ApplyOption != nil && t.OneOf(doorRule(f.call, "create.apply_option.allowed"), *p.ApplyOption) {
		of.ApplyOption = *p.ApplyOption
	}
	if p.InviteOption != nil && t.OneOf("create.invite_option.allowed", *p.InviteOption) {
		of.InviteOption = *p.InviteOption
	}
	p.ApplyOption, p.InviteOption = nil, nil
	if !t.Yes("create.max_members.value_used") {
		p.MaxMembers = nil
	}
	if err := p.checkAgainst(f.call, of); err != nil {
		return err
	}
	_, err := p.apply(of)
	return err
}

// groupIDFor checks a group's own id, or makes one.
func groupIDFor(t Type, given string) (string, error) {
	if given == "" {
		const random = 13
		return t.Rule("id.default.prefix") + rand.Text()[:random], nil
	}
	if most := t.Number("id.custom.max_bytes"); int64(len(given)) > most {
		return "", im.Errorf(im.CodeGroupID, "GroupId has %d bytes, at most %d", len(given), most)
	}
	for i := range len(given) {
		if given[i] <= ' ' || given[i] > '~' {
			return "", im.Errorf(im.CodeGroupID, "GroupId: want printable ASCII")
		}
	}
	if strings.HasPrefix(given, t.Rule("id.custom.prefix_forbidden")) {
		return "", im.Errorf(im.CodeGroupID, "GroupId begins with %s, which is for ids that are made here", t.Rule("id.custom.prefix_forbidden"))
	}
	if required := t.Rule("id.custom.prefix_required"); required != "none" && !strings.HasPrefix(given, required) {
		return "", im.Errorf(im.CodeGroupID, "GroupId: want the prefix %s for this type", required)
	}
	return given, nil
}

// people finds the owner and the first members.
func (f *founding) people(ctx context.Context, g *Groups, r *createRequest) error {
	if !f.call.Admin() && r.Owner != "" && r.Owner != f.call.UserID {
		return im.Errorf(im.CodeGroupParameter, "Owner_Account is %.40q: a client makes groups of its own only", r.Owner)
	}
	if !f.call.Admin() {
		r.Owner = f.call.UserID
	}
	if len(r.Members) > 0 && !f.group.Type.Yes("create.members.initial.allowed") {
		return errRights(&f.group, "be a first member")
	}
	if most := f.group.Type.Number(doorRule(f.call, "create.members.initial.max")); int64(len(r.Members)) > most {
		return im.Errorf(im.CodeGroupTooMany, "MemberList has %d members, at most %d", len(r.Members), most)
	}
	all := r.Members
	if r.Owner != "" {
		all = append([]newMember{{Member: r.Owner, Custom: r.OwnFields}}, r.Members...)
	}
	names := make([]string, 0, len(all))
	for _, m := range all {
		names = append(names, m.Member)
	}
	found, err := g.namedAccounts(ctx, f.call, names)
	if err != nil {
		return err
	}
	f.owner = found[r.Owner]
	f.group.Owner = f.owner.ID
	for _, m := range all {
		if err := f.add(found[m.Member], &m); err != nil {
			return err
		}
	}
	return nil
}

// add adds a first member; one that is named again is the same.
func (f *founding) add(one account.Account, m *newMember) error {
	if _, again := f.names[one.ID]; again {
		return nil
	}
	role := Ordinary
	switch {
	case one.ID == f.group.Owner:
		role = Owner
	case m.Role == Admin.String() && f.group.Type.OneOf("create.members.initial.role", m.Role):
		role = Admin
	case m.Role != "" && m.Role != Ordinary.String():
		return im.Errorf(im.CodeGroupParameter, "Role of %.40q is %.20q, which a first member of this type cannot have", m.Member, m.Role)
	}
	custom, err := memberCustom(f.call, f.group.Type, "{}", m.Custom)
	if err != nil {
		return err
	}
	f.names[one.ID] = one
	f.members = append(f.members, &Member{Account: one.ID, Role: role, Custom: custom, Receive: usualReceive(f.call.App, f.group.Type)})
	return nil
}

// askFirst lets the back end decide on the new group.
func (f *founding) askFirst(ctx context.Context, g *Groups) error {
	_, err := beforeCreate.Ask(ctx, f.call, g.hooks, webhook.Question[createAsk]{
		Key: orderKey(f.group.GroupID),
		Body: func() (createAsk, error) {
			n, err := g.countOwned(ctx, f.group.App, f.owner.ID, f.group.Type)
			return createAsk{
				f.call.UserID, f.owner.UserID, f.group.Type.String(), f.group.Name, n, memberNames(f.accounts()), g.db.Now().UnixMilli(),
			}, err
		},
	})
	return err
}

// accounts are the first members in their order.
func (f *founding) accounts() []account.Account {
	all := make([]account.Account, 0, len(f.members))
	for _, m := range f.members {
		all = append(all, f.names[m.Account])
	}
	return all
}
