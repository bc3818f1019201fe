package bench

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/magpie-im/magpie/client"
)

// groupBook is what is known of one group: its members come and go, and send each other numbered messages meanwhile.
type groupBook struct {
	id string
	// whole says that a member reads what was said before he joined, too.
	whole   bool
	members []*memberBook // the first is the owner, who stays

	mutex sync.Mutex // of what members have said, been pushed and been in
}

// memberBook is one member's part of it. Its book has the group in the place of a receiver.
type memberBook struct {
	*book
	group  *groupBook
	user   int // among the clients of the crowd
	said   []saying
	stays  []stay
	pushes []groupPush
	strays []string // what he was pushed that nobody has said
}

// saying is when a message was handed over and when it was acknowledged; the latter is zero if it was not.
type saying struct{ begun, acked time.Time }

// stay is a time for which a member is in the group. His coming and his going are asked for first, and so once acknowledged; what
// has not happened yet is zero.
type stay struct{ asked, in, leaving, out time.Time }

// groupPush is a message that a member was pushed.
type groupPush struct {
	sequence int64
	from     *memberBook
	number   int
	at       time.Time
}

// Kinds of groups that anybody may join; they differ in what a new member may read.
const (
	groupKinds     = 2
	kindWhole      = "Meeting"
	kindSinceJoin  = "Public"
	mostInGroup    = 8
	firstInGroup   = 5 // members with which a group begins
	groupIDPattern = "group-%03d"
)

// newGroups draws who is to be in which group.
func (t *torture) newGroups() {
	for i := range t.Groups {
		c := newChance(t.Seed, "group", i)
		g := &groupBook{id: fmt.Sprintf(groupIDPattern, i), whole: i%groupKinds == 0}
		for _, user := range c.Perm(t.Connections)[:min(mostInGroup, t.Connections)] {
			g.members = append(g.members, &memberBook{book: newBook(userName(user), g.id), group: g, user: user, said: make([]saying, 1)})
		}
		t.crowd.groups[g.id] = g
		t.groups = append(t.groups, g)
	}
}

func (g *groupBook) kind() string {
	if g.whole {
		return kindWhole
	}
	return kindSinceJoin
}

// makeGroups has the back end make the groups, each with its first members.
func (t *torture) makeGroups(ctx context.Context) error {
	admin, err := t.stage.backEnd(t.stage.nodes[0])
	if err != nil {
		return err
	}
	for _, g := range t.groups {
		var members []map[string]any
		first := g.members[:min(firstInGroup, len(g.members))]
		for _, m := range first[1:] {
			members = append(members, map[string]any{"Member_Account": m.from})
		}
		asked := now()
		err := admin.call(ctx, "group_open_http_svc/create_group", map[string]any{
			"Type": g.kind(), "Name": g.id, "GroupId": g.id, "Owner_Account": g.members[0].from, "ApplyJoinOption": "FreeAccess",
			"MemberList": members,
		}, &struct{}{})
		if err != nil {
			return fmt.Errorf("make a group: %w", err)
		}
		for _, m := range first {
			m.stays = []stay{{asked: asked, in: now()}}
		}
	}
	return nil
}

// heardIn notes that a client was pushed a group's message.
func (c *crowd) heardIn(user int, m *client.GroupMessage) {
	g := c.groups[m.Group]
	if g == nil {
		return
	}
	text, at := m.Text(), now()
	g.mutex.Lock()
	defer g.mutex.Unlock()
	var to, from *memberBook
	for _, one := range g.members {
		if one.user == user {
			to = one
		}
		if one.from == m.From {
			from = one
		}
	}
	switch {
	case to == nil:
		return
	case from != nil && from.number(text) > 0 && from.number(text) < len(from.said):
		to.pushes = append(to.pushes, groupPush{m.Sequence, from, from.number(text), at})
	default:
		to.strays = append(to.strays, text)
	}
}

// hearInGroup is what the back end was told of a group's message.
func (c *crowd) hearInGroup(one *told) {
	g := c.groups[one.Group]
	if g == nil || len(one.MsgBody) == 0 {
		return
	}
	for _, m := range g.members {
		if m.from == one.From {
			text := one.MsgBody[0].MsgContent.Text
			m.tell(m.number(text), text)
		}
	}
}

// is reports whether the member is in the group, as far as is known.
func (m *memberBook) is() bool {
	m.group.mutex.Lock()
	defer m.group.mutex.Unlock()
	last := len(m.stays) - 1
	return last >= 0 && !m.stays[last].in.IsZero() && m.stays[last].leaving.IsZero()
}

// links are the times for which a client was logged in on a connection.
type links struct {
	mutex sync.Mutex
	all   []link
}

// link is one of them; its end is zero while it lasts.
type link struct{ from, to time.Time }

func (l *links) state(s client.State, at time.Time) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	open := len(l.all) > 0 && l.all[len(l.all)-1].to.IsZero()
	switch {
	case s == client.Connected && !open:
		l.all = append(l.all, link{from: at})
	case s == client.Disconnected && open:
		l.all[len(l.all)-1].to = at
	}
}

// span reports whether the client was there on one connection all the time.
func (l *links) span(from, to time.Time) bool {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for _, one := range l.all {
		if covers(one.from, one.to, from, to) {
			return true
		}
	}
	return false
}

// covers reports whether the time from begun to ended, which is zero if it lasts, holds all of the other.
func covers(begun, ended, from, to time.Time) bool {
	return !begun.IsZero() && !begun.After(from) && (ended.IsZero() || !ended.Before(to))
}
