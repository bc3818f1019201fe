package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/magpie-im/magpie/client"
)

// talkInGroups sends to all groups and changes what was sent, and has members come and go, until ctx ends. When it returns every
// message has its answer.
func (t *torture) talkInGroups(ctx context.Context) {
	var all sync.WaitGroup
	for _, g := range t.groups {
		for i, m := range g.members {
			all.Go(func() { t.speak(ctx, m) })
			all.Go(func() { t.rethink(ctx, m) })
			if i > 0 {
				all.Go(func() { t.comeAndGo(ctx, m) })
			}
		}
	}
	all.Wait()
}

// speak keeps up to a window of messages of one member on their way while he is in the group.
func (t *torture) speak(ctx context.Context, m *memberBook) {
	chance := newChance(t.Seed, "speak in "+m.to, m.user)
	every := time.Duration(float64(len(m.group.members)*len(t.groups)) / t.GroupRate * float64(time.Second))
	slots := make(chan struct{}, t.Window)
	for wait(ctx, chance.between(every/2, every*3/2)) == nil {
		if !m.is() {
			continue
		}
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			continue
		}
		if err := t.say(m, func() { <-slots }); err != nil {
			<-slots
		}
	}
	for range t.Window { // all are settled when all slots are free
		slots <- struct{}{}
	}
}

func (t *torture) say(m *memberBook, settled func()) error {
	number := m.next()
	m.group.mutex.Lock()
	m.said = append(m.said, saying{begun: now()})
	m.group.mutex.Unlock()
	out := client.Outgoing{Group: m.to, Elements: []client.Element{client.Text(m.text(number))}}
	err := t.crowd.clients[m.user].SendAsync(out, func(sent client.Sent, err error) {
		if err == nil && sent.Dropped != "" {
			m.settle(number, unsent)
			err = errDropped
		}
		if err != nil {
			t.failed("group message", err)
		} else {
			m.taken(number, sent)
			t.crowd.acked.Add(1)
		}
		settled()
	})
	if err != nil {
		m.settle(number, unsent)
		t.failed("group message", err)
	}
	return err
}

// taken settles a message that the server has taken.
func (m *memberBook) taken(number int, sent client.Sent) {
	m.acked(number, sent)
	m.group.mutex.Lock()
	defer m.group.mutex.Unlock()
	m.said[number].acked = now()
}

// rethink recalls and edits some of a member's newest messages.
func (t *torture) rethink(ctx context.Context, m *memberBook) {
	const least, most = 50 * time.Millisecond, 600 * time.Millisecond
	chance := newChance(t.Seed, "rethink in "+m.to, m.user)
	for wait(ctx, chance.between(least, most)) == nil {
		number, sent := m.recent(chance)
		if number == 0 || !m.is() {
			continue
		}
		acting, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
		c := t.crowd.clients[m.user]
		if chance.one(4) {
			t.noted("group recall", m.tryRecall(number, func() error { return c.RecallInGroup(acting, m.to, sent.Sequence) }))
		} else {
			t.noted("group edit", m.tryEdit(number, func(version int, body json.RawMessage) error {
				return c.Call(acting, "openim.modify_group_msg", map[string]any{
					"GroupId": m.to, "MsgSeq": sent.Sequence, "MsgVersion": version - 1, "MsgBody": body,
				}, nil)
			}))
		}
		cancel()
	}
}

func (t *torture) noted(name string, err error) {
	if err != nil {
		t.failed(name, err)
	}
}

// comeAndGo has one member leave and join again, by himself or by the back end.
func (t *torture) comeAndGo(ctx context.Context, m *memberBook) {
	const least, most = 200 * time.Millisecond, 2 * time.Second
	chance := newChance(t.Seed, "come to "+m.to, m.user)
	for wait(ctx, chance.between(least, most)) == nil {
		acting, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
		by := mover{t, chance.IntN(len(t.stage.nodes)), chance.one(2)}
		if m.is() {
			by.goes(acting, m)
		} else {
			by.comes(acting, m)
		}
		cancel()
	}
}

// mover has a member come or go: himself, or the back end at one of the nodes first.
type mover struct {
	*torture
	first   int
	himself bool
}

func (t mover) comes(ctx context.Context, m *memberBook) {
	m.enter(stay{asked: now()})
	err := t.do(ctx, func() error { _, err := t.crowd.clients[m.user].JoinGroup(ctx, m.to, ""); return err },
		"add_group_member", map[string]any{"GroupId": m.to, "MemberList": []any{map[string]any{"Member_Account": m.from}}})
	is, known := t.settled(ctx, m, true, err)
	m.group.mutex.Lock()
	defer m.group.mutex.Unlock()
	last := len(m.stays) - 1
	switch {
	case !known: // he may be in, and is not taken to be
	case is:
		m.stays[last].in = now()
		t.joined.Add(1)
	default:
		m.stays = m.stays[:last]
	}
}

func (t mover) goes(ctx context.Context, m *memberBook) {
	m.leave()
	err := t.do(ctx, func() error { return t.crowd.clients[m.user].QuitGroup(ctx, m.to) },
		"delete_group_member", map[string]any{"GroupId": m.to, "MemberToDel_Account": []string{m.from}})
	is, known := t.settled(ctx, m, false, err)
	m.group.mutex.Lock()
	defer m.group.mutex.Unlock()
	last := &m.stays[len(m.stays)-1]
	switch {
	case !known:
	case is:
		last.in, last.leaving = now(), time.Time{}
	default:
		last.out = now()
		t.left.Add(1)
	}
}

func (m *memberBook) enter(s stay) {
	m.group.mutex.Lock()
	defer m.group.mutex.Unlock()
	m.stays = append(m.stays, s)
}

func (m *memberBook) leave() {
	m.group.mutex.Lock()
	defer m.group.mutex.Unlock()
	m.stays[len(m.stays)-1].leaving = now()
}

// do has the member do it himself, or the back end by a command.
func (t mover) do(ctx context.Context, himself func() error, command string, body map[string]any) error {
	if t.himself {
		return himself()
	}
	return t.ask(ctx, command, body, &struct{}{})
}

// ask insists on an answer of one of the nodes.
func (t mover) ask(ctx context.Context, command string, body, reply any) error {
	return insist(ctx, t.stage.nodes, t.first, func(ctx context.Context, n *node) error {
		admin, err := t.stage.backEnd(n)
		if err != nil {
			return err
		}
		return admin.call(ctx, "group_open_http_svc/"+command, body, reply)
	})
}

// settled is whether the member is in the group after an act. One that was refused may have been done before a server died, and
// its repeat refused: then the store is asked.
func (t mover) settled(ctx context.Context, m *memberBook, meant bool, err error) (is, known bool) {
	if err == nil {
		return meant, true
	}
	t.failed("membership", err)
	is, err = t.isMember(ctx, m)
	return is, err == nil
}

func (t mover) isMember(ctx context.Context, m *memberBook) (bool, error) {
	var reply struct {
		List []struct{ Role string } `json:"UserIdList"`
	}
	err := t.ask(ctx, "get_role_in_group", map[string]any{"GroupId": m.to, "User_Account": []string{m.from}}, &reply)
	if err == nil && len(reply.List) != 1 {
		err = fmt.Errorf("get_role_in_group answered %d roles", len(reply.List))
	}
	return err == nil && reply.List[0].Role != "NotMember", err
}
