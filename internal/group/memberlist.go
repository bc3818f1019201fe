package group

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// memberInfo is a member in replies; of the fields only those that the request wants.
type memberInfo struct {
	Member    string         `json:"Member_Account"`
	Role      *string        `json:"Role,omitzero"`
	JoinTime  *int64         `json:"JoinTime,omitzero"`
	MsgSeq    *int64         `json:"MsgSeq,omitzero"`
	MsgFlag   *string        `json:"MsgFlag,omitzero"`
	NameCard  *string        `json:"NameCard,omitzero"`
	MuteUntil *int64         `json:"MuteUntil,omitzero"`
	ShutUntil *int64         `json:"ShutUpUntil,omitzero"`
	LastSent  *int64         `json:"LastSendMsgTime,omitzero"`
	Online    *string        `json:"OnlineStatus,omitzero"`
	OwnFields *[]customField `json:"AppMemberDefinedData,omitzero"`
}

// memberFilter says which fields of members a request wants.
type memberFilter struct {
	Info   *[]string `json:"MemberInfoFilter"`
	Custom *[]string `json:"AppDefinedDataFilter_GroupMember"`
}

// info writes a member; of what he does now it has what was read.
func (f *memberFilter) info(call *command.Call, userID string, m *Member, now doing) memberInfo {
	want := wanted(f.Info)
	mute := max(m.MutedUntil, 0)
	info := memberInfo{
		Member: userID, Role: pick(want, "Role", m.Role.String()), JoinTime: pick(want, "JoinTime", m.Joined),
		MsgSeq: pick(want, "MsgSeq", m.ReadSequence), MsgFlag: pick(want, "MsgFlag", m.Receive.String()),
		NameCard: pick(want, "NameCard", m.NameCard), MuteUntil: pick(want, "MuteUntil", mute), ShutUntil: pick(want, "ShutUpUntil", mute),
		LastSent: pick(want, fieldLastSent, now.lastSent), Online: pick(want, fieldOnline, onlineStatus(now.online)),
	}
	if !memberPresence.Of(call.App) {
		info.Online = nil
	}
	// The fields of the application's own have a filter of their own; without any filter all are there.
	if f.Custom != nil || f.Info == nil {
		list := customList(m.Custom, memberFields.Of(call.App), wanted(f.Custom))
		info.OwnFields = &list
	}
	return info
}

// wanted reports of each name whether a filter wants it; no filter wants all.
func wanted(filter *[]string) func(name string) bool {
	return func(name string) bool { return filter == nil || slices.Contains(*filter, name) }
}

// pick gives the value to a reply that wants it.
func pick[T any](want func(string) bool, name string, value T) *T {
	if !want(name) {
		return nil
	}
	return &value
}

type membersRequest struct {
	GroupID string       `json:"GroupId"`
	Limit   *wire.Number `json:"Limit"`
	Offset  wire.Number  `json:"Offset"`
	Next    cursorText   `json:"Next"`
	memberFilter
	Roles []string `json:"MemberRoleFilter"`
}

// cursorText is a cursor, which older callers write as a number.
type cursorText string

// UnmarshalJSON reads text or a number.
func (c *cursorText) UnmarshalJSON(text []byte) error {
	var s string
	if text[0] != '"' {
		s = string(text)
	} else if err := wire.Unmarshal(text, &s); err != nil {
		return err
	}
	*c = cursorText(s)
	return nil
}

type membersReply struct {
	Number  int64        `json:"MemberNum"`
	Members []memberInfo `json:"MemberList"`
	Next    *string      `json:"Next,omitzero"`
}

func (g *Groups) membersCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "get_group_member_info", Also: []string{millionService}, By: command.Administrator | command.Account,
		Family: im.FamilyGroup(), Doc: "list a group's members by pages", Section: "rest.md#get_group_member_info",
	}, g.members)
}

// mostPerPage bounds the members of one reply.
const mostPerPage = 6000

