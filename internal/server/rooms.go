package server

import (
	"context"
	"log/slog"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/app"
	"github.com/magpie-im/magpie/internal/bundle"
	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/chat/annotate"
	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/conversation"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/device"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/file"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/group/attribute"
	"github.com/magpie-im/magpie/internal/groupmessage"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/live"
	"github.com/magpie-im/magpie/internal/message"
	"github.com/magpie-im/magpie/internal/mute"
	"github.com/magpie-im/magpie/internal/official"
	"github.com/magpie-im/magpie/internal/presence"
	"github.com/magpie-im/magpie/internal/profile"
	"github.com/magpie-im/magpie/internal/relation"
	"github.com/magpie-im/magpie/internal/retention"
	"github.com/magpie-im/magpie/internal/robot"
	"github.com/magpie-im/magpie/internal/sdk"
	"github.com/magpie-im/magpie/internal/send"
	"github.com/magpie-im/magpie/internal/setting"
	"github.com/magpie-im/magpie/internal/webhook"
	"github.com/magpie-im/magpie/internal/webhook/outbox"
)

// ground is what the rooms stand on.
type ground struct {
	db       *db.DB
	bus      bus.Bus
	router   *event.Router
	hooks    *webhook.Webhooks
	outbox   *outbox.Outbox
	apps     *app.Apps
	accounts *account.Accounts
	devices  *device.Devices
	presence *presence.Presences
	mutes    *mute.Mutes
	files    *file.Files
	rules    *group.Rules
	log      *slog.Logger
	clock    *clock.Clock
	features func() string
}

// rooms are those of one node.
type rooms struct {
	ground

	profiles      *profile.Profiles
	relations     *relation.Relations
	chats         *chat.Chats
	attached      *annotate.Annotations
	groups        *group.Groups
	attributes    *attribute.Attributes
	groupMessages *groupmessage.GroupMessages
	lives         *live.Rooms
	messages      *message.Messages
	bundles       *bundle.Bundles
	conversations *conversation.Conversations
	robots        *robot.Robots
	officials     *official.Officials
	retention     *retention.Retention
}

// openRooms builds the rooms; for the declarations alone, on parts that are empty.
func openRooms(on ground) *rooms {
	r := &rooms{ground: on}
	r.profiles = profile.New(on.db, on.accounts, on.hooks)
	r.relations = relation.New(relation.Parts{
		DB: on.db, Accounts: on.accounts, Profiles: r.profiles, Router: on.router, Hooks: on.hooks, Log: on.log,
	})
	r.profiles.ToldTo(r.relations)
	r.chats = chat.New(on.db)
	r.attached = annotate.New(annotate.Parts{
		DB: on.db, Chats: r.chats, Accounts: on.accounts, Router: on.router, Hooks: on.hooks, Log: on.log,
	})
	r.bundles = bundle.New(on.db)
	r.openGroups()
	r.messages = message.New(message.Parts{
		DB: on.db, Chats: r.chats, Attached: r.attached, Accounts: on.accounts, Router: on.router, Hooks: on.hooks, Log: on.log,
		Notified: r.groupMessages, Gate: r.relations,
		Mutes: on.mutes.OneToOne(), Bundles: r.bundles,
	})
	r.conversations = conversation.New(conversation.Parts{
		DB: on.db, Chats: r.chats, Groups: r.groups, Accounts: on.accounts, Router: on.router, Hooks: on.hooks, Log: on.log,
		Messages: r.messages, GroupMessages: r.groupMessages, Remarks: r.relations,
	})
	r.robots = robot.New(on.accounts, r.profiles, r.messages, r.groupMessages, on.clock)
	r.officials = official.New(official.Parts{
		DB: on.db, Chats: r.chats, Accounts: on.accounts, Messages: r.messages, Conversations: r.conversations, Router: on.router,
		Hooks: on.hooks, Log: on.log,
	})
	r.retention = retention.New(retention.Parts{DB: on.db, Chats: r.chats, Attached: r.attached, Bundles: r.bundles, Log: on.log})
	return r
}

func (r *rooms) openGroups() {
	on := r.ground
	r.groups = group.New(group.Parts{
		Rules: on.rules, DB: on.db, Bus: on.bus, Chats: r.chats, Accounts: on.accounts, Devices: on.devices, Router: on.router,
		Hooks: on.hooks, Log: on.log,
	})
	r.attributes = attribute.New(attribute.Parts{DB: on.db, Groups: r.groups, Router: on.router, Hooks: on.hooks, Log: on.log})
	r.groupMessages = groupmessage.New(groupmessage.Parts{
		DB: on.db, Chats: r.chats, Groups: r.groups, Attached: r.attached, Accounts: on.accounts, Router: on.router, Hooks: on.hooks,
		Log:   on.log,
		Mutes: on.mutes.Groups(), Bundles: r.bundles,
	})
	r.lives = openLive(on, r.groups, r.groupMessages)
	r.groups.OnEnd(r.attributes.Remove)
}

