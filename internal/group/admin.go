package group

import (
	"context"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// liveService is the service of what only groups of the type AVChatRoom have.
const liveService = "group_open_avchatroom_http_svc"

// The values of CommandType.
const (
	setAdmins   = 1
	unsetAdmins = 2
)

type adminsRequest struct {
	GroupID string   `json:"GroupId"`
	Command int      `json:"CommandType"`
	Admins  []string `json:"Admin_Account"`
}

func (g *Groups) adminsCommands() []command.Command {
	spec := command.Spec{Service: liveService, By: command.Administrator, Family: im.FamilyGroup()}
	set, list := spec, spec
	set.Name, set.Doc, set.Section = "modify_admin", "make accounts administrators of a live room, or end that", "rest.md#modify_admin"
	list.Name, list.Doc, list.Section = "get_admin_list", "list the administrators of a live room", "rest.md#get_admin_list"
	return []command.Command{command.New(set, g.setAdmins), command.New(list, g.listAdmins)}
}

// setAdmins changes who is an administrator of a group whose administrators need not be inside.
func (g *Groups) setAdmins(ctx context.Context, call *command.Call, r *adminsRequest) (*command.None, error) {
	of, err := g.liveAdmins(ctx, call, r.GroupID)
	if err != nil {
		return nil, err
	}
	most := of.Type.Number("admin.max")
	switch {
	case r.Command != setAdmins && r.Command != unsetAdmins:
		return nil, im.Errorf(im.CodeGroupParameter, "CommandType is %d: want 1 to make administrators, 2 to end that", r.Command)
	case len(r.Admins) == 0 || int64(len(r.Admins)) > most:
		return nil, im.Errorf(im.CodeGroupParameter, "Admin_Account has %d accounts: want 1 to %d", len(r.Admins), most)
	}
	named, err := g.namedAccounts(ctx, call, r.Admins)
	if err != nil {
		return nil, err
	}
	return nil, g.change(ctx, call, of, ids(named), func(c *change) (refused, err error) {
		for _, one := range named {
			if _, alive := c.alive[one.ID]; !alive {
				return errAccount(one.UserID), nil
			}
			if one.ID == c.group.Owner {
				return im.Errorf(im.CodeGroupParameter, "%.40q is the owner", one.UserID), nil
			}
		}
		if r.Command == unsetAdmins {
			return nil, g.unsetAdmins(c, named)
		}
		return g.addAdmins(c, named, most)
	})
}

// liveAdmins finds a group whose administrators are set by commands of their own.
func (g *Groups) liveAdmins(ctx context.Context, call *command.Call, groupID string) (*Group, error) {
	of, err := g.find(ctx, call, groupID)
	if err != nil {
		return nil, err
	}
	if of.Type.Rule("admin.set.command.rest") != "modify_admin" {
		return nil, errRights(of, "set administrators by this command")
	}
	return of, nil
}

func (g *Groups) addAdmins(c *change, named map[string]account.Account, most int64) (refused, err error) {
	there, err := g.admins(c.ctx, c.tx, c.group)
	if err != nil {
		return nil, err
	}
	all := map[im.AccountID]bool{}
	for _, m := range there {
		all[m.Account] = true
	}
	var fresh []*Member
	for _, one := range named {
		if !all[one.ID] {
			fresh = append(fresh, &Member{
				Group: c.group.ID, Account: one.ID, Role: Admin, Joined: c.tx.Now().Unix(), Custom: "{}", Receive: usualReceive(c.call.App, c.group.Type),
			})
		}
		all[one.ID] = true
	}
	if int64(len(all)) > most {
		return im.Errorf(im.CodeGroupParameter, "the group would have %d administrators, at most %d", len(all), most), nil
	}
	return nil, putMembers(c.tx, fresh)
}

// unsetAdmins takes away the rows of administrators, but those of muted ones, which stay for the mute.
func (g *Groups) unsetAdmins(c *change, named map[string]account.Account) error {
	now := c.tx.Now().Unix()
	_, err := c.tx.Exec(`UPDATE group_member SET role = 0, changed_at = $2 WHERE group_id = $1 AND role = $3 AND account_id IN ($4...)`,
		c.group.ID, now, int64(Admin), db.Ints(ids(named)))
	if err != nil {
		return err
	}
	_, err = c.tx.Exec(`DELETE FROM group_member WHERE group_id = $1 AND role = 0 AND account_id IN ($3...) AND muted_until <= $2`,
		c.group.ID, now, db.Ints(ids(named)))
	return err
}

func (g *Groups) admins(ctx context.Context, from db.Source, of *Group) ([]*Member, error) {
	return db.All(ctx, from, scanMember, `SELECT `+memberColumns+` FROM group_member WHERE group_id = $1 AND role = $2 ORDER BY account_id`,
		of.ID, int64(Admin))
}

type adminInfo struct {
	Account string `json:"Admin_Account"`
	Nick    string `json:"NickName"`
	Avatar  string `json:"Avatar"`
}

type adminsReply struct {
	Admins []adminInfo `json:"Admin_List"`
}

func (g *Groups) listAdmins(ctx context.Context, call *command.Call, r *groupRequest) (*adminsReply, error) {
	of, err := g.liveAdmins(ctx, call, r.GroupID)
	if err != nil {
		return nil, err
	}
	found, err := g.admins(ctx, g.db, of)
	if err != nil {
		return nil, err
	}
	names, err := g.accounts.ByID(ctx, g.db, accountsOf(found))
	reply := &adminsReply{Admins: []adminInfo{}}
	for _, m := range found {
		one := names[m.Account]
		reply.Admins = append(reply.Admins, adminInfo{one.UserID, one.Nick, one.FaceURL})
	}
	return reply, err
}
