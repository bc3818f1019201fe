package groupmessage

import (
	"context"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
)

// Tell implements [group.Teller]: once a change of members is on disk, their sessions join the group's audience, or leave
// it before any later message is pushed.
func (g *GroupMessages) Tell(_ context.Context, tx *db.Tx, h *group.Happening) error {
	change := g.router.Join
	switch h.Kind {
	case group.HappenedCreated, group.HappenedJoined, group.HappenedImported:
	case group.HappenedQuit, group.HappenedKicked, group.HappenedDestroyed:
		change = g.router.Leave
	default:
		return nil
	}
	of, accounts := h.Group.ID, make([]im.AccountID, 0, len(h.Targets))
	for _, one := range h.Targets {
		accounts = append(accounts, one.ID)
	}
	tx.OnCommit(func() {
		for _, one := range accounts {
			if err := change(of, one); err != nil {
				g.warn(of, err)
			}
		}
		g.line.Flush()
	})
	return nil
}
