package groupmessage

import (
	"maps"
	"slices"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/wire"
)

// tipBody is the MsgBody of a tip (docs/protocol/wire.md#group-tips).
type tipBody struct {
	Kind         tipKind      `json:"OpType"`
	Operator     string       `json:"Operator_Account"`
	Targets      []string     `json:"List_Account"`
	OperatorInfo tipMember    `json:"MsgOperatorMemberExtraInfo"`
	TargetInfos  []tipMember  `json:"MsgMemberExtraInfo,omitempty"`
	MemberNum    int64        `json:"MemberNum"`
	JoinType     int          `json:"GroupJoinType,omitzero"` // joinedApplied or joinedInvited
	Profile      *TipProfile  `json:"MsgGroupNewInfo,omitempty"`
	Changes      []tipChange  `json:"MsgMemberInfo,omitempty"`
	Kick         *tipKickInfo `json:"MemberExtraInfo,omitempty"`
}

// tipKind is the OpType of a tip.
type tipKind int

// The kinds of tips.
const (
	tipJoined tipKind = iota + 1
	tipQuit
	tipKicked
	tipAdminSet
	tipAdminUnset
	tipProfileChanged
	tipMemberChanged
)

// The ways to join.
const (
	joinedApplied = 1
	joinedInvited = 2
)

// tipMember is somebody whom a tip is about. NameCard and Role are there of whoever is a member.
type tipMember struct {
	UserID   string  `json:"UserId"`
	Nick     string  `json:"NickName"`
	FaceURL  string  `json:"ImageUrl"`
	NameCard *string `json:"NameCard,omitempty"`
	Role     int     `json:"Role,omitzero"`
}

// TipProfile has those fields of a group's profile that changed, as a tip says them; the others are left out.
type TipProfile struct {
	Name         *string    `json:"GroupName,omitempty"`
	Introduction *string    `json:"GroupIntroduction,omitempty"`
	Notification *string    `json:"GroupNotification,omitempty"`
	FaceURL      *string    `json:"GroupFaceUrl,omitempty"`
	Owner        *string    `json:"Owner_Account,omitempty"`
	ApplyOption  *string    `json:"GroupApplyJoinOption,omitempty"`
	InviteOption *string    `json:"InviteJoinOption,omitempty"`
	MuteAll      *wire.Bool `json:"ShutupAll,omitempty"`
	Custom       []TipField `json:"MsgAppDefinedData,omitempty"`
}

// TipField is a field of the application's own.
type TipField struct {
	Key   string `json:"Key"`
	Value string `json:"Value"`
}

// tipChange is what changed of a member. MuteSeconds is 0 where a mute was ended, and not there of a kick.
type tipChange struct {
	UserID      string `json:"User_Account"`
	MuteSeconds *int64 `json:"ShutupTime,omitempty"`
}

type tipKickInfo struct {
	Reason string `json:"Reason"`
}

// tipOf is what a tip says of what happened; false is of something that no tip tells.
func tipOf(h *group.Happening) (tipBody, bool) {
	kind, told := map[group.HappeningKind]tipKind{
		group.HappenedJoined: tipJoined, group.HappenedQuit: tipQuit, group.HappenedKicked: tipKicked,
		group.HappenedAdminSet: tipAdminSet, group.HappenedAdminUnset: tipAdminUnset,
		group.HappenedProfile: tipProfileChanged, group.HappenedMuted: tipMemberChanged,
	}[h.Kind]
	if !told {
		return tipBody{}, false
	}
	b := tipBody{Kind: kind, Operator: h.By.UserID, Targets: []string{}, OperatorInfo: tipMemberOf(&h.By), MemberNum: h.Group.MemberCount}
	if m := h.Member; m != nil && kind != tipQuit {
		b.OperatorInfo.NameCard, b.OperatorInfo.Role = &m.NameCard, tipRole(m.Role)
	}
	b.addTargets(h.Targets)
	b.addDetails(h)
	return b, true
}

// tipInfos bounds how many members a tip shows with nick and avatar; it names them all.
const tipInfos = 100

func (b *tipBody) addTargets(targets []account.Account) {
	for i := range targets {
		b.Targets = append(b.Targets, targets[i].UserID)
		if i < tipInfos {
			b.TargetInfos = append(b.TargetInfos, tipMemberOf(&targets[i]))
		}
	}
}

// addDetails adds what only tips of some kinds have.
func (b *tipBody) addDetails(h *group.Happening) {
	switch b.Kind {
	case tipJoined:
		b.JoinType = joinedInvited
		if h.Applied {
			b.JoinType = joinedApplied
		}
	case tipKicked:
		if h.Reason != "" { // clients put it into the members of the list beside it
			b.Kick = &tipKickInfo{h.Reason}
			b.addChanges(nil)
		}
	case tipMemberChanged:
		b.addChanges(&h.MuteSeconds)
	case tipProfileChanged:
		b.Profile = TipProfileOf(h.Changed)
	case tipQuit, tipAdminSet, tipAdminUnset, tipPinned, tipUnpinned:
	}
}

func (b *tipBody) addChanges(muteSeconds *int64) {
	for _, userID := range b.Targets {
		b.Changes = append(b.Changes, tipChange{userID, muteSeconds})
	}
}

// TipProfileOf is what a tip says of a change of a group's profile.
func TipProfileOf(p *group.Profile) *TipProfile {
	changed := &TipProfile{
		Name: p.Name, Introduction: p.Introduction, Notification: p.Notification, FaceURL: p.FaceURL,
		ApplyOption: p.ApplyOption, InviteOption: p.InviteOption,
	}
	if p.Owner != nil {
		changed.Owner = &p.Owner.UserID
	}
	if p.MuteAll != nil {
		on := wire.Bool(*p.MuteAll)
		changed.MuteAll = &on
	}
	for _, key := range slices.Sorted(maps.Keys(p.Custom)) {
		changed.Custom = append(changed.Custom, TipField{key, p.Custom[key]})
	}
	return changed
}

func tipMemberOf(a *account.Account) tipMember {
	return tipMember{UserID: a.UserID, Nick: a.Nick, FaceURL: a.FaceURL}
}

// tipRole is a role by its number on the wire.
func tipRole(r group.Role) int {
	return map[group.Role]int{group.Owner: 400, group.Admin: 300, group.Ordinary: 200}[r]
}
