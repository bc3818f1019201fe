package file

import "sync"

// The part of all uploads that one account and one network address get.
const (
	accountShare = 16
	addressShare = 4
)

// gate counts the uploads that are under way, in all and by who sends them. It is safe for concurrent use.
type gate struct {
	most int

	mutex sync.Mutex
	all   int
	of    map[any]int // by account and by network address; there is none without uploads
}

func newGate(most int) *gate { return &gate{most: most, of: map[any]int{}} }

// enter lets an upload begin, and reports whether there is room. Who entered leaves.
func (g *gate) enter(account, network any) bool {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	share := func(part int) int { return max(1, g.most/part) }
	if g.all >= g.most || g.of[account] >= share(accountShare) || g.of[network] >= share(addressShare) {
		return false
	}
	g.all++
	g.of[account]++
	g.of[network]++
	return true
}

func (g *gate) leave(account, network any) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	g.all--
	for _, one := range []any{account, network} {
		if g.of[one]--; g.of[one] <= 0 {
			delete(g.of, one)
		}
	}
}
