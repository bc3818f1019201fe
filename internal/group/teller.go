package group

import (
	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// Teller tells a group's members, and whoever it concerns, of what happened. A higher room fills it in: it writes tips into
// the group's chat and pushes notices.
type Teller interface {
	// Tell is called inside the transaction of what happened, and gives what is pushed once that is on disk.
	Tell(tx *db.Tx, h *Happening) (News, error)
	// Flush returns when what was pushed has left this process, or does not in time.
	Flush()
}

// News is what is pushed of something that happened. The zero News is nothing.
type News struct {
	// InOrder pushes to the group, before anything is pushed that was stored in the group later. Others wait for it meanwhile, so
	// it pushes a few times only, however many members there are.
	InOrder func()
	// Then pushes to single accounts, after InOrder and before the caller is answered.
	Then func()
}

func (n *News) inOrder() {
	if n.InOrder != nil {
		n.InOrder()
	}
}

// Happening is something that happened in a group.
type Happening struct {
	Group *Group
	Kind  HappeningKind
	// Tip is what the type's rule says of a tip.
	Tip TipMode
	// By is who is shown as the one who did it; its ID is 0 of an app administrator that is known by its name only. Member is what
	// it is in the group; nil of who is no member, and at the REST door.
	By     account.Account
	Member *Member
	// Device is the device on which it was done; 0 at the REST door.
	Device im.DeviceID
	// Targets are the accounts that it happened to.
	Targets []account.Account
	// Applied says of a join that the account asked for it, and was not added by somebody.
	Applied bool
	// Recycled says of a destroyed group that nobody destroyed it: nothing had happened in it for long.
	Recycled bool
	// Reason is what a kick gives as its reason, and what is said with a request to join or with the decision on it.
	Reason string
	// Key is the MsgKey of a request to join, in unix milliseconds, and Inviter who asked for the account; 0 if it did itself.
	Key     int64
	Inviter im.AccountID
	// MuteSeconds is how long a mute lasts; 0 ends one.
	MuteSeconds int64
	// BanSeconds is how long a ban lasts.
	BanSeconds int64
	// Receive is how the account wants to hear of messages from now on.
	Receive Receive
	// Changed is what a change of the profile set; nil of anything else.
	Changed *Profile
}

// HappeningKind says what happened.
type HappeningKind int

// What happens in groups.
const (
	HappenedCreated HappeningKind = iota + 1
	HappenedJoined
	// HappenedImported is of members that were members elsewhere: their sessions hear of the group from now on, and nobody is told.
	HappenedImported
	HappenedQuit
	HappenedKicked
	HappenedAdminSet
	HappenedAdminUnset
	HappenedProfile
	HappenedMuted
	HappenedReceiveOption
	HappenedDestroyed
	// HappenedAsked is somebody who asks to join, or whom a member would add; Applied tells which.
	HappenedAsked
	HappenedApproved
	HappenedRejected
	// HappenedBanned is of groups whose members are not stored; in others who is banned is kicked.
	HappenedBanned
)

// TipMode says how members learn of it: by no tip, by one that is pushed, or by one that is stored too.
type TipMode string

// The modes of tips, as they stand in the table of rules.
const (
	TipNone   TipMode = "none"
	TipPushed TipMode = "pushed"
	TipKept   TipMode = "pushed+stored"
)

// tell has the Teller tell what happened. A group that has no message yet, of a type that must be woken by one, has no tips.
func (g *Groups) tell(c *change, h Happening) error {
	if g.teller == nil {
		return nil
	}
	var err error
	h.Group, h.Member, h.Device = c.group, c.by, c.call.Device
	if h.By, err = g.shown(c, h.By); err != nil {
		return err
	}
	if h.Tip != TipNone && c.group.Type.Yes("activation.needed") {
		tails, err := g.chats.Tails(c.ctx, c.tx, []int64{c.group.ID})
		if err != nil {
			return err
		}
		if tails[c.group.ID] == (chat.Tail{}) {
			h.Tip = TipNone
		}
	}
	news, err := g.teller.Tell(c.tx, &h)
	*c.news = append(*c.news, news)
	return err
}

// shown is an account with what members are shown of it; without one, the asking account.
func (g *Groups) shown(c *change, by account.Account) (account.Account, error) {
	if by == (account.Account{}) {
		by = account.Account{ID: c.call.Account, UserID: c.call.UserID}
	}
	if by.ID == 0 {
		return by, nil
	}
	found, err := g.accounts.ByID(c.ctx, c.tx, []im.AccountID{by.ID})
	if one, ok := found[by.ID]; ok {
		by = one
	}
	return by, err
}

// TellBy has a higher room tell of what happens. It is for the time before commands are served.
func (g *Groups) TellBy(t Teller) { g.teller = t }
