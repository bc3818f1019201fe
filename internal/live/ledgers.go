package live

import (
	"cmp"
	"context"
	"slices"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/live/window"
	"github.com/magpie-im/magpie/internal/wire"
)

type ledgersRequest struct {
	// Seconds is how many of the last whole seconds are added up, 60 at most; 0 is 5.
	Seconds wire.Number `json:"Seconds"`
	// Limit is how many rooms are listed, 200 at most; 0 is 20.
	Limit wire.Number `json:"Limit"`
}

// allSums is what became of the messages of all priorities together.
type allSums struct {
	Received uint64            `json:"Received"`
	Pushed   uint64            `json:"Pushed"`
	Dropped  map[string]uint64 `json:"Dropped"`
	Given    int64             `json:"Given"`
	Skipped  int64             `json:"Skipped"`
}

type roomLedger struct {
	GroupID string  `json:"GroupId"`
	Inside  int64   `json:"InsideNum"`
	Here    int64   `json:"HereNum"`
	Waiting int     `json:"WaitingNum"`
	Recent  allSums `json:"Recent"`
	Total   allSums `json:"Total"`
}

type ledgersReply struct {
	Node    int64        `json:"NodeId"`
	Seconds int64        `json:"Seconds"`
	Rooms   int          `json:"RoomNum"`
	All     allSums      `json:"Recent"`
	List    []roomLedger `json:"LedgerList"`
}

func (l *Rooms) ledgersCommand() command.Command {
	return command.New(command.Spec{
		Service: ledgerService, Name: "list_ledgers", By: command.Administrator, Family: im.FamilyGroup(),
		Doc: "list the live rooms of this node in which most is said", Section: "rest.md#list_ledgers",
	}, l.ledgers)
}

const (
	ledgersSeconds, ledgersSecondsMost = 5, 60
	ledgersLimit, ledgersLimitMost     = 20, 200
)

// ledgers lists the rooms of the application on this node, those first into which most came.
func (l *Rooms) ledgers(_ context.Context, call *command.Call, r *ledgersRequest) (*ledgersReply, error) {
	if r.Seconds < 0 || r.Seconds > ledgersSecondsMost {
		return nil, im.Errorf(im.CodeGroupParameter, "Seconds is %d: want 0 to %d", int64(r.Seconds), ledgersSecondsMost)
	}
	if r.Limit < 0 || r.Limit > ledgersLimitMost {
		return nil, im.Errorf(im.CodeGroupParameter, "Limit is %d: want 0 to %d", int64(r.Limit), ledgersLimitMost)
	}
	reply := &ledgersReply{Node: l.node(), Seconds: cmp.Or(int64(r.Seconds), ledgersSeconds), List: []roomLedger{}}
	now := l.clock.Now().Unix()
	var all window.Sums
	for _, one := range l.all() {
		if ledger, recent, of := one.ledger(now-reply.Seconds, now); of == call.App.ID {
			reply.List = append(reply.List, l.everywhere(ledger, one.id))
			all.Add(recent)
		}
	}
	reply.Rooms, reply.All = len(reply.List), allOf(all)
	slices.SortFunc(reply.List, func(x, y roomLedger) int {
		return cmp.Or(cmp.Compare(y.Recent.Received, x.Recent.Received), cmp.Compare(y.Inside, x.Inside), cmp.Compare(x.GroupID, y.GroupID))
	})
	reply.List = reply.List[:min(len(reply.List), cmp.Or(int(r.Limit), ledgersLimit))]
	return reply, nil
}

// everywhere adds those who are inside on other nodes.
func (l *Rooms) everywhere(of roomLedger, id int64) roomLedger {
	of.Inside = l.online(id, of.Here)
	return of
}

// ledger gives the room's sums in the seconds from one up to, and without, another, and the application that it is of.
func (r *room) ledger(from, to int64) (ledger roomLedger, recent window.Sums, of im.AppID) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for _, second := range r.window.Since(from) {
		if second.At < to {
			recent.Add(second.All())
		}
	}
	ledger = roomLedger{
		GroupID: r.groupID, Here: r.counted(), Waiting: r.window.Waiting(), Recent: allOf(recent),
		Total: allOf(r.window.Total().All()),
	}
	return ledger, recent, r.app.ID
}

func allOf(s window.Sums) allSums {
	return allSums{Received: s.Received, Pushed: s.Pushed, Dropped: droppedOf(&s), Given: s.Given, Skipped: s.Skipped}
}

// droppedOf is how many were dropped, by the names of the reasons.
func droppedOf(s *window.Sums) map[string]uint64 {
	dropped := map[string]uint64{}
	for _, why := range window.Reasons() {
		dropped[why.String()] = s.Dropped[why]
	}
	return dropped
}
