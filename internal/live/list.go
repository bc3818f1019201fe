package live

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// liveRoom finds a request's group, whose members are not stored.
func (l *Rooms) liveRoom(ctx context.Context, call *command.Call, groupID string) (*group.Group, error) {
	if groupID == "" {
		return nil, im.Errorf(im.CodeGroupParameter, "GroupId is missing")
	}
	of, err := l.groups.Find(ctx, call.App.ID, groupID)
	if err == nil && of.Type.Yes("members.stored") {
		err = im.Errorf(im.CodeGroupRights, "a group of the type %s is no live room", of.Type)
	}
	return of, err
}

type membersRequest struct {
	GroupID string `json:"GroupId"`
	// Timestamp is 0 for the first page, and what the page before gave as NextTimestamp.
	Timestamp wire.Number `json:"Timestamp"`
	// Mark asks for those who have it; 0 for all.
	Mark wire.Number `json:"Mark"`
}

type memberInfo struct {
	Member   string   `json:"Member_Account"`
	Nick     string   `json:"NickName"`
	Avatar   string   `json:"Avatar"`
	JoinTime int64    `json:"JoinTime"`
	Marks    []uint32 `json:"Marks"`
}

type membersReply struct {
	Members []memberInfo `json:"MemberList"`
	Next    int64        `json:"NextTimestamp"`
}

func (l *Rooms) membersCommand() command.Command {
	return command.New(command.Spec{
		Service: liveService, Name: "get_members", By: command.Administrator | command.Account, Family: im.FamilyGroup(),
		Feature: featureMembers, Doc: "list who entered a live room last", Section: "rest.md#get_members",
	}, l.members)
}

// who is the asking account in the words of the table of rules.
func (l *Rooms) who(call *command.Call, of *group.Group) []group.Who {
	var who []group.Who
	if call.App.IsAdmin(call.UserID) {
		who = append(who, group.WhoAppAdmin)
	}
	if l.Inside(of.ID, call.Account) != 0 {
		who = append(who, group.WhoInside)
	}
	return who
}

// featureMembers is the bit by which clients know that they may list who is inside.
const featureMembers command.Feature = 6

// pageMembers is how many members a page has.
const pageMembers = 500

// members lists those inside, the latest first.
func (l *Rooms) members(ctx context.Context, call *command.Call, r *membersRequest) (*membersReply, error) {
	of, err := l.liveRoom(ctx, call, r.GroupID)
	if err != nil {
		return nil, err
	}
	if !call.Admin() && !of.Type.Allows("members.list.who.client", l.who(call, of)...) {
		return nil, im.Errorf(im.CodeGroupRights, "who is not inside the live room does not read who is")
	}
	all := l.listedOf(of.ID, listedMost.Of(call.App), uint32(r.Mark))
	if r.Timestamp > 0 {
		all = slices.DeleteFunc(all, func(one lister) bool { return one.Since >= int64(r.Timestamp) })
	}
	reply := &membersReply{Members: []memberInfo{}}
	if len(all) > pageMembers {
		all = all[:pageMembers]
		reply.Next = all[pageMembers-1].Since
	}
	ids := make([]im.AccountID, len(all))
	for i, one := range all {
		ids[i] = one.Account
	}
	names, err := l.accounts.ByID(ctx, l.db, ids)
	for _, one := range all {
		who := names[one.Account]
		reply.Members = append(reply.Members, memberInfo{
			who.UserID, who.Nick, who.FaceURL, one.Since / int64(time.Second/time.Microsecond), append([]uint32{}, one.Marks...),
		})
	}
	return reply, err
}

// listedOf gives those who entered last on all nodes, the latest first, each once; or those who have a mark. Who is hidden is found by
// a mark only.
func (l *Rooms) listedOf(id int64, most int, mark uint32) []lister {
	all := slices.DeleteFunc(l.everyone(id, most), func(one lister) bool {
		if mark != 0 {
			return !slices.Contains(one.Marks, mark)
		}
		return slices.Contains(one.Marks, markHidden)
	})
	if mark != 0 {
		most = markedMost
	}
	return all[:min(most, len(all))]
}

// everyone gives who entered last on each node, and who has marks, the latest first, each once.
func (l *Rooms) everyone(id int64, most int) []lister {
	var all []lister
	if r := l.find(id); r != nil {
		r.mutex.Lock()
		all = r.listed(most)
		r.mutex.Unlock()
	}
	l.others.mutex.Lock()
	for _, one := range l.others.rooms[id] {
		all = append(all, one.newest...)
	}
	l.others.mutex.Unlock()
	slices.SortFunc(all, func(x, y lister) int { return cmp.Compare(y.Since, x.Since) })
	seen := map[im.AccountID]bool{}
	return slices.DeleteFunc(all, func(one lister) bool {
		again := seen[one.Account]
		seen[one.Account] = true
		return again
	})
}
