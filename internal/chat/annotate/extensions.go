package annotate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/wire"
)

// readExtensions reads the extensions of a message by their names, deleted ones too.
func readExtensions(ctx context.Context, from db.Source, message int64) (map[string]Extension, error) {
	known := map[string]Extension{}
	err := db.Each(ctx, from, func(scan db.Scanner) error {
		one, err := scanExtension(scan)
		known[one.Name] = one
		return err
	}, `SELECT name, value, seq FROM extension WHERE message_id = $1`, message)
	if err != nil {
		return nil, fmt.Errorf("read extensions: %w", err)
	}
	return known, nil
}

func scanExtension(scan db.Scanner) (one Extension, err error) {
	return one, scan(&one.Name, &one.Value, &one.Seq)
}

// mostDeleted bounds the names of deleted extensions that a message keeps.
const mostDeleted = mostExtensions

// dropDeleted forgets which extensions were deleted longest ago, where there are too many.
func dropDeleted(tx *db.Tx, message int64, known map[string]Extension) error {
	var deleted []Extension
	for _, one := range known {
		if one.Value == "" && one.Seq > 0 {
			deleted = append(deleted, one)
		}
	}
	if len(deleted) <= mostDeleted {
		return nil
	}
	slices.SortFunc(deleted, func(x, y Extension) int { return cmp.Compare(x.Seq, y.Seq) })
	names := make([]string, 0, len(deleted)-mostDeleted)
	for _, one := range deleted[:len(deleted)-mostDeleted] {
		names = append(names, one.Name)
	}
	_, err := tx.Exec(`DELETE FROM extension WHERE message_id = $1 AND name IN ($2...)`, message, db.Texts(names))
	return err
}

// countersOf reads what a message's row says of its extensions; zero where nothing is attached.
func countersOf(ctx context.Context, from db.Source, message int64) (extensionCounters, error) {
	found, err := db.One(ctx, from, func(scan db.Scanner) (c extensionCounters, err error) { return c, scan(&c.seq, &c.cleared) },
		`SELECT ext_seq, ext_cleared FROM annotation WHERE message_id = $1`, message)
	if errors.Is(err, db.ErrNotFound) {
		return extensionCounters{}, nil
	}
	return found, err
}

// extensionsRequest asks for what was written since; a client and a back end spell it differently.
type extensionsRequest struct {
	Naming
	Start       wire.Number `json:"StartSeq"`
	ClientStart wire.Number `json:"startSeq"`
}

type extensionsReply struct {
	List     []Extension `json:"ExtensionList"`
	Complete wire.Bool   `json:"CompleteFlag"`
	Latest   int64       `json:"LatestSeq"`
	Cleared  int64       `json:"ClearSeq"`
}

// mostExtensionsAPage bounds one reply, by the interface.
const mostExtensionsAPage = 200

// extensions answers with what was written at a number or later, in that order. Whoever asks from the beginning is not told of
// what was deleted.
func (a *Annotations) extensions(ctx context.Context, k Kind, call *command.Call, r *extensionsRequest) (*extensionsReply, error) {
	if err := mayExtend(call); err != nil {
		return nil, err
	}
	at, err := k.Open(ctx, callerOf(call, extensionFeature), &r.Naming)
	if err != nil {
		return nil, err
	}
	reply := &extensionsReply{}
	err = a.DB.InSnapshot(ctx, func(from *db.Snapshot) error {
		m, err := a.extendable(ctx, from, at, &r.Naming)
		if err != nil {
			return err
		}
		counters, err := countersOf(ctx, from, m.ID)
		if err != nil {
			return err
		}
		reply.Latest, reply.Cleared = counters.seq, counters.cleared
		start := int64(max(r.Start, r.ClientStart, 0))
		reply.List, err = db.All(ctx, from, scanExtension, `SELECT name, value, seq FROM extension
			WHERE message_id = $1 AND seq >= $2 AND ($2 > 0 OR value <> '') ORDER BY seq LIMIT $3`, m.ID, start, mostExtensionsAPage+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	reply.Complete = len(reply.List) <= mostExtensionsAPage
	reply.List = append([]Extension{}, reply.List[:min(len(reply.List), mostExtensionsAPage)]...)
	return reply, nil
}

// announceExtensions tells those who see the message, all but the acting device, what its extensions say now, of those that were
// changed: another change may have come meanwhile, and tells of its own.
func (a *Annotations) announceExtensions(ctx context.Context, e *extending) {
	known, err := e.at.Known(ctx, e.message)
	if err != nil {
		a.warn(e.message.Chat, err)
		return
	}
	told, err := e.at.Told(ctx, e.message)
	if err != nil {
		a.warn(e.message.Chat, err)
		return
	}
	for i := range told {
		told[i] = told[i].Except(e.call.Device)
	}
	news := extensionEvent{Change: int(e.operation), OneToOne: known.OneToOne, Group: known.Group, TinyID: known.tinyID()}
	a.Tell(e.message.Chat, func() {
		if changed, err := a.news(ctx, e, &news); err != nil || !changed {
			a.warn(e.message.Chat, err)
			return
		}
		a.push(e.message.Chat, newExtensions.Of(news), told...)
	})
}

func (k *Known) tinyID() string {
	if k.OneToOne != nil {
		return k.OneToOne.TinyID
	}
	return k.Group.TinyID
}

// news reads what is to be told, and whether there is anything.
func (a *Annotations) news(ctx context.Context, e *extending, into *extensionEvent) (bool, error) {
	counters, err := countersOf(ctx, a.DB, e.message.ID)
	if err != nil {
		return false, err
	}
	into.Seq = counters.seq
	if e.operation == ClearExtensions {
		into.Cleared = []extensionsNews{{[]Extension{}, counters.cleared}}
		return true, nil
	}
	now, err := readExtensions(ctx, a.DB, e.message.ID)
	var list []Extension
	for _, one := range e.changed {
		if as, there := now[one.Name]; there && (as.Value == "") == (one.Value == "") {
			list = append(list, as)
		}
	}
	some := []extensionsNews{{list, counters.cleared}}
	if e.operation == SetExtensions {
		into.Set = some
	} else {
		into.Deleted = some
	}
	return len(list) > 0, err
}
