package relation

import (
	"context"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// blockedBy tells which of the accounts are on an account's blocklist.
func blockedBy(ctx context.Context, from db.Source, owner im.AccountID, ids []im.AccountID) (map[im.AccountID]bool, error) {
	return flags(ctx, from, blockedQuery, owner, ids)
}

// blockersOf tells which of the accounts have an account on their blocklists.
func blockersOf(ctx context.Context, from db.Source, who im.AccountID, ids []im.AccountID) (map[im.AccountID]bool, error) {
	return flags(ctx, from, blockersQuery, who, ids)
}

const (
	blockedQuery  = `SELECT blocked_id FROM block WHERE owner_id = $1 AND blocked_id IN ($2...)`
	blockersQuery = `SELECT owner_id FROM block WHERE blocked_id = $1 AND owner_id IN ($2...)`
)
