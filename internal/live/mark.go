package live

import (
	"context"
	"slices"
	"time"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
)

// Marks are numbers that the owner and the back end give those inside of a room, for clients to show them or find them by. They are
// in memory, on the node of the member's session, and gone when he leaves. Two of them mean something to the server.

const (
	markRobot  = 500 // keeps an account inside without a session
	markHidden = 600 // keeps a member out of lists that do not ask for a mark
	// marksFrom is the first mark that an application may use as it likes.
	marksFrom = 1000
	// marksPerCall is how many accounts one call marks, and markedMost how many of a room may have one mark.
	marksPerCall = 500
	markedMost   = 1000
	// robotFor is how long a robot is kept inside.
	robotFor = 3 * 24 * time.Hour
)

// The values of CommandType.
const (
	setMarks   = 1
	unsetMarks = 2
)

type markedInfo struct {
	Member string   `json:"Member_Account"`
	Marks  []uint32 `json:"Marks"`
}

type markRequest struct {
	GroupID string       `json:"GroupId"`
	Command int          `json:"CommandType"`
	Members []markedInfo `json:"MemberList"`
}

type markReply struct {
	Command int          `json:"CommandType"`
	Members []markedInfo `json:"MemberList"`
}

// marking is a bus message about marks of one room.
type marking struct {
	Room  int64                     `json:"i"`
	Set   bool                      `json:"s"`
	Marks map[im.AccountID][]uint32 `json:"m"`
}

func (l *Rooms) markCommand() command.Command {
	return command.New(command.Spec{
		Service: liveService, Name: "modify_user_info", By: command.Administrator | command.Account, Family: im.FamilyGroup(),
		Doc: "give or take marks of those inside a live room", Section: "rest.md#modify_user_info",
	}, l.setMarks)
}

// setMarks marks whom of the accounts is inside, and says who that was.
func (l *Rooms) setMarks(ctx context.Context, call *command.Call, r *markRequest) (*markReply, error) {
	of, err := l.ownRoom(ctx, call, r.GroupID)
	if err != nil {
		return nil, err
	}
	if err := r.check(call.Admin()); err != nil {
		return nil, err
	}
	users := make([]string, len(r.Members))
	for i := range r.Members {
		users[i] = r.Members[i].Member
	}
	named, err := l.accounts.FindMany(ctx, call.App.ID, users)
	if err != nil {
		return nil, err
	}
	l.open(call.App, of)
	m, reply := &marking{Room: of.ID, Set: r.Command == setMarks, Marks: map[im.AccountID][]uint32{}}, &markReply{Command: r.Command}
	ids := make([]im.AccountID, 0, len(named))
	for _, one := range named {
		ids = append(ids, one.ID)
	}
	inside := l.insideOf(ctx, of.ID, ids)
	for _, one := range r.Members {
		who, known := named[one.Member]
		if known && (inside[who.ID] || m.Set && slices.Contains(one.Marks, markRobot)) {
			m.Marks[who.ID] = one.Marks
			reply.Members = append(reply.Members, one)
		}
	}
	if len(m.Marks) == 0 {
		return nil, im.Errorf(im.CodeGroupParameter, "none of the accounts is inside the live room")
	}
	if err := l.checkKinds(of, m); err != nil {
		return nil, err
	}
	l.takeRobots(of, m, inside)
	l.mark(m)
	l.publish(&presence{Node: l.node(), Marking: m})
	return reply, nil
}

// check refuses what no room takes. Marks below the application's own the back end alone may give.
func (r *markRequest) check(admin bool) error {
	switch {
	case r.Command != setMarks && r.Command != unsetMarks:
		return im.Errorf(im.CodeGroupParameter, "CommandType is %d: want 1 to set marks, 2 to take them", r.Command)
	case len(r.Members) == 0:
		return im.Errorf(im.CodeGroupParameter, "MemberList is empty")
	case len(r.Members) > marksPerCall:
		return im.Errorf(im.CodeGroupTooMany, "MemberList has %d accounts: want at most %d", len(r.Members), marksPerCall)
	}
	for _, one := range r.Members {
		if len(one.Marks) == 0 {
			return im.Errorf(im.CodeGroupParameter, "Marks of %.40q is empty", one.Member)
		}
		for _, mark := range one.Marks {
			if mark < marksFrom && (!admin || mark != markRobot && mark != markHidden) {
				return im.Errorf(im.CodeGroupParameter, "the mark %d: want one of %d or above", mark, marksFrom)
			}
		}
	}
	return nil
}

// ownRoom finds a live room of which the caller may mark members.
func (l *Rooms) ownRoom(ctx context.Context, call *command.Call, groupID string) (*group.Group, error) {
	of, err := l.liveRoom(ctx, call, groupID)
	if err != nil || call.Admin() {
		return of, err
	}
	who := l.who(call, of)
	if of.Owner == call.Account {
		who = append(who, group.Owner.Who())
	}
	if !of.Type.Allows("marks.set.who", who...) {
		return nil, im.Errorf(im.CodeGroupRights, "the owner alone marks who is inside the live room")
	}
	return of, nil
}

// checkKinds refuses more kinds of marks than a room may have, and a mark of too many, as far as this node knows.
func (l *Rooms) checkKinds(of *group.Group, m *marking) error {
	if !m.Set {
		return nil
	}
	counts := map[uint32]int{}
	for _, one := range l.markedOf(of.ID) {
		for _, mark := range one.Marks {
			if !slices.Contains(m.Marks[one.Account], mark) {
				counts[mark]++
			}
		}
	}
	for _, marks := range m.Marks {
		for _, mark := range marks {
			counts[mark]++
		}
	}
	kinds := int64(0)
	for mark, n := range counts {
		if n > markedMost {
			return im.Errorf(im.CodeGroupTooMany, "the mark %d is of %d members already: want at most %d", mark, n, markedMost)
		}
		if mark >= marksFrom {
			kinds++
		}
	}
	if most := of.Type.Number("marks.max_kinds"); kinds > most {
		return im.Errorf(im.CodeGroupParameter, "the live room has %d different marks: want at most %d", kinds, most)
	}
	return nil
}

// mark changes marks of those who are inside on this node.
func (l *Rooms) mark(m *marking) {
	r := l.find(m.Room)
	if r == nil {
		return
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for who, marks := range m.Marks {
		one := r.members[who]
		if one == nil {
			continue
		}
		kept := slices.DeleteFunc(slices.Clone(one.marks), func(mark uint32) bool { return slices.Contains(marks, mark) })
		if m.Set {
			kept = append(kept, marks...)
		}
		one.marks = slices.Compact(slices.Sorted(slices.Values(kept)))
		r.news.counted = true
		switch {
		case !slices.Contains(marks, markRobot):
		case m.Set:
			r.keepRobot(who, one, l.clock.Now())
		default:
			l.clear(r, who, func(s seat) bool { return s.robot() })
		}
	}
}

// markedOf gives those with marks, on all nodes, as far as this one knows.
func (l *Rooms) markedOf(id int64) []lister {
	return slices.DeleteFunc(l.everyone(id, 0), func(one lister) bool { return len(one.Marks) == 0 })
}
