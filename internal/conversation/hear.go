package conversation

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
)

// Hearing gives how accounts hear of what a peer says, as those that chose it; who is not there is told of it all.
func (c *Conversations) Hearing(ctx context.Context, from db.Source, peer im.AccountID, owners []im.AccountID) (map[im.AccountID]group.Receive, error) {
	chosen := map[im.AccountID]group.Receive{}
	err := db.Each(ctx, from, func(row db.Scanner) error {
		var (
			owner im.AccountID
			how   receiveOption
		)
		err := row(&owner, &how)
		switch how {
		case receiveNothing:
			chosen[owner] = group.Discard
		case receiveSilently:
			chosen[owner] = group.AcceptNotNotify
		case receiveAll, receiveMentions:
			chosen[owner] = group.AcceptAndNotify
		}
		return err
	}, `SELECT owner_id, receive FROM choice WHERE kind = $1 AND peer_id = $2 AND owner_id IN ($3...)`,
		int64(chat.OneToOne), int64(peer), db.Ints(owners))
	if err != nil {
		return nil, fmt.Errorf("read how accounts hear of a peer: %w", err)
	}
	return chosen, nil
}
