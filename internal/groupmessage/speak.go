package groupmessage

import (
	"context"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
)

// speaker is who asks to send into a group, as the table of rules sees him.
type speaker struct {
	group *group.Group
	// place is nil of an account that is not a member.
	place *group.Member
	// server says that a back end sends for the account, and admin that the account is an application's administrator.
	server, admin bool
	// now is a unix second.
	now int64
}

// check refuses by the rules of sending.
func (s *speaker) check() error {
	t := s.group.Type
	switch {
	case !t.Yes("history.stored"):
		return im.Errorf(im.CodeGroupRights, "this server does not serve the messages of groups of type %s", t)
	case s.place != nil && !t.Yes("send.member"):
		return im.Errorf(im.CodeGroupRights, "members of groups of type %s do not send", t)
	case s.place == nil && !s.outsider():
		return im.Errorf(im.CodeGroupRights, "the sender is not a member of group %q", s.group.GroupID)
	case s.place != nil && s.place.Muted(s.now) && !t.Yes(s.mutedRule()):
		return im.Errorf(im.CodeGroupMuted, "the sender may not speak in group %q for another %d seconds", s.group.GroupID, s.place.MutedUntil-s.now)
	case s.group.MuteAll && !s.speaksAnyway():
		return im.Errorf(im.CodeGroupMuted, "group %q is muted", s.group.GroupID)
	}
	return nil
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
	if s.place != nil {
		who = append(who, s.place.Role.Who())
	}
	return t.Yes("send.all_muted.member.client") || t.Allows("mute_all.still_speak", who...)
}

// maySend looks whether the draft's sender may speak, before anybody is asked about it.
func (g *GroupMessages) maySend(ctx context.Context, call *command.Call, d *Draft) error {
	place, err := g.groups.Member(ctx, g.db, d.Group.ID, d.Sender.ID)
	if err != nil {
		return err
	}
	d.speaker = speaker{
		group: d.Group, place: place, server: call.Admin(), admin: call.App.IsAdmin(d.Sender.UserID), now: g.db.Now().Unix(),
	}
	if place != nil {
		d.NameCard = place.NameCard
	}
	return d.speaker.check()
}

// admit looks once more in the transaction that stores drafts: the back end may have taken its time, and what was taken
// back meanwhile stays taken back.
func (g *GroupMessages) admit(tx *db.Tx, drafts []*Draft) error {
	places := make([]group.Place, len(drafts))
	for i, d := range drafts {
		places[i] = d.placed()
	}
	standing, err := g.groups.StandingOf(context.Background(), tx, places)
	if err != nil {
		return err
	}
	for _, d := range drafts {
		if !standing.Alive(d.Group.ID) {
			d.Refuse(group.ErrUnknown(d.Group.GroupID))
			continue
		}
		now := d.speaker
		now.place, now.now = standing.Member(d.placed()), tx.Now().Unix()
		if err := now.check(); err != nil {
			d.Refuse(err)
		}
	}
	return nil
}
