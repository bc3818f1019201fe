package groupmessage

import (
	"context"
	"slices"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/webhook"
)

// speaker is who asks to send into a group, as the table of rules sees him.
type speaker struct {
	group *group.Group
	// stands is the member, or an account that is muted without being one; nil is neither.
	stands *group.Member
	// muteAll says that ordinary members may not speak.
	muteAll bool
	// server says that a back end sends for the account, and admin that the account is an application's administrator.
	server, admin bool
	// mentionsAll says that the message mentions all where only those do who lead.
	mentionsAll bool
	// now is a unix second.
	now int64
}

// check refuses by the rules of sending.
func (s *speaker) check() error {
	t := s.group.Type
	switch {
	case s.member() && !t.Yes("send.member"):
		return im.Errorf(im.CodeGroupRights, "members of groups of type %s do not send", t)
	case !s.member() && !s.outsider():
		return im.Errorf(im.CodeGroupRights, "the sender is not a member of group %q", s.group.GroupID)
	case s.stands != nil && s.stands.Muted(s.now) && !t.Yes(s.mutedRule()):
		return im.Errorf(im.CodeGroupMuted, "the sender may not speak in group %q for another %d seconds", s.group.GroupID, s.stands.MutedUntil-s.now)
	case s.muteAll && !s.speaksAnyway():
		return im.Errorf(im.CodeGroupMuted, "group %q is muted", s.group.GroupID)
	case s.mentionsAll && !s.leads():
		return im.Errorf(im.CodeGroupRights, "members of groups of type %s do not mention all, its owner and administrators do", t)
	}
	return nil
}

// member reports whether the sender is a member.
func (s *speaker) member() bool { return s.stands != nil && s.stands.Role != group.NotMember }

// leads reports whether the sender is more than a member: the group's owner or administrator, the application's, or its back end.
func (s *speaker) leads() bool {
	return s.server || s.admin || s.member() && s.stands.Role >= group.Admin
}

// outsider reports whether the sender need not be a member.
func (s *speaker) outsider() bool {
	t := s.group.Type
	switch {
	case s.server:
		return t.Yes("send.from_any_existing_account.rest")
	case s.admin:
		return t.Yes("send.appadmin_nonmember.client")
	}
	return t.Yes("send.nonmember.client")
}

func (s *speaker) mutedRule() string {
	if s.server {
		return "send.muted_From_Account.rest"
	}
	return "send.muted.client"
}

// speaksAnyway reports whether the sender speaks while all are muted.
func (s *speaker) speaksAnyway() bool {
	t := s.group.Type
	if s.server {
		return t.Yes("send.all_muted.From_Account_member.rest")
	}
	var who []group.Who
	if s.admin {
		who = append(who, group.WhoAppAdmin)
	}
	if s.member() {
		who = append(who, s.stands.Role.Who())
	}
	return t.Yes("send.all_muted.member.client") || t.Allows("mute_all.still_speak", who...)
}

// maySend looks whether the draft's sender may speak, before anybody is asked about it.
func (g *GroupMessages) maySend(ctx context.Context, call *command.Call, d *Draft) error {
	stands, err := g.groups.Speaker(ctx, g.db, d.Group, d.Sender.ID)
	if err != nil {
		return err
	}
	if err := g.speaks(call, d, stands); err != nil {
		return err
	}
	d.remembered = false
	g.heard.put(d, g.db.Now())
	return nil
}

// speaks holds the draft's sender against the rules, as who he stands in the group.
func (g *GroupMessages) speaks(call *command.Call, d *Draft, stands *group.Member) error {
	d.speaker = speaker{
		group: d.Group, stands: stands, muteAll: d.Group.MuteAll, server: call.Admin(), admin: call.App.IsAdmin(d.Sender.UserID),
		mentionsAll: d.speaker.mentionsAll, now: g.db.Now().Unix(),
	}
	d.NameCard = ""
	if stands != nil {
		d.NameCard = stands.NameCard
	}
	return d.speaker.check()
}

// maySendOn is maySend of a draft that is not asked about and will be stored, so that it is held against the rules in a transaction
// anyway: who was heard in the group lately is let through without a look into the store.
func (g *GroupMessages) maySendOn(ctx context.Context, call *command.Call, d *Draft) error {
	stands := g.heard.get(d, g.db.Now())
	if stands == nil || g.speaks(call, d, stands) != nil {
		return g.maySend(ctx, call, d)
	}
	d.remembered = true
	return nil
}

// admit looks once more in the transaction that stores drafts, at their senders and at the members that they name: the back
// end may have taken its time, and what was taken back meanwhile stays taken back.
func (g *GroupMessages) admit(tx *db.Tx, drafts []*Draft) error {
	var keys []group.MemberKey
	for _, d := range drafts {
		keys = append(keys, d.in(d.Sender.ID))
		for _, one := range slices.Concat(d.wanted, d.mentioned) {
			keys = append(keys, d.in(one))
		}
	}
	standing, err := g.groups.StandingOf(context.Background(), tx, keys)
	if err != nil {
		return err
	}
	var events []webhook.Callback
	for _, d := range drafts {
		refused := d.hold(standing, tx.Now().Unix())
		if refused == nil {
			continue
		}
		d.Refuse(refused)
		g.heard.drop(d)
		more, err := failed(d.refusals, refused, tx.Now())
		if err != nil {
			return err
		}
		events = append(events, more...)
	}
	return g.hooks.Add(tx, events...)
}

// hold holds the draft against what is so at a unix second: it refuses what may not be sent any more, and leaves out members
// that it names who are none any more.
func (d *Draft) hold(standing *group.Standing, now int64) error {
	if !standing.Alive(d.Group.ID) {
		return group.ErrUnknown(d.Group.GroupID)
	}
	s := d.speaker
	s.stands, s.muteAll, s.now = standing.MemberOrMuted(d.in(d.Sender.ID)), standing.MuteAll(d.Group.ID), now
	if err := s.check(); err != nil {
		return err
	}
	if s.stands != nil {
		d.NameCard = s.stands.NameCard
	}
	gone := func(who im.AccountID) bool { return !standing.IsMember(d.in(who)) }
	d.Readers = slices.DeleteFunc(slices.Clone(d.wanted), gone)
	if len(d.wanted) > 0 && len(d.Readers) == 0 {
		return errNobody(d.Group)
	}
	d.mentioned = slices.DeleteFunc(d.mentioned, gone)
	return nil
}
