package send

import (
	"bytes"
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/db"
)

// Bundles are what merged messages hold that are too large to carry it. A higher room keeps them.
type Bundles interface {
	// Sent is told of bodies that carry keys of bundles, in the transaction that stores them: what is sent is needed from now on.
	Sent(ctx context.Context, tx *db.Tx, bodies [][]byte) error
}

// carriesKey is in the normal form of every body that carries the key of a bundle.
const carriesKey = `"JsonMsgKey":"`

// keepBundles tells of those drafts that the transaction has stored with keys of bundles.
func (l *Line[D]) keepBundles(tx *db.Tx, drafts []*chat.Draft) error {
	if l.Bundles == nil {
		return nil
	}
	var carrying [][]byte
	for _, d := range drafts {
		if !d.Duplicate && bytes.Contains(d.Body, []byte(carriesKey)) {
			carrying = append(carrying, d.Body)
		}
	}
	if len(carrying) == 0 {
		return nil
	}
	if err := l.Bundles.Sent(context.Background(), tx, carrying); err != nil {
		return fmt.Errorf("keep bundles: %w", err)
	}
	return nil
}
