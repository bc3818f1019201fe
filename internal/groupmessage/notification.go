package groupmessage

import (
	"context"
	"strconv"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
)

// notification is what the server tells an account about a group (docs/protocol/wire.md#group-notices).
type notification struct {
	From       string           `json:"From_Account"`
	To         string           `json:"To_Account,omitempty"` // empty for all members together
	Group      string           `json:"ToGroupId"`
	Sequence   int64            `json:"MsgSeq"`
	Random     int64            `json:"MsgRandom"`
	ClientSeq  int64            `json:"ClientSeq"`
	Time       int64            `json:"MsgTimeStamp"`
	ClientTime int64            `json:"MsgClientTime"`
	Info       *groupInfo       `json:"GroupInfo"`
	Body       notificationBody `json:"MsgBody"`
}

type notificationBody struct {
	Kind     reportKind `json:"ReportType"`
	Operator string     `json:"Operator_Account"`
	// Text is a back end's.
	Text string `json:"UserDefinedField,omitempty"`
	// Proof and Key are what a decision on a request to join repeats.
	Proof string `json:"Authentication,omitempty"`
	Key   int64  `json:"MsgKey,omitzero"`
	// Remark is what was said with a request, a decision or a removal; Applied is the same of a request.
	Remark  string `json:"RemarkInfo,omitempty"`
	Applied string `json:"ApplyMsg,omitempty"`
	// Invited are those whom a member would add.
	Invited      []string    `json:"MemberList_Account,omitempty"`
	InvitedInfos []tipMember `json:"MsgMemberExtraInfoList,omitempty"`
	Receive      string      `json:"MsgFlag,omitempty"`
}

// reportKind is the ReportType of a notification.
type reportKind int

// The kinds of notifications.
const (
	reportAsked         reportKind = 1
	reportApproved      reportKind = 2
	reportRejected      reportKind = 3
	reportKicked        reportKind = 4
	reportDestroyed     reportKind = 5
	reportCreated       reportKind = 6
	reportAdded         reportKind = 7
	reportQuit          reportKind = 8
	reportAdminSet      reportKind = 9
	reportAdminUnset    reportKind = 10
	reportRecycled      reportKind = 11
	reportInvited       reportKind = 12
	reportInvitationYes reportKind = 13
	reportInvitationNo  reportKind = 14
	reportReceiveOption reportKind = 20
	reportCustom        reportKind = 255 // what a back end says
)

// note is a notification on its way: to accounts, or to everybody in the group.
type note struct {
	notification
	to        []account.Account
	everybody bool
	// except is the device that did it itself and learns of it by its reply.
	except im.DeviceID
	// kept says that devices that were not there find it when they come.
	kept bool
}

// noteOf makes a notification of what happened, if the type of the group has it.
func (t *telling) noteOf(rule string, kind reportKind, to ...account.Account) *note {
	switch t.h.Group.Type.Rule(rule) {
	case "nobody", "na", "at_activation", "":
		return nil
	}
	n := &note{to: to}
	n.From, n.Group, n.Info = system, t.h.Group.GroupID, t.info()
	n.Body = notificationBody{Kind: kind, Operator: t.h.By.UserID}
	return n
}

// notesOf are the notifications of what happened.
func (t *telling) notesOf(tx *db.Tx) ([]*note, error) {
	h := t.h
	switch h.Kind {
	case group.HappenedCreated:
		return t.created(), nil
	case group.HappenedJoined:
		return one(t.joined()), nil
	case group.HappenedQuit:
		return one(t.noteOf("notice.8.quit", reportQuit, h.Targets...).toSelf(h)), nil
	case group.HappenedKicked:
		return one(t.noteOf("notice.4.kicked", reportKicked, h.Targets...).saying(h.Reason).keep()), nil
	case group.HappenedAdminSet:
		return one(t.noteOf("notice.9.admin_set", reportAdminSet, h.Targets...).keep()), nil
	case group.HappenedAdminUnset:
		return one(t.noteOf("notice.10.admin_unset", reportAdminUnset, h.Targets...).keep()), nil
	case group.HappenedDestroyed:
		return one(t.destroyed()), nil
	case group.HappenedReceiveOption:
		return one(t.receives()), nil
	case group.HappenedAsked:
		asked, err := t.asked(tx)
		return one(asked), err
	case group.HappenedApproved, group.HappenedRejected:
		decided, err := t.decided(tx)
		return one(decided), err
	case group.HappenedImported, group.HappenedProfile, group.HappenedMuted, group.HappenedBanned:
	}
	return nil, nil
}

func one(n *note) []*note {
	if n == nil {
		return nil
	}
	return []*note{n}
}

func (n *note) keep() *note {
	if n != nil {
		n.kept = true
	}
	return n
}

