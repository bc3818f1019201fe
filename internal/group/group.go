// Package group keeps groups and who is in them: life, profile, members, roles and mutes, for every type of group.
//
// What a type allows stands in one table, rules.tsv; no rule asks for a type by its name outside of it. The messages of a
// group are another room's, which this one tells of what happened by its Teller.
package group

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/device"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/webhook"
)

// Group is a stored group as the rules need it. It is not changed once it is made; a change makes a new value.
type Group struct {
	// ID is the group's number in the store. Its chat is named chat.Name{Kind: chat.Group, Low: ID}.
	ID  int64
	App im.AppID
	// GroupID is the group's name on the wire.
	GroupID                                   string
	Type                                      Type
	Name, Introduction, Notification, FaceURL string
	// Owner is 0 in a group without an owner.
	Owner                   im.AccountID
	MaxMembers, MemberCount int64
	// ApplyOption and InviteOption are FreeAccess, NeedPermission, DisableApply or DisableInvite.
	ApplyOption, InviteOption string
	// MuteAll says that ordinary members may not speak.
	MuteAll bool
	// Custom is a JSON object of the application's own fields.
	Custom string
	// History says whether members read what was said before they joined; see ReadsBefore.
	History History
	// InfoSeq rises with each change of what members read of the group.
	InfoSeq int64
	// Created and Changed are unix seconds.
	Created, Changed int64
	// Cleared is the sequence of the group's chat at and below which members read nothing.
	Cleared int64
}

// Chat names the group's chat.
func (g *Group) Chat() chat.Name { return chat.Name{Kind: chat.Group, Low: g.ID} }

// Audience is whom a push to the group is for: its members' sessions, or where members are not stored, the sessions inside.
func (g *Group) Audience() event.Audience {
	if g.Type.Yes("members.stored") {
		return event.Group(g.ID)
	}
	return event.LiveRoom(g.ID)
}

// Groups is the room's state.
type Groups struct {
	db       *db.DB
	bus      bus.Bus
	chats    *chat.Chats
	accounts *account.Accounts
	devices  *device.Devices
	router   *event.Router
	hooks    *webhook.Webhooks
	log      *slog.Logger
	rules    *Rules
	cache    *cache
	named    *db.Lookup[naming]
	flow     *db.Flow[writing]
	teller   Teller
	parts    []Part
	online   onlineCounts
	counted  *db.Lookup[onlineCount]
	presence Presence
}

// Parts are what the room is built on. Rules may be nil where nobody calls a command.
type Parts struct {
	Rules    *Rules
	DB       *db.DB
	Bus      bus.Bus
	Chats    *chat.Chats
	Accounts *account.Accounts
	Devices  *device.Devices
	Router   *event.Router
	Hooks    *webhook.Webhooks
	Log      *slog.Logger
}

// New makes the room.
func New(p Parts) *Groups {
	g := &Groups{
		db: p.DB, bus: p.Bus, chats: p.Chats, accounts: p.Accounts, devices: p.Devices, router: p.Router, hooks: p.Hooks, log: p.Log,
		rules: p.Rules, presence: nobody{},
	}
	g.cache, g.named, g.flow = newCache(g.now), db.NewLookup(g.findNamed), g.newFlow()
	g.counted = db.NewLookup(g.countOnline)
	return g
}

// Listen has the node hear of groups that other nodes change. It is for the time before commands are served.
func (g *Groups) Listen(context.Context) error {
	if err := g.bus.Subscribe(changedSubject(), g.cache); err != nil {
		return fmt.Errorf("subscribe to group changes: %w", err)
	}
	return nil
}

// Commands is the room's table of contents.
func (g *Groups) Commands() []command.Command {
	return append(
		slices.Concat(g.joinedCommands(), g.decideCommands(), g.pendingCommands(), g.adminsCommands()), g.createCommand(), g.getCommand(), g.selfCommand(), g.publicCommand(), g.setProfileCommand(), g.destroyCommand(),
		g.transferCommand(), g.importCommand(), g.appListCommand(), g.addCommand(), g.removeCommand(), g.quitCommand(), g.joinCommand(),
		g.membersCommand(), g.specifiedCommand(), g.rolesCommand(), g.setMemberCommand(), g.muteCommand(), g.mutedCommand(),
		g.shuttedCommand(), g.importMembersCommand(), g.banCommand(), g.unbanCommand(), g.bannedCommand(), g.onlineCommand(),
	)
}
