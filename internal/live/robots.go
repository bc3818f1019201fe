package live

import (
	"context"
	"time"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
)

// A robot is an account that the back end keeps inside of a live room without a session, for a while; it is the mark 500 by other
// commands. It is kept where the account is inside, or by the node that is asked.

type robotsRequest struct {
	GroupID string   `json:"GroupId"`
	Members []string `json:"Member_Account"`
}

func (l *Rooms) robotCommands() []command.Command {
	spec := command.Spec{Service: liveService, By: command.Administrator | command.Account, Family: im.FamilyGroup()}
	add, remove := spec, spec
	add.Name, add.Doc, add.Section = "add_robots", "keep accounts inside a live room without a session", "rest.md#add_robots"
	remove.Name, remove.Doc, remove.Section = "del_robots", "keep accounts inside a live room no more", "rest.md#del_robots"
	return []command.Command{command.New(add, l.addRobots), command.New(remove, l.removeRobots)}
}

func (l *Rooms) addRobots(ctx context.Context, call *command.Call, r *robotsRequest) (*command.None, error) {
	return nil, l.changeRobots(ctx, call, r, setMarks)
}

func (l *Rooms) removeRobots(ctx context.Context, call *command.Call, r *robotsRequest) (*command.None, error) {
	return nil, l.changeRobots(ctx, call, r, unsetMarks)
}

func (l *Rooms) changeRobots(ctx context.Context, call *command.Call, r *robotsRequest, change int) error {
	of, err := l.ownRoom(ctx, call, r.GroupID)
	if err != nil {
		return err
	}
	switch n := len(r.Members); {
	case n == 0:
		return im.Errorf(im.CodeGroupParameter, "Member_Account is empty")
	case n > marksPerCall:
		return im.Errorf(im.CodeGroupTooMany, "Member_Account has %d accounts: want at most %d", n, marksPerCall)
	}
	named, err := l.accounts.FindMany(ctx, call.App.ID, r.Members)
	if err != nil {
		return err
	}
	m := &marking{Room: of.ID, Set: change == setMarks, Marks: map[im.AccountID][]uint32{}}
	var ids []im.AccountID
	for _, userID := range r.Members {
		one, known := named[userID]
		if !known {
			return im.Errorf(im.CodeGroupAccount, "account %.40q does not exist", userID)
		}
		m.Marks[one.ID], ids = []uint32{markRobot}, append(ids, one.ID)
	}
	l.open(call.App, of)
	if err := l.checkKinds(of, m); err != nil {
		return err
	}
	l.takeRobots(of, m, l.insideOf(ctx, of.ID, ids))
	l.mark(m)
	l.publish(&presence{Node: l.node(), Marking: m})
	return nil
}

// robot reports whether the seat is one without a session.
func (s *seat) robot() bool { return s.connection == 0 }

// keepRobot gives an account a seat without a session; the room's mutex is held.
func (r *room) keepRobot(who im.AccountID, m *member, now time.Time) {
	m.sit(seat{until: now.Add(robotFor)})
	r.away[who] = struct{}{}
}

// takeRobots brings those in that are marked as robots and are inside nowhere.
func (l *Rooms) takeRobots(of *group.Group, m *marking, inside map[im.AccountID]bool) {
	r := l.find(of.ID)
	if r == nil || !m.Set {
		return
	}
	now := l.clock.Now()
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for who, marks := range m.Marks {
		for _, mark := range marks {
			if mark != markRobot || inside[who] && r.members[who] == nil {
				continue // it is kept where it is
			}
			one := r.members[who]
			if one == nil {
				one = &member{since: now.UnixMicro()}
				r.members[who] = one
				r.remember(who)
				r.news.counted = true
			}
			r.keepRobot(who, one, now)
		}
	}
}
