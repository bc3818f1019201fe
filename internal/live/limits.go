package live

import (
	"context"
	"fmt"
	"time"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/live/window"
	"github.com/magpie-im/magpie/internal/wire"
)

// A back end may choose for one room what an operator chooses for all of an application. It is stored; a node reads it with the
// first call for the room, when another node says that it changed, and once a minute of those in which there are calls.

// limits is what was chosen for a room. A member that is unset is the application's.
type limits struct {
	perSecond, high, late int
	known                 bool      // it was read once; if not, all is the application's
	read                  time.Time // zero: it has to be read
}

// unset is a limit that nobody chose for the room.
const unset = -1

// limitsFor is how long a node believes what it has read.
const limitsFor = time.Minute

// or is the limit, or what the application has.
func or(chosen, of int) int {
	if chosen == unset {
		return of
	}
	return chosen
}

// rate bounds what this node pushes into the room; the caller holds the mutex.
func (r *room) rate() window.Rate {
	of := rateOf(r.app)
	if r.limits.known {
		of = window.Rate{PerSecond: or(r.limits.perSecond, of.PerSecond), Reserved: or(r.limits.high, of.Reserved)}
	}
	return r.share.of(of)
}

// late is how many messages who comes late is given; the caller holds the mutex.
func (r *room) late() int {
	if !r.limits.known {
		return backlogOf.Of(r.app)
	}
	return or(r.limits.late, backlogOf.Of(r.app))
}

// limit has the room know its limits.
func (l *Rooms) limit(ctx context.Context, r *room) error {
	now := l.clock.Now()
	r.mutex.Lock()
	fresh := r.limits.known && now.Sub(r.limits.read) < limitsFor
	r.mutex.Unlock()
	if fresh {
		return nil
	}
	found, err := readLimits(ctx, l.db, r.id)
	if err != nil {
		return err
	}
	found.read, found.known = now, true
	r.mutex.Lock()
	r.limits = found
	r.mutex.Unlock()
	return nil
}

// readLimits reads what is chosen for a room.
func readLimits(ctx context.Context, from db.Source, id int64) (limits, error) {
	found, err := db.All(ctx, from, func(row db.Scanner) (one limits, err error) {
		return one, row(&one.perSecond, &one.high, &one.late)
	}, `SELECT message_rate, high_rate, backlog FROM live_room WHERE group_id = $1`, id)
	if err != nil {
		return limits{}, fmt.Errorf("read a live room's limits: %w", err)
	}
	if len(found) == 0 {
		return limits{perSecond: unset, high: unset, late: unset}, nil
	}
	return found[0], nil
}

// changed has the limits read anew, as another node changed them.
func (l *Rooms) changed(id int64) {
	if r := l.find(id); r != nil {
		r.mutex.Lock()
		defer r.mutex.Unlock()
		r.limits.read = time.Time{}
	}
}

type limitsRequest struct {
	GroupID string       `json:"GroupId"`
	Rate    *wire.Number `json:"MessageRate"`
	High    *wire.Number `json:"HighRate"`
	Late    *wire.Number `json:"Backlog"`
}

// limitsReply is what holds for the room, and beside it what was chosen for it; -1 is nothing.
type limitsReply struct {
	Rate   int          `json:"MessageRate"`
	High   int          `json:"HighRate"`
	Late   int          `json:"Backlog"`
	Chosen chosenLimits `json:"Chosen"`
}

type chosenLimits struct {
	Rate int `json:"MessageRate"`
	High int `json:"HighRate"`
	Late int `json:"Backlog"`
}

func (l *Rooms) limitsCommand() command.Command {
	return command.New(command.Spec{
		Service: ledgerService, Name: "set_limits", By: command.Administrator, Family: im.FamilyGroup(),
		Doc: "choose limits of one live room, or read them", Section: "rest.md#set_limits",
	}, l.setLimits)
}

// setLimits changes what the request gives, and answers with all.
func (l *Rooms) setLimits(ctx context.Context, call *command.Call, q *limitsRequest) (*limitsReply, error) {
	of, err := l.liveRoom(ctx, call, q.GroupID)
	if err != nil {
		return nil, err
	}
	for _, one := range []struct {
		name   string
		of     *wire.Number
		lowest int64
		most   int64
	}{{"MessageRate", q.Rate, 1, rateMost}, {"HighRate", q.High, 0, rateMost}, {"Backlog", q.Late, 0, backlogMost}} {
		if one.of != nil && *one.of != unset && (int64(*one.of) < one.lowest || int64(*one.of) > one.most) {
			return nil, im.Errorf(im.CodeGroupParameter, "%s is %d: want %d to %d, or -1", one.name, int64(*one.of), one.lowest, one.most)
		}
	}
	r := l.open(call.App, of)
	if q.Rate != nil || q.High != nil || q.Late != nil {
		if err := l.storeLimits(ctx, of, q); err != nil {
			return nil, err
		}
		l.changed(of.ID)
		l.publish(&presence{Node: l.node(), Changed: of.ID})
	}
	if err := l.limit(ctx, r); err != nil {
		return nil, err
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	now := r.rate()
	return &limitsReply{now.PerSecond, now.Reserved, r.late(), chosenLimits{r.limits.perSecond, r.limits.high, r.limits.late}}, nil
}

// storeLimits stores what the request gives, of a group that is there still.
func (l *Rooms) storeLimits(ctx context.Context, of *group.Group, q *limitsRequest) error {
	return l.db.Write(ctx, func(tx *db.Tx) error {
		groups, err := l.groups.Read(ctx, tx, of.App, []string{of.GroupID})
		if err != nil {
			return err
		}
		if now := groups[of.GroupID]; now == nil || now.ID != of.ID {
			return group.ErrUnknown(of.GroupID)
		}
		found, err := readLimits(ctx, tx, of.ID)
		if err != nil {
			return err
		}
		for _, one := range []struct {
			of *wire.Number
			to *int
		}{{q.Rate, &found.perSecond}, {q.High, &found.high}, {q.Late, &found.late}} {
			if one.of != nil {
				*one.to = int(*one.of)
			}
		}
		_, err = tx.Exec(`INSERT INTO live_room (group_id, app_id, sequence, message_rate, high_rate, backlog) VALUES ($1, $2, 0, $3, $4, $5)
			ON CONFLICT (group_id) DO UPDATE SET message_rate = $3, high_rate = $4, backlog = $5`,
			of.ID, int64(of.App), found.perSecond, found.high, found.late)
		return err
	})
}
