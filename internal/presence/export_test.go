package presence

import (
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// MarkAway notes that an account has been away since a unix millisecond, as tidy found it.
func MarkAway(tx *db.Tx, of im.AccountID, since int64) error {
	return markAway(tx, []gone{{of, since}})
}
