package group

import (
	"context"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

type profileRequest struct {
	GroupID string `json:"GroupId"`
	From    string `json:"From_Account"`
	profileFields
	HistoryBefore    *string    `json:"HistoryMsgBeforeJoin"`
	EnablePermission *wire.Bool `json:"EnablePermission"`
}

func (g *Groups) setProfileCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "modify_group_base_info", Also: []string{millionService},
		By: command.Administrator | command.Account, Family: im.FamilyGroup(),
		Doc: "change a group's profile", Section: "rest.md#modify_group_base_info",
	}, g.setProfile)
}

func (g *Groups) setProfile(ctx context.Context, call *command.Call, r *profileRequest) (*command.None, error) {
	if r.EnablePermission != nil {
		return nil, im.Errorf(im.CodeGroupParameter, "EnablePermission cannot be chosen: there are no permission groups")
	}
	profile, err := r.read(call)
	if err != nil {
		return nil, err
	}
	if err := profile.readHistory(r.HistoryBefore); err != nil {
		return nil, err
	}
	if err := profile.checkOptions(); err != nil {
		return nil, err
	}
	of, err := g.find(ctx, call, r.GroupID)
	if err != nil {
		return nil, err
	}
	operator, err := g.operator(ctx, call, r.From)
	if err != nil {
		return nil, err
	}
	return nil, g.change(ctx, call, of, nil, func(c *change) (refused, err error) {
		if refused := profile.refuse(c); refused != nil {
			return refused, nil
		}
		return nil, g.applyProfile(c, profile, operator)
	})
}

// operator is whom others are shown as the one who did it: at the REST door the one that the request names.
func (g *Groups) operator(ctx context.Context, call *command.Call, from string) (account.Account, error) {
	if !call.Admin() || from == "" {
		return account.Account{ID: call.Account, UserID: call.UserID}, nil
	}
	return g.account(ctx, call, from)
}

// refuse checks a change against what the asking one and the type allow.
func (p *Profile) refuse(c *change) error {
	if p.History != nil && c.call.Admin() && !c.may("profile.history_before_join.edit") {
		return im.Errorf(im.CodeGroupParameter, "groups of type %s do not choose HistoryMsgBeforeJoin", c.group.Type)
	}
	for _, field := range []struct {
		given      bool
		rule, what string
	}{
		{p.Name != nil, "profile.name.edit", "change the name"},
		{p.Introduction != nil, "profile.introduction.edit", "change the introduction"},
		{p.Notification != nil, "profile.notification.edit", "change the notification"},
		{p.FaceURL != nil, "profile.avatar.edit", "change the avatar"},
		{p.ApplyOption != nil, "profile.join_option.edit", "change who may join"},
		{p.InviteOption != nil, "profile.invite_option.edit", "change who may invite"},
		{p.MuteAll != nil, "profile.mute_all.edit", "mute all"},
		{p.History != nil, "profile.history_before_join.edit", "choose what new members read"},
		{p.MaxMembers != nil && c.counts(), "profile.max_members.edit", "change the number of members"},
	} {
		if field.given && !c.may(field.rule) {
			return errRights(c.group, field.what)
		}
	}
	if len(p.Custom) > 0 && !atLeast(standing(c.call, c.by), c.group.Type.Rule("profile.custom.write.default")) {
		return errRights(c.group, "change the application's own fields")
	}
	// Somebody without any right, such as a former member, does not learn by an empty change that the group is there.
	if c.by == nil && len(standing(c.call, nil)) == 1 && !c.call.Admin() {
		return errRights(c.group, "change anything")
	}
	return p.checkAgainst(c.call, c.group)
}

// counts reports whether the asking one hears that the number of members is not his to choose: of a type that has no such bound a
// back end does not.
func (c *change) counts() bool {
	return !c.call.Admin() || c.group.Type.Yes("create.max_members.value_used")
}

// atLeast reports whether one of those has a level of rights to the application's own fields; levels above include it.
func atLeast(who []Who, level string) bool {
	rank := map[Who]int{WhoAnyone: 1, WhoMember: 2, WhoAdmin: 3, WhoOwner: 4, WhoAppAdmin: 5}
	for _, one := range who {
		if need, ok := rank[Who(level)]; ok && rank[one] >= need {
			return true
		}
	}
	return false
}

// checkOptions refuses values that no type has.
func (p *Profile) checkOptions() error {
	for _, option := range []struct {
		name  string
		given *string
		last  string
	}{{"ApplyJoinOption", p.ApplyOption, "DisableApply"}, {"InviteJoinOption", p.InviteOption, "DisableInvite"}} {
		if v := option.given; v != nil && *v != freeAccess && *v != needPermission && *v != option.last {
			return im.Errorf(im.CodeGroupParameter, "%s is %.30q: want %s, %s or %s", option.name, *v, freeAccess, needPermission, option.last)
		}
	}
	return nil
}

// The options of joining and of inviting that both have.
const (
	freeAccess     = "FreeAccess"
	needPermission = "NeedPermission"
)

