package group

import (
	"context"
	"slices"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// groupInfo is a group in replies; of the fields only those that the request wants and the asking one may read.
type groupInfo struct {
	GroupID      string         `json:"GroupId"`
	ErrorCode    *im.Code       `json:"ErrorCode,omitzero"`
	ErrorInfo    *string        `json:"ErrorInfo,omitzero"`
	Type         *string        `json:"Type,omitzero"`
	Name         *string        `json:"Name,omitzero"`
	Introduction *string        `json:"Introduction,omitzero"`
	Notification *string        `json:"Notification,omitzero"`
	FaceURL      *string        `json:"FaceUrl,omitzero"`
	Owner        *string        `json:"Owner_Account,omitzero"`
	CreateTime   *int64         `json:"CreateTime,omitzero"`
	InfoSeq      *int64         `json:"InfoSeq,omitzero"`
	LastInfoTime *int64         `json:"LastInfoTime,omitzero"`
	LastMsgTime  *int64         `json:"LastMsgTime,omitzero"`
	NextMsgSeq   *int64         `json:"NextMsgSeq,omitzero"`
	MemberNum    *int64         `json:"MemberNum,omitzero"`
	MaxMembers   *int64         `json:"MaxMemberNum,omitzero"`
	ApplyOption  *string        `json:"ApplyJoinOption,omitzero"`
	InviteOption *string        `json:"InviteJoinOption,omitzero"`
	ShutUpAll    *string        `json:"ShutUpAllMember,omitzero"`
	MuteAll      *string        `json:"MuteAllMember,omitzero"`
	SupportTopic *wire.Bool     `json:"SupportTopic,omitzero"`
	Custom       *[]customField `json:"AppDefinedData,omitzero"`
	Self         *selfInfo      `json:"SelfInfo,omitzero"`
	Members      *[]memberInfo  `json:"MemberList,omitzero"`
}

// selfInfo is the asking account's, or the named one's, place in the group.
type selfInfo struct {
	Role     *string `json:"Role,omitzero"`
	JoinTime *int64  `json:"JoinTime,omitzero"`
	MsgFlag  *string `json:"MsgFlag,omitzero"`
	MsgSeq   *int64  `json:"MsgSeq,omitzero"`
	Unread   *int64  `json:"UnreadMsgNum,omitzero"`
	NameCard *string `json:"NameCard,omitzero"`
}

// publicFields are what somebody reads who is no member.
func publicFields() []string {
	return []string{
		"Type", "Name", "FaceUrl", "Introduction", "Owner_Account", "CreateTime", "MemberNum", "MaxMemberNum", "ApplyJoinOption",
		"InviteJoinOption", "SupportTopic",
	}
}

// details are what is written of groups beside their rows, read for all of a reply together.
type details struct {
	owners map[im.AccountID]account.Account
	tails  map[int64]chat.Tail
	unread map[int64]int64 // of the account whose groups they are, by group
	online func(group int64) int64
}

func (g *Groups) details(ctx context.Context, from db.Source, groups []*Group) (*details, error) {
	owners := make([]im.AccountID, 0, len(groups))
	numbers := make([]int64, 0, len(groups))
	for _, one := range groups {
		owners, numbers = append(owners, one.Owner), append(numbers, one.ID)
	}
	d := &details{online: g.presence.Online}
	var err error
	if d.owners, err = g.accounts.ByID(ctx, from, owners); err != nil {
		return nil, err
	}
	d.tails, err = g.chats.Tails(ctx, from, numbers)
	return d, err
}

// info writes a group.
func (d *details) info(of *Group, want func(name string) bool) groupInfo {
	tail, members := d.tails[of.ID], of.MemberCount
	if !of.Type.Yes("members.stored") {
		members = d.online(of.ID)
	}
	return groupInfo{
		GroupID: of.GroupID, Type: pick(want, "Type", of.Type.String()), Name: pick(want, "Name", of.Name),
		Introduction: pick(want, "Introduction", of.Introduction), Notification: pick(want, "Notification", of.Notification),
		FaceURL: pick(want, "FaceUrl", of.FaceURL), Owner: pick(want, "Owner_Account", d.owners[of.Owner].UserID),
		CreateTime: pick(want, "CreateTime", of.Created), InfoSeq: pick(want, "InfoSeq", of.InfoSeq),
		LastInfoTime: pick(want, "LastInfoTime", of.Changed), LastMsgTime: pick(want, "LastMsgTime", tail.Time),
		NextMsgSeq: pick(want, "NextMsgSeq", tail.Sequence+1), MemberNum: pick(want, "MemberNum", members),
		MaxMembers: pick(want, "MaxMemberNum", of.MaxMembers), ApplyOption: pick(want, "ApplyJoinOption", of.ApplyOption),
		InviteOption: pick(want, "InviteJoinOption", of.InviteOption), ShutUpAll: pick(want, "ShutUpAllMember", onOff(of.MuteAll)),
		MuteAll: pick(want, "MuteAllMember", onOff(of.MuteAll)), SupportTopic: pick(want, "SupportTopic", wire.Bool(false)),
	}
}

// self writes a member's own place.
func (d *details) self(m *Member, want func(name string) bool) *selfInfo {
	return &selfInfo{
		Role: pick(want, "Role", m.Role.String()), JoinTime: pick(want, "JoinTime", m.Joined),
		MsgFlag: pick(want, "MsgFlag", m.Receive.String()), MsgSeq: pick(want, "MsgSeq", m.ReadSequence),
		Unread:   pick(want, "UnreadMsgNum", d.unread[m.Group]),
		NameCard: pick(want, "NameCard", m.NameCard),
	}
}

// visible reports whether a member sees the group in lists: one of some types is hidden from all but its owner until it has a
// message.
func (d *details) visible(of *Group, m *Member) bool {
	return !of.Type.Yes("activation.needed") || d.tails[of.ID].Sequence > 0 ||
		m != nil && of.Type.Allows("activation.before.visible_to", m.Role.Who())
}

// responseFilter says which fields a reply is to have. What it does not name is left out; without a filter all is there.
type responseFilter struct {
	Base         *[]string `json:"GroupBaseInfoFilter"`
	Public       *[]string `json:"GroupBasePublicInfoFilter"`
	Self         *[]string `json:"SelfInfoFilter"`
	Member       *[]string `json:"MemberInfoFilter"`
	GroupCustom  *[]string `json:"AppDefinedDataFilter_Group"`
	MemberCustom *[]string `json:"AppDefinedDataFilter_GroupMember"`
}

// base tells which fields of the group itself are wanted.
func (f *responseFilter) base() func(string) bool {
	if f == nil {
		return wanted(nil)
	}
	return among(f.Base)
}

// among is wanted where no list wants nothing.
func among(list *[]string) func(string) bool {
	return func(name string) bool { return list != nil && slices.Contains(*list, name) }
}

// addCustom adds the application's own fields of the group, if they are wanted.
func (f *responseFilter) addCustom(call *command.Call, info *groupInfo, of *Group) {
	want := wanted(nil)
	if f != nil {
		if f.GroupCustom == nil {
			return
		}
		want = among(f.GroupCustom)
	}
	list := customList(of.Custom, groupFields.Of(call.App), want)
	info.Custom = &list
}

// members is the filter of the members in the reply; nil: no members are wanted.
func (f *responseFilter) members() *memberFilter {
	if f == nil {
		return &memberFilter{}
	}
	if f.Member == nil && f.MemberCustom == nil {
		return nil
	}
	none := []string{}
	return &memberFilter{Info: firstOf(f.Member, &none), Custom: f.MemberCustom}
}

// succeed marks an entry of a reply as found.
func (i *groupInfo) succeed() {
	code, info := im.CodeOK, ""
	i.ErrorCode, i.ErrorInfo = &code, &info
}

// failed is an entry for a group that cannot be read.
func failed(groupID string, why error) groupInfo {
	info := groupInfo{GroupID: groupID}
	if refusal, ok := im.Refusal(why); ok {
		info.ErrorCode, info.ErrorInfo = &refusal.Code, &refusal.Info
	}
	return info
}
