// Package live is the live rooms: groups of the types whose members and messages are not stored. Who is inside is in the memory
// of the node of his session; what is said is pushed in windows, under a rate, and kept nowhere.
//
// What a type allows is the group room's table, who may speak the groupmessage room's rules. What is pushed and what dropped the
// window decides, which does not know the wire; who gets a push the doors know.
package live

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/clock"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/groupmessage"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/live/window"
	"github.com/magpie-im/magpie/internal/webhook"
)

const (
	service     = "group_open_http_svc"
	liveService = "group_open_avchatroom_http_svc" // of what no other type has
)

// Rooms is the live rooms of one node.
type Rooms struct {
	db       *db.DB
	bus      bus.Bus
	clock    *clock.Clock
	groups   *group.Groups
	messages *groupmessage.GroupMessages
	accounts *account.Accounts
	router   *event.Router
	hooks    *webhook.Webhooks
	log      *slog.Logger
	node     func() int64
	walker   Walker

	mutex  sync.RWMutex
	rooms  map[int64]*room
	former window.Account // of the rooms that were let go and are not in past
	past   map[int64]window.Account
	agenda agenda
	others others
	kept   atomic.Int64 // the bytes of all backlogs
	alone  bool         // there are no other nodes: the bus is in memory

	whereabouts whereabouts
	origins     origins
	stays       stays
	polls       polls
	broadcasts  broadcastLog
	toSay       chan *broadcast

	after chan func(context.Context)
	crew  sync.WaitGroup
}

// Parts are what the room is built on.
type Parts struct {
	DB       *db.DB
	Bus      bus.Bus
	Clock    *clock.Clock
	Groups   *group.Groups
	Messages *groupmessage.GroupMessages
	Accounts *account.Accounts
	Router   *event.Router
	Hooks    *webhook.Webhooks
	Log      *slog.Logger
	// Node is this node's number among those of the service.
	Node func() int64
}

// afterMost is how much of what follows a window waits at most.
const afterMost = 1024

// New makes the room.
func New(p Parts) *Rooms {
	l := &Rooms{
		db: p.DB, bus: p.Bus, clock: p.Clock, groups: p.Groups, messages: p.Messages, accounts: p.Accounts, router: p.Router,
		hooks: p.Hooks, log: p.Log, node: p.Node, walker: still{},
		rooms: map[int64]*room{}, past: map[int64]window.Account{}, after: make(chan func(context.Context), afterMost),
		toSay: make(chan *broadcast, toSayMost),
	}
	l.agenda.wake = make(chan struct{}, 1)
	l.origins.counts = map[origin]int{}
	l.polls.rooms, l.polls.wake = map[*room]struct{}{}, make(chan struct{}, 1)
	l.others.rooms, l.others.askers = map[int64]map[int64]elsewhere{}, askers{}
	l.others.came = map[int64]map[int64]cameElsewhere{}
	_, l.alone = p.Bus.(*bus.Memory)
	return l
}

// Walker takes pushes round those inside. The door fills it in.
type Walker interface {
	// Walking reports whether a push to a live room is going round still.
	Walking(room bus.Subject) bool
	// WalkHere takes a push round those on this node alone. It may wait for other pushes.
	WalkHere(room bus.Subject, push []byte)
}

// still is a Walker that takes no time.
type still struct{}

func (still) Walking(bus.Subject) bool { return false }

func (still) WalkHere(bus.Subject, []byte) {}

// PaceBy has windows wait for pushes that are going round. It is for the time before commands are served.
func (l *Rooms) PaceBy(w Walker) { l.walker = w }

// Listen has the node hear who is inside on other nodes. It is for the time before commands are served.
func (l *Rooms) Listen(context.Context) error {
	if err := l.bus.Subscribe(bus.Subject{Kind: bus.KindPresence}, l); err != nil {
		return fmt.Errorf("subscribe to who is inside: %w", err)
	}
	return nil
}

// Commands is the room's table of contents.
func (l *Rooms) Commands() []command.Command {
	return append(
		l.robotCommands(),
		l.membersCommand(), l.checkCommand(), l.markCommand(), l.guestJoinCommand(), l.pollCommand(), l.broadcastCommand(), l.ledgerCommand(),
		l.ledgersCommand(), l.limitsCommand(),
	)
}

// RemoveApp removes what the room keeps of an application: its part in the removal, an app.Part.
func (l *Rooms) RemoveApp(_ context.Context, tx *db.Tx, of im.AppID, _ int64) (next int64, err error) {
	const most = 500
	removed, err := tx.Exec(`DELETE FROM live_room WHERE group_id IN (SELECT group_id FROM live_room WHERE app_id = $1 ORDER BY group_id LIMIT $2)`,
		int64(of), most)
	if removed == most {
		return 1, err
	}
	return 0, err
}
