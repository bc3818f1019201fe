package group

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

type joinedRequest struct {
	Member       string          `json:"Member_Account"`
	WithInactive wire.Bool       `json:"WithNoActiveGroups"`
	WithHuge     wire.Bool       `json:"WithHugeGroups"`
	SupportTopic *wire.Bool      `json:"SupportTopic"`
	Limit        *wire.Number    `json:"Limit"`
	Offset       wire.Number     `json:"Offset"`
	Type         string          `json:"GroupType"`
	Filter       *responseFilter `json:"ResponseFilter"`
}

type joinedReply struct {
	Total  int64       `json:"TotalCount"`
	Groups []groupInfo `json:"GroupIdList"`
}

func (g *Groups) joinedCommands() []command.Command {
	spec := command.Spec{
		Service: service, Name: "get_joined_group_list", By: command.Administrator | command.Account, Family: im.FamilyGroup(),
		Doc: "list the groups that an account is in", Section: "rest.md#get_joined_group_list",
	}
	million := spec
	million.Service, million.By, million.Doc = millionService, command.Account, "list the communities that one is in"
	million.Section = "wire.md#group-profiles"
	return []command.Command{
		command.New(spec, func(ctx context.Context, call *command.Call, r *joinedRequest) (*joinedReply, error) {
			return g.joined(ctx, call, r, false)
		}),
		command.New(million, func(ctx context.Context, call *command.Call, r *joinedRequest) (*joinedReply, error) {
			return g.joined(ctx, call, r, true)
		}),
	}
}

// membership is a group and an account's place in it.
type membership struct {
	group  *Group
	member *Member
}

// joined lists an account's groups, in a number of statements that does not depend on theirs.
func (g *Groups) joined(ctx context.Context, call *command.Call, r *joinedRequest, million bool) (*joinedReply, error) {
	if !call.Admin() && r.Member != "" && r.Member != call.UserID {
		return nil, im.Errorf(im.CodeGroupRights, "a client lists its own groups only")
	}
	if !call.Admin() {
		r.Member = call.UserID
	}
	of, err := g.account(ctx, call, r.Member)
	if err != nil {
		return nil, err
	}
	if r.Type, err = g.typeFilter(r.Type); err != nil {
		return nil, err
	}
	all, err := g.membershipsOf(ctx, g.db, of.ID)
	if err != nil {
		return nil, err
	}
	groups := make([]*Group, len(all))
	for i, one := range all {
		groups[i] = one.group
	}
	d, err := g.details(ctx, g.db, groups)
	if err != nil {
		return nil, err
	}
	if d.unread, err = g.Unread(ctx, g.db, of.ID); err != nil {
		return nil, err
	}
	var listed []membership
	for _, one := range all {
		if r.lists(call, d, one, million) {
			listed = append(listed, one)
		}
	}
	reply := &joinedReply{Total: int64(len(listed)), Groups: []groupInfo{}}
	for _, one := range r.stretch(listed) {
		reply.Groups = append(reply.Groups, r.info(call, d, one))
	}
	return reply, nil
}

// typeFilter reads the name of a type by which a list is cut down, in any spelling; empty is none.
func (g *Groups) typeFilter(name string) (string, error) {
	if name == "" {
		return "", nil
	}
	for _, t := range g.rules.Types() {
		if t.OneOf("type.name.in.rest", name) {
			return t.String(), nil
		}
	}
	return "", im.Errorf(im.CodeGroupParameter, "there is no type of groups %.40q", name)
}

// lists reports whether the request's list has the group.
func (r *joinedRequest) lists(call *command.Call, d *details, one membership, million bool) bool {
	t := one.group.Type
	byMillion := t.Rule("joined_list.client") == "yes_on_million_service"
	switch {
	case !call.Admin() && t.Rule("joined_list.client") == "no", call.Admin() && t.Rule("joined_list.default.rest") == "no" && !bool(r.WithHuge):
		return false
	case r.Type != "" && r.Type != t.String(), r.SupportTopic != nil && bool(*r.SupportTopic) && (million || r.Type != ""):
		return false
	case !call.Admin() && byMillion != million:
		return false
	}
	return bool(r.WithInactive) && call.Admin() || d.visible(one.group, one.member)
}