// openLive builds live rooms upon groups, and has these and their messages act upon live rooms.
func openLive(on ground, groups *group.Groups, messages *groupmessage.GroupMessages) *live.Rooms {
	lives := live.New(live.Parts{
		DB: on.db, Bus: on.bus, Clock: on.clock, Groups: groups, Messages: messages, Accounts: on.accounts, Router: on.router,
		Hooks: on.hooks, Log: on.log, Node: func() int64 { return on.devices.Node() },
	})
	groups.PresentBy(lives)
	messages.LiveBy(lives)
	groups.TellBy(lives.Beside(messages))
	return lives
}

// joined are the groups and official accounts in whose audiences an account's devices are, by their numbers.
func (r *rooms) joined(ctx context.Context, of im.AccountID) ([]int64, error) {
	groups, err := r.groups.Joined(ctx, r.db, of)
	if err != nil {
		return nil, err
	}
	officials, err := r.officials.Joined(ctx, r.db, of)
	return append(groups, officials...), err
}

// commands are those that the doors serve.
func (r *rooms) commands() [][]command.Command {
	return [][]command.Command{
		r.outbox.Commands(),
		r.apps.Commands(),
		r.accounts.Commands(),
		r.presence.Commands(),
		r.mutes.Commands(),
		r.files.Commands(),
		r.profiles.Commands(),
		r.relations.Commands(),
		r.groups.Commands(),
		r.attributes.Commands(),
		r.messages.Commands(),
		r.bundles.Commands(),
		r.groupMessages.Commands(),
		r.lives.Commands(),
		r.attached.Commands(r.messages.Annotated(), r.groupMessages.Annotated()),
		r.conversations.Commands(),
		r.robots.Commands(),
		r.officials.Commands(),
		sdk.Commands(r.features, file.ClientLimits),
	}
}

// webhooks are the callbacks that rooms declare.
func (r *rooms) webhooks() [][]webhook.Declaration {
	return [][]webhook.Declaration{
		r.devices.Webhooks(),
		r.profiles.Webhooks(),
		r.relations.Webhooks(),
		r.groups.Webhooks(),
		r.attributes.Webhooks(),
		r.messages.Webhooks(),
		r.groupMessages.Webhooks(),
		r.lives.Webhooks(),
		r.conversations.Webhooks(),
		r.officials.Webhooks(),
	}
}

// settings are what an operator may choose in the rooms.
func (r *rooms) settings() [][]setting.Declaration {
	return [][]setting.Declaration{
		r.devices.Settings(),
		r.presence.Settings(),
		r.files.Settings(),
		r.accounts.Settings(),
		r.profiles.Settings(),
		r.relations.Settings(),
		r.groups.Settings(),
		r.attributes.Settings(),
		send.Settings(),
		r.bundles.Settings(),
		r.retention.Settings(),
		r.groupMessages.Settings(),
		r.lives.Settings(),
		r.attached.Settings(),
		r.conversations.Settings(),
		r.officials.Settings(),
		r.hooks.Settings(),
		command.Settings(),
	}
}

// events are what the rooms push.
func (r *rooms) events() [][]event.Declared {
	return [][]event.Declared{
		r.accounts.Events(),
		r.relations.Events(),
		r.presence.Events(),
		r.attributes.Events(),
		r.messages.Events(),
		r.groupMessages.Events(),
		r.lives.Events(),
		r.attached.Events(),
		r.conversations.Events(),
		event.Events(),
	}
}

// onKick are the rooms' parts in the end of an account's logins.
func (r *rooms) onKick() []account.Participant { return []account.Participant{r.devices.EndAll} }

// onDelete are the rooms' parts in an account's end, in the order in which they lock its rows.
func (r *rooms) onDelete() []account.Participant {
	return []account.Participant{
		r.devices.EndAll,
		r.presence.OnDelete,
		r.mutes.OnDelete,
		r.profiles.OnDelete,
		r.relations.OnDelete,
		r.groups.OnDelete,
		r.messages.OnDelete,
		r.groupMessages.OnDelete,
		r.conversations.OnDelete,
		r.officials.OnDelete,
		r.attached.OnDelete,
	}
}

// onRemove are the rooms' parts in the removal of an application, in their order.
func (r *rooms) onRemove() []app.Part {
	return []app.Part{
		r.outbox.RemoveApp,
		r.groups.RemoveApp,
		r.lives.RemoveApp,
		r.bundles.RemoveApp,
		r.retention.RemoveApp,
		r.attached.RemoveApp,
		r.chats.RemoveApp,
		r.files.RemoveApp,
		account.RemoveApp(
			r.devices.RemoveOf,
			r.presence.RemoveOf,
			r.mutes.RemoveOf,
			r.profiles.RemoveOf,
			r.relations.RemoveOf,
			r.officials.RemoveOf,
			r.chats.RemoveOf,
			r.groupMessages.RemoveOf,
			r.conversations.RemoveOf,
		),
	}
}

// prepare are what rooms do before a node serves.
func (r *rooms) prepare() []func(context.Context) error {
	return []func(context.Context) error{
		r.outbox.GoOn,
		r.mutes.Load,
		r.chats.LoadKnown,
		r.groups.Listen,
		r.lives.Listen,
		r.relations.FinishLeaving,
	}
}