// checkAgainst refuses values that this group cannot have.
func (p *Profile) checkAgainst(call *command.Call, of *Group) error {
	if !of.Type.Yes("create.max_members.value_used") {
		p.MaxMembers = nil
	}
	if n := p.MaxMembers; n != nil && (*n < 1 || *n > mostMembers(call.App, of.Type)) {
		return im.Errorf(im.CodeGroupMaxMembers, "%d members: a group of this type may have 1 to %d", *n, mostMembers(call.App, of.Type))
	}
	if v := p.ApplyOption; v != nil && !of.Type.OneOf(doorRule(call, "create.apply_option.allowed"), *v) {
		return im.Errorf(im.CodeGroupRights, "a group of this type cannot have the ApplyJoinOption %s", *v)
	}
	if v := p.InviteOption; v != nil && !of.Type.OneOf("create.invite_option.allowed", *v) {
		return im.Errorf(im.CodeGroupRights, "a group of this type cannot have the InviteJoinOption %s", *v)
	}
	return checkCustom(of.Type, "profile.custom.value.max_bytes", p.Custom)
}

// apply sets the fields of a group, and gives those that are different now.
func (p *Profile) apply(of *Group) (*Profile, error) {
	changed := &Profile{
		Name: put(&of.Name, p.Name), Introduction: put(&of.Introduction, p.Introduction),
		Notification: put(&of.Notification, p.Notification), FaceURL: put(&of.FaceURL, p.FaceURL),
		ApplyOption: put(&of.ApplyOption, p.ApplyOption), InviteOption: put(&of.InviteOption, p.InviteOption),
		MuteAll: put(&of.MuteAll, p.MuteAll), History: put(&of.History, p.History), MaxMembers: put(&of.MaxMembers, p.MaxMembers),
	}
	if len(p.Custom) == 0 {
		return changed, nil
	}
	merged, err := mergeCustom(of.Custom, p.Custom)
	if put(&of.Custom, &merged) != nil {
		changed.Custom = p.Custom
	}
	return changed, err
}

// put sets a value, and gives it back if it is another one than before.
func put[T comparable](to, value *T) *T {
	if value == nil || *to == *value {
		return nil
	}
	*to = *value
	return value
}

// empty reports whether nothing is changed.
func (p *Profile) empty() bool {
	return !p.told() && p.ApplyOption == nil && p.InviteOption == nil && p.MuteAll == nil && p.History == nil && p.MaxMembers == nil && p.Custom == nil &&
		p.Owner == nil
}

// told reports whether the back end is told of the change.
func (p *Profile) told() bool {
	return p.Name != nil || p.Introduction != nil || p.Notification != nil || p.FaceURL != nil
}

// applyProfile stores a change and tells of it. A change that changes nothing is none.
func (g *Groups) applyProfile(c *change, p *Profile, operator account.Account) error {
	changed, err := p.apply(c.group)
	if err != nil || changed.empty() {
		return err
	}
	of := c.group
	of.InfoSeq++
	of.Changed = c.tx.Now().Unix()
	_, err = c.tx.Exec(`UPDATE chat_group SET name = $2, introduction = $3, notification = $4, face_url = $5, apply_option = $6,
		invite_option = $7, mute_all = $8, max_members = $9, custom = $10, info_seq = $11, changed_at = $12, history_before = $13 WHERE id = $1`,
		of.ID, of.Name, of.Introduction, of.Notification, of.FaceURL, of.ApplyOption, of.InviteOption, of.MuteAll, of.MaxMembers,
		of.Custom, of.InfoSeq, of.Changed, int64(of.History))
	if err != nil {
		return err
	}
	if err := g.tellProfile(c, changed, operator); err != nil || !changed.told() {
		return err
	}
	return afterInfo.Tell(c.tx, g.hooks, &c.call.Actor, of.ID, func() (infoBody, error) {
		return infoBody{
			of.GroupID, of.Type.String(), operator.UserID, changed.Name, changed.Introduction, changed.Notification, changed.FaceURL, c.eventTime(),
		}, nil
	})
}

// tellProfile tells members of those changes of which the type has tips; one tip says them all.
func (g *Groups) tellProfile(c *change, changed *Profile, operator account.Account) error {
	told, mode := *changed, TipNone
	for _, field := range []struct {
		rule  string
		given bool
		leave func()
	}{
		{"tip.6.name", told.Name != nil, func() { told.Name = nil }},
		{"tip.6.introduction", told.Introduction != nil, func() { told.Introduction = nil }},
		{"tip.6.notification", told.Notification != nil, func() { told.Notification = nil }},
		{"tip.6.avatar", told.FaceURL != nil, func() { told.FaceURL = nil }},
		{"tip.6.join_option", told.ApplyOption != nil, func() { told.ApplyOption = nil }},
		{"tip.6.invite_option", told.InviteOption != nil, func() { told.InviteOption = nil }},
		{"tip.6.mute_all", told.MuteAll != nil, func() { told.MuteAll = nil }},
		{"tip.6.custom_fields", told.Custom != nil, func() { told.Custom = nil }},
		{"tip.6.owner", told.Owner != nil, func() { told.Owner = nil }},
		{"tip.6.max_members", told.MaxMembers != nil, func() { told.MaxMembers = nil }},
	} {
		this := c.group.Type.tipMode(c.call.App, field.rule, !field.given)
		if this == TipNone {
			field.leave()
		}
		if this == TipKept || mode == TipNone {
			mode = this
		}
	}
	return g.tell(c, Happening{Kind: HappenedProfile, Tip: mode, Changed: &told, By: operator})
}
