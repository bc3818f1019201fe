package presence

import (
	"maps"
	"sync"

	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
)

// accounts is a set of accounts.
type accounts = map[im.AccountID]bool

// news is what this node has heard and not looked at yet. It is bounded by the accounts that are logged in here and those that
// they watch, as a node hears of no others.
type news struct {
	mutex sync.Mutex
	heard heard
	wake  chan struct{} // has a value when there is something to look at
}

// heard is one round's news.
type heard struct {
	changed accounts // their state may be different
	custom  accounts // their devices have to be told of their custom status
	watches accounts // they may watch others
	all     bool     // everything that is watched may be different
}

func (h *heard) empty() bool { return len(h.changed)+len(h.custom)+len(h.watches) == 0 && !h.all }

// set is where news of a kind are kept; nil for a kind that this version does not know.
func (h *heard) set(what event.Presence) *accounts {
	switch what {
	case event.StateChanged:
		return &h.changed
	case event.CustomChanged:
		return &h.custom
	case event.WatchesChanged:
		return &h.watches
	default:
		return nil
	}
}

// Heard takes what the bus tells of an account that has sessions or watchers on this node. It does not wait.
func (p *Presences) Heard(of im.AccountID, what event.Presence) {
	p.news.add(func(h *heard) {
		set := h.set(what)
		if set == nil {
			return
		}
		if *set == nil {
			*set = accounts{}
		}
		(*set)[of] = true
	})
}

// HearAll is for the moment after which any news may have been missed.
func (p *Presences) HearAll() { p.news.add(func(h *heard) { h.all = true }) }

func (n *news) add(put func(h *heard)) {
	n.mutex.Lock()
	put(&n.heard)
	n.mutex.Unlock()
	select {
	case n.wake <- struct{}{}:
	default: // it is awake already
	}
}

// take returns what was heard, and begins anew.
func (n *news) take() heard {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	h := n.heard
	n.heard = heard{}
	return h
}

// putBack keeps what could not be looked at for the next round, which is not woken.
func (n *news) putBack(h heard) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	n.heard.changed = joined(n.heard.changed, h.changed)
	n.heard.custom = joined(n.heard.custom, h.custom)
	n.heard.watches = joined(n.heard.watches, h.watches)
	n.heard.all = n.heard.all || h.all
}

func joined(one, other accounts) accounts {
	if one == nil {
		return other
	}
	maps.Copy(one, other)
	return one
}