func (g *Groups) members(ctx context.Context, call *command.Call, r *membersRequest) (*membersReply, error) {
	of, err := g.readable(ctx, call, r.GroupID)
	if err != nil {
		return nil, err
	}
	p := memberPage{group: of.ID, limit: mostPerPage, offset: max(int64(r.Offset), 0)}
	if r.Limit != nil && *r.Limit > 0 {
		p.limit = min(int64(*r.Limit), mostPerPage)
	}
	byCursor := of.Type.Rule("members.list.paging") == "Next"
	if byCursor {
		p.offset = 0
		if p.after, err = readCursor(string(r.Next)); err != nil {
			return nil, err
		}
	}
	if p.roles, err = rolesNamed(r.Roles); err != nil {
		return nil, err
	}
	found, more, err := g.page(ctx, p)
	if err != nil {
		return nil, err
	}
	reply := &membersReply{Number: of.MemberCount}
	if reply.Members, err = g.infos(ctx, call, of, found, &r.memberFilter); err != nil {
		return nil, err
	}
	if byCursor {
		next := ""
		if more {
			next = strconv.FormatInt(int64(found[len(found)-1].Account), 10)
		}
		reply.Next = &next
	}
	return reply, nil
}

func readCursor(text string) (im.AccountID, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, im.Errorf(im.CodeGroupParameter, "Next is %.30q: want an empty text, or what the page before gave", text)
	}
	return im.AccountID(n), nil
}

// readable finds a group whose members the asking one may read, as it stands in the store.
func (g *Groups) readable(ctx context.Context, call *command.Call, groupID string) (*Group, error) {
	of, err := g.inStore(ctx, call, groupID)
	if err != nil {
		return nil, err
	}
	by, err := g.asking(ctx, g.db, call, of.ID)
	if err != nil {
		return nil, err
	}
	if !of.Type.Yes("members.stored") {
		return nil, errRights(of, "read the members by this command")
	}
	if call.Admin() && !of.Type.Yes("members.list.rest") || !call.Admin() && !of.Type.Allows("members.list.who.client", standing(call, by)...) {
		return nil, errRights(of, "read the members")
	}
	return of, nil
}

// inStore finds a request's group without the cache.
func (g *Groups) inStore(ctx context.Context, call *command.Call, groupID string) (*Group, error) {
	if groupID == "" {
		return nil, errNoID()
	}
	found, err := g.Read(ctx, g.db, call.App.ID, []string{groupID})
	if err != nil {
		return nil, err
	}
	if found[groupID] == nil {
		return nil, ErrUnknown(groupID)
	}
	return found[groupID], nil
}

// memberPage is a stretch of a group's members, in the order of their numbers.
type memberPage struct {
	group         int64
	after         im.AccountID
	limit, offset int64
	roles         []Role
}

func rolesNamed(names []string) ([]Role, error) {
	if len(names) == 0 {
		return []Role{Ordinary, Admin, Owner}, nil
	}
	var roles []Role
	for _, name := range names {
		i := slices.IndexFunc([]Role{Ordinary, Admin, Owner}, func(r Role) bool { return r.String() == name })
		if i < 0 {
			return nil, im.Errorf(im.CodeGroupParameter, "MemberRoleFilter has %.30q: want Owner, Admin or Member", name)
		}
		roles = append(roles, Ordinary+Role(i))
	}
	return roles, nil
}

func (g *Groups) page(ctx context.Context, p memberPage) (found []*Member, more bool, err error) {
	found, err = db.All(ctx, g.db, scanMember, `SELECT `+memberColumns+` FROM group_member
		WHERE group_id = $1 AND account_id > $2 AND role IN ($3...) ORDER BY account_id LIMIT $4 OFFSET $5`,
		p.group, int64(p.after), db.Ints(p.roles), p.limit+1, p.offset)
	if err != nil {
		return nil, false, fmt.Errorf("read members: %w", err)
	}
	more = int64(len(found)) > p.limit
	return found[:min(int64(len(found)), p.limit)], more, nil
}

