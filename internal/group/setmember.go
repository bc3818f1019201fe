package group

import (
	"context"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

type memberRequest struct {
	GroupID  string        `json:"GroupId"`
	TopicID  string        `json:"TopicId"`
	Member   string        `json:"Member_Account"`
	Role     *string       `json:"Role"`
	MsgFlag  *string       `json:"MsgFlag"`
	NameCard *string       `json:"NameCard"`
	Custom   []customField `json:"AppMemberDefinedData"`
	Mute     *wire.Number  `json:"MuteTime"`
	ShutUp   *wire.Number  `json:"ShutUpTime"`
}

func (g *Groups) setMemberCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "modify_group_member_info", Also: []string{millionService}, By: command.Administrator | command.Account,
		Family: im.FamilyGroup(), Doc: "change what a member is and has in a group", Section: "rest.md#modify_group_member_info",
	}, g.setMember)
}

// memberChange is what a request sets of a member; nil leaves it as it is.
type memberChange struct {
	target   account.Account
	role     *Role
	receive  *Receive
	nameCard *string
	custom   map[string]string
	mute     *int64 // seconds
}

func (g *Groups) setMember(ctx context.Context, call *command.Call, r *memberRequest) (*command.None, error) {
	of, err := g.find(ctx, call, r.GroupID)
	if err != nil {
		return nil, err
	}
	m, err := g.readMemberChange(ctx, call, of, r)
	if err != nil {
		return nil, err
	}
	return nil, g.change(ctx, call, of, nil, func(c *change) (refused, err error) {
		member, err := g.Member(ctx, c.tx, of.ID, m.target.ID)
		if err != nil {
			return nil, err
		}
		if member == nil && !of.Type.Yes("members.stored") { // whoever is inside, on any node
			member = &Member{Group: of.ID, Account: m.target.ID, Role: Ordinary, Custom: "{}"}
		}
		if member == nil {
			return im.Errorf(im.CodeGroupRights, "%.40q is not a member", r.Member), nil
		}
		if refused := m.refuse(c, member); refused != nil {
			return refused, nil
		}
		return nil, g.applyMember(c, member, m)
	})
}

func (g *Groups) readMemberChange(ctx context.Context, call *command.Call, of *Group, r *memberRequest) (*memberChange, error) {
	if r.TopicID != "" {
		return nil, im.Errorf(im.CodeGroupParameter, "the group has no topics")
	}
	target, err := g.account(ctx, call, r.Member)
	if err != nil {
		return nil, err
	}
	m := &memberChange{target: target}
	if m.nameCard, err = checkText(call, "NameCard", r.NameCard, nameCardBytes); err != nil {
		return nil, err
	}
	if mute := firstOf(r.Mute, r.ShutUp); mute != nil {
		seconds, err := muteSeconds(mute)
		if err != nil {
			return nil, err
		}
		m.mute = &seconds
	}
	if m.custom, err = readCustom(r.Custom, memberFields.Of(call.App)); err != nil {
		return nil, err
	}
	if err := checkCustom(of.Type, "member.custom.value.max_bytes", m.custom); err != nil {
		return nil, err
	}
	return m, m.readWords(of.Type, r)
}

// readWords reads role and way to receive.
func (m *memberChange) readWords(t Type, r *memberRequest) error {
	if r.Role != nil {
		role := Ordinary
		if *r.Role == Admin.String() {
			role = Admin
		} else if *r.Role != Ordinary.String() {
			return im.Errorf(im.CodeGroupParameter, "Role is %.20q: want Admin or Member", *r.Role)
		}
		m.role = &role
	}
	if r.MsgFlag != nil {
		receive, ok := receiveNamed(*r.MsgFlag)
		if !ok || !t.OneOf("member.receive_option.values", *r.MsgFlag) {
			return im.Errorf(im.CodeGroupParameter, "MsgFlag is %.40q, which members of this type cannot have", *r.MsgFlag)
		}
		m.receive = &receive
	}
	return nil
}