func (n *note) saying(remark string) *note {
	if n != nil {
		n.Body.Remark = remark
	}
	return n
}

// toSelf leaves out the device on which somebody did something himself.
func (n *note) toSelf(h *group.Happening) *note {
	if n != nil {
		n.except = h.Device
	}
	return n
}

// created tells the owner of the new group, and the others that they are in it.
func (t *telling) created() []*note {
	var owner, others []account.Account
	for _, who := range t.h.Targets {
		if who.ID == t.h.Group.Owner {
			owner = append(owner, who)
		} else {
			others = append(others, who)
		}
	}
	return append(one(t.noteOf("notice.6.created", reportCreated, owner...)),
		one(t.noteOf("notice.7.initial_members", reportAdded, others...).keep())...)
}

// joined tells those who were added, and the other devices of one that joined by itself. One that asked is told of the decision.
func (t *telling) joined() *note {
	switch h := t.h; {
	case !h.Applied:
		return t.noteOf("notice.7.added_by_invite_or_rest", reportAdded, h.Targets...).keep()
	case len(h.Targets) == 1 && h.Targets[0].ID == h.By.ID:
		return t.noteOf("notice.2.free_join_own_other_devices", reportApproved, h.Targets...).toSelf(h)
	}
	return nil
}

// keptDestroyed bounds the members for whom it is kept that their group was destroyed; of a larger one the rows would hold up others,
// and a client that logs in reads its groups anyway.
const keptDestroyed = 500

func (t *telling) destroyed() *note {
	rule, kind := "notice.5.dismissed", reportDestroyed
	if t.h.Recycled {
		rule, kind = "notice.11.recycled", reportRecycled
	}
	n := t.noteOf(rule, kind, t.h.Targets...)
	if n != nil {
		n.everybody, n.kept = true, len(t.h.Targets) <= keptDestroyed
	}
	return n
}

func (t *telling) receives() *note {
	n := t.noteOf("notice.20.receive_option", reportReceiveOption, t.h.Targets...).toSelf(t.h)
	if n != nil {
		n.Body.Receive = t.h.Receive.String()
	}
	return n
}

// asked tells those who decide of requests to join.
func (t *telling) asked(tx *db.Tx) (*note, error) {
	h, rule, kind := t.h, "notice.1.application", reportAsked
	if !h.Applied {
		rule, kind = "notice.12.invitation_needs_admin", reportInvited
	}
	n := t.noteOf(rule, kind).saying(h.Reason).keep()
	if n == nil {
		return nil, nil //nolint:nilnil // nobody is told
	}
	n.Body.Applied, n.Body.Key, n.Body.Proof = h.Reason, h.Key, strconv.FormatInt(h.Key, 10)
	if !h.Applied {
		var invited tipBody
		invited.addTargets(h.Targets)
		n.Body.Invited, n.Body.InvitedInfos = invited.Targets, invited.TargetInfos
	}
	var err error
	n.to, err = t.groups.Deciders(context.Background(), tx, h.Group.ID)
	return n, err
}

// decided tells who asked: of an invitation that is who asked for the account.
func (t *telling) decided(tx *db.Tx) (*note, error) {
	h, yes := t.h, t.h.Kind == group.HappenedApproved
	if h.Applied && yes {
		return t.noteOf("notice.2.approved", reportApproved, h.Targets...).saying(h.Reason).keep(), nil
	}
	if h.Applied {
		return t.noteOf("notice.3.refused", reportRejected, h.Targets...).saying(h.Reason).keep(), nil
	}
	rule, kind := "notice.13.invitation_accepted", reportInvitationYes
	if !yes {
		rule, kind = "notice.14.invitation_refused", reportInvitationNo
	}
	found, err := t.accounts.ByID(context.Background(), tx, []im.AccountID{h.Inviter})
	inviter, there := found[h.Inviter]
	if err != nil || !there {
		return nil, err
	}
	return t.noteOf(rule, kind, inviter).saying(h.Reason), nil
}

// number gives a notification the numbers by which clients tell it apart.
func (n *notification) number(id, second int64) {
	n.Sequence, n.Random, n.ClientSeq, n.Time, n.ClientTime = id, id, id, second, second
}

// notify pushes a notification to its accounts, or to everybody.
func (t *telling) notify(n *note) {
	if n.everybody {
		t.push(t.h.Group.ID, notifications.Of([]notification{n.notification}), event.Group(t.h.Group.ID))
		return
	}
	for _, who := range n.to {
		t.push(t.h.Group.ID, notifications.Of([]notification{n.addressed(who.UserID)}), event.Devices(who.ID).Except(n.except))
	}
}

// addressed is the notification for one account.
func (n notification) addressed(userID string) notification {
	info := *n.Info
	info.To = userID
	n.To, n.Info = userID, &info
	return n
}