// infos writes members with their user ids.
func (g *Groups) infos(ctx context.Context, call *command.Call, of *Group, found []*Member, f *memberFilter) ([]memberInfo, error) {
	names, err := g.accounts.ByID(ctx, g.db, accountsOf(found))
	if err != nil {
		return nil, err
	}
	now, err := g.doing(ctx, call, of, found, wanted(f.Info))
	infos := make([]memberInfo, 0, len(found))
	for _, m := range found {
		infos = append(infos, f.info(call, names[m.Account].UserID, m, now[m.Account]))
	}
	return infos, err
}

type specifiedRequest struct {
	GroupID string   `json:"GroupId"`
	Members []string `json:"Member_List_Account"`
	memberFilter
	Roles []string `json:"MemberRoleFilter"`
}

type specifiedReply struct {
	GroupID string       `json:"GroupId"`
	Members []memberInfo `json:"MemberList"`
}

func (g *Groups) specifiedCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "get_specified_group_member_info", Also: []string{millionService},
		By: command.Administrator | command.Account, Family: im.FamilyGroup(),
		Doc: "read named members of a group", Section: "rest.md#get_specified_group_member_info",
	}, g.specified)
}

func (g *Groups) specified(ctx context.Context, call *command.Call, r *specifiedRequest) (*specifiedReply, error) {
	const most = 50
	if len(r.Members) == 0 || len(r.Members) > most {
		return nil, im.Errorf(im.CodeGroupTooMany, "Member_List_Account has %d accounts: want 1 to %d", len(r.Members), most)
	}
	roles, err := rolesNamed(r.Roles)
	if err != nil {
		return nil, err
	}
	of, err := g.readable(ctx, call, r.GroupID)
	if err != nil {
		return nil, err
	}
	named, there, err := g.membersNamed(ctx, call, of, r.Members)
	if err != nil {
		return nil, err
	}
	var found []*Member
	for _, name := range r.Members {
		if m := there[named[name].ID]; m != nil && slices.Contains(roles, m.Role) {
			found = append(found, m)
		}
	}
	reply := &specifiedReply{GroupID: of.GroupID}
	reply.Members, err = g.infos(ctx, call, of, found, &r.memberFilter)
	return reply, err
}

// membersNamed finds accounts by their names, and those of them that are members.
func (g *Groups) membersNamed(ctx context.Context, call *command.Call, of *Group, names []string) (
	named map[string]account.Account, there map[im.AccountID]*Member, err error,
) {
	if named, err = g.accounts.FindMany(ctx, call.App.ID, names); err != nil {
		return nil, nil, err
	}
	there, err = g.MembersOf(ctx, g.db, of.ID, ids(named))
	return named, there, err
}

type rolesRequest struct {
	GroupID string   `json:"GroupId"`
	Users   []string `json:"User_Account"`
}

type userRole struct {
	Member string `json:"Member_Account"`
	Role   string `json:"Role"`
}

type rolesReply struct {
	Users []userRole `json:"UserIdList"`
}

func (g *Groups) rolesCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "get_role_in_group", By: command.Administrator, Family: im.FamilyGroup(),
		Doc: "tell what accounts are in a group", Section: "rest.md#get_role_in_group",
	}, g.roles)
}

func (g *Groups) roles(ctx context.Context, call *command.Call, r *rolesRequest) (*rolesReply, error) {
	const most = 500
	if len(r.Users) == 0 || len(r.Users) > most {
		return nil, im.Errorf(im.CodeGroupTooMany, "User_Account has %d accounts: want 1 to %d", len(r.Users), most)
	}
	of, err := g.find(ctx, call, r.GroupID)
	if err != nil {
		return nil, err
	}
	if !of.Type.Yes("members.role_query.rest") {
		return nil, errRights(of, "ask for roles")
	}
	named, there, err := g.membersNamed(ctx, call, of, r.Users)
	if err != nil {
		return nil, err
	}
	reply := &rolesReply{Users: make([]userRole, len(r.Users))}
	for i, name := range r.Users {
		reply.Users[i] = userRole{name, there[named[name].ID].role().String()}
	}
	return reply, nil
}
