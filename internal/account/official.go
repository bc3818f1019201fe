package account

import (
	"context"
	"strings"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// OfficialPrefix begins the names of official accounts that an application chooses, and of those that are drawn. Names that begin as
// it does without its last character are kept for official accounts too.
const OfficialPrefix = "@TOA#_"

// IsOfficial tells an official account's account by its name.
func IsOfficial(userID string) bool {
	return strings.HasPrefix(userID, strings.TrimSuffix(OfficialPrefix, "_"))
}

// Official is the account of an official account as it is made.
type Official struct{ UserID, Name, FaceURL string }

// MakeOfficial makes the account of an official account, in the transaction that makes the official account. The caller has checked
// the fields and that no other has the name; after the commit it calls Changed.
func MakeOfficial(ctx context.Context, tx *db.Tx, app im.AppID, of Official) (im.AccountID, error) {
	if err := insert(tx, app, imported{UserID: of.UserID, Nick: &of.Name, FaceURL: &of.FaceURL}); err != nil {
		return 0, err
	}
	id, err := db.One(ctx, tx, db.Number, `SELECT id FROM account WHERE app_id = $1 AND user_id = $2`, int64(app), of.UserID)
	return im.AccountID(id), err
}

// Taken tells whether there is an account of that name, which was not deleted.
func Taken(ctx context.Context, from db.Source, app im.AppID, userID string) (bool, error) {
	living, err := db.One(ctx, from, db.Number, `SELECT COUNT(*) FROM account WHERE app_id = $1 AND user_id = $2 AND deleted_at = 0`,
		int64(app), userID)
	return living > 0, err
}

// DeleteOfficial deletes the account of an official account as account_delete deletes one, with another participant; ErrUnknown if
// there is no such official account.
func (a *Accounts) DeleteOfficial(ctx context.Context, app *im.App, userID string, also Participant) error {
	if !IsOfficial(userID) {
		return ErrUnknown
	}
	return a.deleteOne(ctx, app, userID, also)
}
