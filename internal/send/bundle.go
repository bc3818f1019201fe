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

// KeepBundles tells of those bodies that carry keys of bundles. It is for the transaction that stores them.
func (l *Line[D]) KeepBundles(ctx context.Context, tx *db.Tx, bodies ...[]byte) error {
	if l.Bundles == nil {
		return nil
	}
	var carrying [][]byte
	for _, body := range bodies {
		if bytes.Contains(body, []byte(carriesKey)) {
			carrying = append(carrying, body)
		}
	}
	if len(carrying) == 0 {
		return nil
	}
	if err := l.Bundles.Sent(ctx, tx, carrying); err != nil {
		return fmt.Errorf("keep bundles: %w", err)
	}
	return nil
}

// KeepBundlesOf is KeepBundles of drafts, but for repeats.
func (l *Line[D]) KeepBundlesOf(ctx context.Context, tx *db.Tx, drafts []*chat.Draft) error {
	bodies := make([][]byte, 0, len(drafts))
	for _, d := range drafts {
		if !d.Duplicate {
			bodies = append(bodies, d.Body)
		}
	}
	return l.KeepBundles(ctx, tx, bodies...)
}
