package gateway_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/gateway"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/magpietest"
)

// groupsRig is a rig whose store of groups is read by what the test sets; before it is set, nobody is in a group.
func groupsRig(t *testing.T) (h *rig, set func(read func(of im.AccountID) []int64)) {
	t.Helper()
	var reading atomic.Pointer[func(im.AccountID) []int64]
	h = openRig(t, func(p *gateway.Parts) {
		p.Groups = func(_ context.Context, of im.AccountID) ([]int64, error) {
			if read := reading.Load(); read != nil {
				return (*read)(of), nil
			}
			return nil, nil
		}
	})
	return h, func(read func(im.AccountID) []int64) { reading.Store(&read) }
}

// The account of a session that is about to join a group leaves it: what was read before does not count, though the node hears
// nothing of a group yet that nobody else here is in.
func TestLeavesBeforeItJoins(t *testing.T) {
	h, set := groupsRig(t)
	alice := h.enter(t, "alice")
	var reads atomic.Int64
	set(func(of im.AccountID) []int64 {
		if reads.Add(1) == 1 {
			_ = h.router.LeaveOwn(7, of)
			return []int64{7, 8}
		}
		return []int64{8}
	})
	must(t, h.router.Join(8, alice.account))
	magpietest.Eventually(t, "the groups are read again", func() bool { return reads.Load() > 1 })
	h.says(t, event.Group(7), "not for alice")
	h.says(t, event.Group(8), "for alice")
	alice.hears(t, "pushed for alice")
}

// The account of a session whose groups are being read joins another one: it hears what is said there at once, without a gap
// when what was read before is found not to have it.
func TestJoinsWhileGroupsAreRead(t *testing.T) {
	h, set := groupsRig(t)
	alice := h.enter(t, "alice")
	var reads atomic.Int64
	set(func(of im.AccountID) []int64 {
		if reads.Add(1) == 1 {
			_ = h.router.Join(7, of)
			return []int64{8}
		}
		_ = h.router.Push(event.Group(7), said.Of([]string{"at once"}))
		return []int64{7, 8}
	})
	must(t, h.router.Join(8, alice.account))
	alice.hears(t, "pushed at once")
}

// Everybody leaves a group that is there no more, by one bus message: nobody hears what is pushed to it later, and all hear what is
// pushed to others.
func TestEverybodyLeaves(t *testing.T) {
	h, set := groupsRig(t)
	set(func(im.AccountID) []int64 { return []int64{7, 8} })
	alice, bob := h.enter(t, "alice"), h.enter(t, "bob")
	h.says(t, event.Group(7), "for both")
	set(func(im.AccountID) []int64 { return []int64{8} })
	must(t, h.router.Empty(7))
	h.says(t, event.Group(7), "for nobody")
	h.says(t, event.Group(8), "for both again")
	for _, who := range []*guest{alice, bob} {
		who.hears(t, "pushed for both")
		who.hears(t, "pushed for both again")
	}
}
