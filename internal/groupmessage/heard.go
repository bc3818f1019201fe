package groupmessage

import (
	"sync"
	"time"

	"github.com/magpie-im/magpie/internal/group"
)

// How long a member who has spoken is let speak again without a look into the store before the transaction: for heardFor at least,
// for twice as long at most, and unless heardMost others speak meanwhile.
const (
	heardFor  = 5 * time.Second
	heardMost = 1 << 15
)

// heard are the members who have spoken lately, by group, as they stood then. It only spares a look: the transaction that stores
// what they say looks at each of them. There are two generations: when the younger one is old or full, the older one goes. The zero
// heard has heard nobody.
type heard struct {
	mutex          sync.Mutex
	younger, older map[group.MemberKey]*group.Member
	begun          time.Time // when the younger generation began
}

// get is the draft's sender as he stood; nil: he has not been heard lately.
func (h *heard) get(d *Draft, now time.Time) *group.Member {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.turn(now)
	at := d.in(d.Sender.ID)
	if found := h.younger[at]; found != nil {
		return found
	}
	return h.older[at]
}

// put notes the draft's sender, if he is a member that is stored.
func (h *heard) put(d *Draft, now time.Time) {
	if s := d.speaker; !s.member() || s.stands.Inside {
		return
	}
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.turn(now)
	if h.younger == nil {
		h.younger = map[group.MemberKey]*group.Member{}
	}
	h.younger[d.in(d.Sender.ID)] = d.speaker.stands
}

// drop forgets the draft's sender.
func (h *heard) drop(d *Draft) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	delete(h.younger, d.in(d.Sender.ID))
	delete(h.older, d.in(d.Sender.ID))
}

// turn begins a generation when it is time. A clock that was set back begins one too.
func (h *heard) turn(now time.Time) {
	age := now.Sub(h.begun)
	switch {
	case age >= 2*heardFor || age < 0:
		h.older, h.younger, h.begun = nil, nil, now
	case age >= heardFor || len(h.younger) >= heardMost:
		h.older, h.younger, h.begun = h.younger, nil, now
	}
}
