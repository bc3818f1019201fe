package group

import (
	"context"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
)

type getRequest struct {
	GroupIDs []string        `json:"GroupIdList"`
	Filter   *responseFilter `json:"ResponseFilter"`
}

type getReply struct {
	Groups []groupInfo `json:"GroupInfo"`
}

func (g *Groups) getCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "get_group_info", By: command.Administrator, Family: im.FamilyGroup(),
		Doc: "read groups", Section: "rest.md#get_group_info",
	}, func(ctx context.Context, call *command.Call, r *getRequest) (*getReply, error) {
		return g.get(ctx, call, r, g.wholeInfo)
	})
}

func (g *Groups) selfCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "get_group_self_member_info", Also: []string{millionService}, By: command.Account, Family: im.FamilyGroup(),
		Doc: "read groups with one's own place in them", Section: "wire.md#group-profiles",
	}, func(ctx context.Context, call *command.Call, r *getRequest) (*getReply, error) {
		return g.get(ctx, call, r, g.ownInfo)
	})
}

func (g *Groups) publicCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "get_group_public_info", Also: []string{millionService}, By: command.Account, Family: im.FamilyGroup(),
		Doc: "read what everybody may read of groups", Section: "wire.md#group-profiles",
	}, func(ctx context.Context, call *command.Call, r *getRequest) (*getReply, error) {
		return g.get(ctx, call, r, g.publicInfo)
	})
}

// reading is a reply about groups under way.
type reading struct {
	ctx    context.Context //nolint:containedctx // it lives as long as the call
	call   *command.Call
	filter *responseFilter
	*details
	memberships map[int64]*Member // of the asking account
	lastSent    map[int64]int64   // when the asking account last sent to each, if that is wanted
	share       int64             // the members that each entry may have
}

// mostMembersInInfo bounds the members that an entry about a group has.
const mostMembersInInfo = 2000

// get reads groups; entry writes one.
func (g *Groups) get(
	ctx context.Context, call *command.Call, r *getRequest, each func(*reading, *Group) (groupInfo, error),
) (*getReply, error) {
	const most = 50
	if len(r.GroupIDs) == 0 || len(r.GroupIDs) > most {
		return nil, im.Errorf(im.CodeGroupParameter, "GroupIdList has %d groups: want 1 to %d", len(r.GroupIDs), most)
	}
	found, err := g.Read(ctx, g.db, call.App.ID, r.GroupIDs)
	if err != nil {
		return nil, err
	}
	groups := make([]*Group, 0, len(found))
	for _, one := range found {
		groups = append(groups, one)
	}
	all := &reading{ctx: ctx, call: call, filter: r.Filter, share: min(mostMembersInInfo, int64(mostPerPage/len(r.GroupIDs)))}
	if all.details, err = g.details(ctx, g.db, groups); err != nil {
		return nil, err
	}
	if all.memberships, err = g.membershipsIn(ctx, call, groups); err != nil {
		return nil, err
	}
	if len(all.memberships) > 0 {
		if all.unread, err = g.Unread(ctx, g.db, call.Account); err != nil {
			return nil, err
		}
	}
	if all.lastSent, err = g.lastSentTo(ctx, call, all.filter, groups); err != nil {
		return nil, err
	}
	reply := &getReply{Groups: make([]groupInfo, 0, len(r.GroupIDs))}
	for _, groupID := range r.GroupIDs {
		info := failed(groupID, ErrUnknown(groupID))
		if one := found[groupID]; one != nil {
			if info, err = each(all, one); err != nil {
				return nil, err
			}
		}
		reply.Groups = append(reply.Groups, info)
	}
	return reply, nil
}

// membershipsIn is the asking account's place in each of the groups.
func (g *Groups) membershipsIn(ctx context.Context, call *command.Call, groups []*Group) (map[int64]*Member, error) {
	if call.Admin() {
		return map[int64]*Member{}, nil
	}
	numbers := make([]int64, len(groups))
	for i, one := range groups {
		numbers[i] = one.ID
	}
	return g.Memberships(ctx, g.db, call.Account, numbers)
}

// wholeInfo is what a back end reads.
func (g *Groups) wholeInfo(r *reading, of *Group) (groupInfo, error) {
	info := r.info(of, r.filter.base())
	r.filter.addCustom(r.call, &info, of)
	info.succeed()
	filter := r.filter.members()
	if filter == nil || !of.Type.Yes("members.stored") {
		return info, nil
	}
	roles, _ := rolesNamed(nil)
	page, _, err := g.page(r.ctx, memberPage{group: of.ID, limit: r.share, roles: roles})
	if err != nil {
		return info, err
	}
	members, err := g.infos(r.ctx, r.call, of, page, filter)
	info.Members = &members
	return info, err
}

// ownInfo is what a client reads of a group: all, and its own place, if it is a member, and else what is public.
func (g *Groups) ownInfo(r *reading, of *Group) (groupInfo, error) {
	own := g.inside(of.ID, r.call.Account, r.memberships[of.ID])
	if own == nil && !r.call.App.IsAdmin(r.call.UserID) {
		if of.Type.Rule("profile.read.nonmember.get_group_self_member_info") != "public_fields" {
			return failed(of.GroupID, errRights(of, "read anything")), nil
		}
		public := publicFields()
		info := r.info(of, both(r.filter.base(), among(&public)))
		info.succeed()
		return info, nil
	}
	info := r.info(of, r.filter.base())
	r.filter.addCustom(r.call, &info, of)
	info.succeed()
	if own == nil {
		return info, nil
	}
	info.Self = r.self(own, wanted(nil))
	if filter := r.filter.members(); filter != nil {
		info.Members = &[]memberInfo{filter.info(r.call, r.call.UserID, own, doing{lastSent: r.lastSent[of.ID], online: true})}
	}
	return info, nil
}

// publicInfo is what everybody reads of a group that everybody may find.
func (g *Groups) publicInfo(r *reading, of *Group) (groupInfo, error) {
	member := g.inside(of.ID, r.call.Account, r.memberships[of.ID]) != nil || r.call.App.IsAdmin(r.call.UserID)
	if !member && !of.Type.Yes("search.by_id.nonmember") {
		return failed(of.GroupID, errRights(of, "read anything")), nil
	}
	want := wanted(nil)
	if r.filter != nil {
		want = among(firstOf(r.filter.Public, r.filter.Base))
	}
	public := publicFields()
	info := r.info(of, both(want, among(&public)))
	info.succeed()
	return info, nil
}

func both(x, y func(string) bool) func(string) bool {
	return func(name string) bool { return x(name) && y(name) }
}