// stretch is the part of a list that the request wants.
func (r *joinedRequest) stretch(all []membership) []membership {
	all = all[min(max(int(r.Offset), 0), len(all)):]
	if r.Limit != nil && *r.Limit > 0 {
		all = all[:min(int(*r.Limit), len(all))]
	}
	return all
}

// info writes one group of the list; without a filter it is the name alone at the REST door.
func (r *joinedRequest) info(call *command.Call, d *details, one membership) groupInfo {
	if r.Filter == nil {
		if call.Admin() {
			return groupInfo{GroupID: one.group.GroupID}
		}
		info := d.info(one.group, wanted(nil))
		info.Self = d.self(one.member, wanted(nil))
		return info
	}
	info := d.info(one.group, r.Filter.base())
	if r.Filter.Self != nil {
		info.Self = d.self(one.member, among(r.Filter.Self))
	}
	if !call.Admin() {
		list := customList(one.group.Custom, groupFields.Of(call.App), wanted(nil))
		info.Custom = &list
	}
	return info
}

// membershipsOf reads the groups that an account is in, in the order in which they were made. Their number is bounded by what an
// account may join.
func (g *Groups) membershipsOf(ctx context.Context, from db.Source, account im.AccountID) ([]membership, error) {
	members, err := db.All(ctx, from, scanMember, `SELECT `+memberColumns+` FROM group_member WHERE account_id = $1 AND role > 0
		ORDER BY group_id`, int64(account))
	if err != nil {
		return nil, fmt.Errorf("read an account's groups: %w", err)
	}
	byGroup := make(map[int64]*Member, len(members))
	numbers := make([]int64, len(members))
	for i, m := range members {
		byGroup[m.Group], numbers[i] = m, m.Group
	}
	groups, err := db.All(ctx, from, g.scan, `SELECT `+groupColumns+` FROM chat_group WHERE id IN ($1...) AND deleted_at = 0 ORDER BY id`,
		db.Ints(numbers))
	if err != nil {
		return nil, fmt.Errorf("read an account's groups: %w", err)
	}
	all := make([]membership, len(groups))
	for i, one := range groups {
		all[i] = membership{one, byGroup[one.ID]}
	}
	return all, nil
}

type appListRequest struct {
	Limit wire.Number `json:"Limit"`
	Next  wire.Number `json:"Next"`
	Type  string      `json:"GroupType"`
}

type appListReply struct {
	Total  int64       `json:"TotalCount"`
	Groups []groupInfo `json:"GroupIdList"`
	Next   int64       `json:"Next"`
}

func (g *Groups) appListCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "get_appid_group_list", By: command.Administrator, Family: im.FamilyGroup(),
		Doc: "list the groups of the application", Section: "rest.md#get_appid_group_list",
	}, g.appList)
}

func (g *Groups) appList(ctx context.Context, call *command.Call, r *appListRequest) (*appListReply, error) {
	const most = 10_000
	limit := int64(most)
	if r.Limit > 0 {
		limit = min(int64(r.Limit), most)
	}
	types, err := g.typeFilter(r.Type)
	if err != nil {
		return nil, err
	}
	reply := &appListReply{Groups: []groupInfo{}}
	if reply.Total, err = g.countGroups(ctx, call.App.ID, types); err != nil {
		return nil, err
	}
	last := int64(0)
	err = db.Each(ctx, g.db, func(row db.Scanner) error {
		var (
			id   int64
			info groupInfo
		)
		err := row(&id, &info.GroupID)
		if int64(len(reply.Groups)) == limit {
			reply.Next = last
			return err
		}
		last = id
		reply.Groups = append(reply.Groups, info)
		return err
	}, `SELECT id, group_id FROM chat_group WHERE app_id = $1 AND deleted_at = 0 AND id > $2 AND ($3 = '' OR type = $3)
		ORDER BY id LIMIT $4`, int64(call.App.ID), int64(r.Next), types, limit+1)
	if err != nil {
		return nil, fmt.Errorf("list groups: %w", err)
	}
	return reply, nil
}

func (g *Groups) countGroups(ctx context.Context, app im.AppID, types string) (int64, error) {
	return db.One(ctx, g.db, db.Number, `SELECT COUNT(*) FROM chat_group WHERE app_id = $1 AND deleted_at = 0 AND ($2 = '' OR type = $2)`,
		int64(app), types)
}
