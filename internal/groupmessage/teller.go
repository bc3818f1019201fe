package groupmessage

import (
	"context"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
)

// Tell implements [group.Teller]: once a change of members is on disk, their sessions leave the group's audience before any
// later message is pushed, or join it.
func (g *GroupMessages) Tell(_ context.Context, _ *db.Tx, h *group.Happening) (group.News, error) {
	switch of := h.Group.ID; h.Kind {
	case group.HappenedCreated, group.HappenedJoined, group.HappenedImported:
		return group.News{Then: func() { g.joinAll(of, h.Targets) }}, nil
	case group.HappenedQuit, group.HappenedKicked:
		return group.News{
			InOrder: func() { g.attempt(of, g.router.Leave(of, numbersOf(h.Targets)...)) },
			Then:    func() { g.leaveAll(of, h.Targets) },
		}, nil
	case group.HappenedDestroyed:
		return group.News{InOrder: func() { g.attempt(of, g.router.Empty(of)) }}, nil
	default:
		return group.News{}, nil
	}
}

// Flush implements [group.Teller].
func (g *GroupMessages) Flush() { g.line.Flush() }

func (g *GroupMessages) joinAll(group int64, joined []account.Account) {
	for _, one := range joined {
		g.attempt(group, g.router.Join(group, one.ID))
	}
}

func (g *GroupMessages) leaveAll(group int64, left []account.Account) {
	for _, one := range left {
		g.attempt(group, g.router.LeaveOwn(group, one.ID))
	}
}

func numbersOf(accounts []account.Account) []im.AccountID {
	all := make([]im.AccountID, len(accounts))
	for i, one := range accounts {
		all[i] = one.ID
	}
	return all
}

// attempt notes a push that failed: it is a hint, and what it tells of is stored.
func (g *GroupMessages) attempt(group int64, err error) {
	if err != nil {
		g.warn(group, err)
	}
}
