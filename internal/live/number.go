package live

import (
	"context"
	"fmt"
	"time"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/group"
)

// Every message and tip of a live room has a number of its own, MsgSeq, by which clients know what they have already. Nodes take
// them from the store in blocks, so that no two give the same one, whatever happens to a node; a restart leaves a gap.

const (
	// fillWithin bounds how long what nobody waits for may wait for the store.
	fillWithin = 10 * time.Second
	blockSize  = 200
	// blockLeft is how many numbers are left when the next block is taken.
	blockLeft = 50
)

// numbers are those that this node may give in one room.
type numbers struct {
	blocks  []block
	filling bool
}

type block struct{ next, last int64 }

// left is how many numbers the node has; the room's mutex is held.
func (n *numbers) left() (left int64) {
	for _, b := range n.blocks {
		left += b.last - b.next + 1
	}
	return left
}

// draw gives the next number; 0: the node has none. The room's mutex is held.
func (n *numbers) draw() (number int64) {
	for len(n.blocks) > 0 && n.blocks[0].next > n.blocks[0].last {
		n.blocks = n.blocks[1:]
	}
	if len(n.blocks) == 0 {
		return 0
	}
	number = n.blocks[0].next
	n.blocks[0].next++
	return number
}

// refill takes more numbers if few are left, beside what else is done. The room's mutex is held.
func (l *Rooms) refill(r *room) {
	if r.ended || r.numbers.filling || r.numbers.left() >= blockLeft {
		return
	}
	r.numbers.filling = true
	l.crew.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), fillWithin)
		defer cancel()
		err := l.fill(ctx, r)
		if err != nil {
			l.warn(r.id, "take numbers for a live room", err)
		}
		l.note(r, func(n *news) {
			r.numbers.filling, n.waits = false, false
			if err != nil {
				n.tipped = l.clock.Now() // it is tried again after a while
			}
		})
	})
}

// number draws a number, and waits for the store if the node has none.
func (l *Rooms) number(ctx context.Context, r *room) (int64, error) {
	for {
		r.mutex.Lock()
		number := r.numbers.draw()
		if number > 0 {
			l.refill(r) //nolint:contextcheck // it outlives the call
		}
		r.mutex.Unlock()
		if number > 0 {
			return number, nil
		}
		if err := l.fill(ctx, r); err != nil {
			return 0, err
		}
	}
}

// fill takes a block from the store.
func (l *Rooms) fill(ctx context.Context, r *room) error {
	r.mutex.Lock()
	of, ended := r.group, r.ended
	r.mutex.Unlock()
	if ended { // a row that is written now would stay
		return group.ErrUnknown(of.GroupID)
	}
	var last int64
	err := l.db.Write(ctx, func(tx *db.Tx) error {
		return tx.Returning(func(row db.Scanner) error { return row(&last) },
			`INSERT INTO live_room (group_id, app_id, sequence) VALUES ($1, $2, $3)
			ON CONFLICT (group_id) DO UPDATE SET sequence = live_room.sequence + $3 RETURNING sequence`, r.id, int64(of.App), int64(blockSize))
	})
	if err != nil {
		return fmt.Errorf("take numbers: %w", err)
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.numbers.blocks = append(r.numbers.blocks, block{last - blockSize + 1, last})
	return nil
}

// lastNumber takes what the store has of a room that ends, and gives the number of the last that is said in it.
func lastNumber(tx *db.Tx, id int64) (int64, error) {
	taken := int64(0)
	err := tx.Returning(func(row db.Scanner) error { return row(&taken) }, `DELETE FROM live_room WHERE group_id = $1 RETURNING sequence`, id)
	return taken + 1, err
}