// refuse checks a change against what the asking one may do to this member.
func (m *memberChange) refuse(c *change, member *Member) error {
	own := !c.call.Admin() && c.call.Account == member.Account
	switch {
	case m.role != nil && !c.may(doorRule(c.call, "admin.set.who")):
		return errRights(c.group, "make somebody an administrator")
	case m.role != nil && c.group.Type.Rule("admin.set.command.rest") == "modify_admin":
		return errRights(c.group, "make somebody an administrator by this command")
	case m.role != nil && member.Role == Owner:
		return im.Errorf(im.CodeGroupParameter, "the owner has no other role: make somebody else the owner")
	case m.nameCard != nil && !own && !c.mayOver("member.namecard.others", member.Role),
		m.nameCard != nil && own && !c.group.Type.Allows("member.namecard.own", WhoSelf):
		return errRights(c.group, "change this name card")
	case m.receive != nil && !own && !c.call.Admin():
		return errRights(c.group, "choose for another member how he hears of messages")
	case m.mute != nil && own:
		return im.Errorf(im.CodeGroupParameter, "nobody mutes himself")
	case m.mute != nil && !c.mayOver(doorRule(c.call, "mute.member.who"), member.Role):
		return errRights(c.group, "mute this member")
	case len(m.custom) > 0 && !own && !atLeast(standing(c.call, c.by), c.customLevel()):
		return errRights(c.group, "change the application's own fields of another member")
	}
	return nil
}

// customLevel is the least role that changes the application's own fields of others.
func (c *change) customLevel() string {
	for _, level := range []Who{WhoMember, WhoAdmin, WhoOwner, WhoAppAdmin} {
		if c.group.Type.Allows("member.custom.write.default", level) {
			return string(level)
		}
	}
	return string(WhoAppAdmin)
}

// applyMember stores a change of a member and tells of it.
func (g *Groups) applyMember(c *change, member *Member, m *memberChange) error {
	role, card := put(&member.Role, m.role), put(&member.NameCard, m.nameCard)
	received := put(&member.Receive, m.receive)
	if len(m.custom) > 0 {
		var err error
		if member.Custom, err = mergeCustom(member.Custom, m.custom); err != nil {
			return err
		}
	}
	_, err := c.tx.Exec(`UPDATE group_member SET role = $3, name_card = $4, msg_flag = $5, custom = $6, changed_at = $7
		WHERE group_id = $1 AND account_id = $2`, c.group.ID, int64(member.Account), int64(member.Role), member.NameCard,
		int64(member.Receive), member.Custom, c.tx.Now().Unix())
	if err != nil {
		return err
	}
	if m.mute != nil {
		if err := g.setMute(c, []account.Account{m.target}, *m.mute); err != nil {
			return err
		}
	}
	if received != nil {
		err := g.tell(c, Happening{
			Kind: HappenedReceiveOption, Tip: TipNone, Targets: []account.Account{m.target}, Receive: member.Receive,
		})
		if err != nil {
			return err
		}
	}
	if err := g.tellRole(c, m.target, role); err != nil || role == nil && card == nil {
		return err
	}
	return afterField.Tell(c.tx, g.hooks, &c.call.Actor, c.group.ID, func() (fieldBody, error) {
		body := fieldBody{
			GroupID: c.group.GroupID, Type: c.group.Type.String(), Operator: c.call.UserID, Modified: m.target.UserID, NameCard: card,
			EventTime: c.eventTime(),
		}
		if role != nil {
			name := role.String()
			body.Role = &name
		}
		return body, nil
	})
}

func (g *Groups) tellRole(c *change, target account.Account, role *Role) error {
	if role == nil {
		return nil
	}
	h := Happening{Kind: HappenedAdminUnset, Targets: []account.Account{target}, Tip: c.group.Type.tipMode(c.call.App, "tip.5.admin_unset", false)}
	if *role == Admin {
		h.Kind, h.Tip = HappenedAdminSet, c.group.Type.tipMode(c.call.App, "tip.4.admin_set", false)
	}
	return g.tell(c, h)
}

// memberCustom gives a member's stored fields with changes.
func memberCustom(call *command.Call, t Type, kept string, given []customField) (string, error) {
	fields, err := readCustom(given, memberFields.Of(call.App))
	if err != nil || len(fields) == 0 {
		return kept, err
	}
	if err := checkCustom(t, "member.custom.value.max_bytes", fields); err != nil {
		return "", err
	}
	return mergeCustom(kept, fields)
}
