package account

import (
	"context"
	"fmt"
	"strings"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

const service = "im_open_login_svc"

// slowRate is the documented rate of the batch commands.
const slowRate = 100

// imported is an account as a back end gives it. A nil or empty Nick or FaceURL leaves the account's own: typed languages
// send an empty text for fields that they were not given.
type imported struct {
	UserID  string  `json:"UserID"`
	Nick    *string `json:"Nick"`
	FaceURL *string `json:"FaceUrl"`
}

type importRequest struct {
	imported
	Identifier string `json:"Identifier"` // UserID's older name
}

func (a *Accounts) importCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "account_import", By: command.Administrator, Family: im.FamilyAccount(),
		Doc: "import one account", Section: "rest.md#account_import",
	}, a.importOne)
}

func (a *Accounts) importOne(ctx context.Context, call *command.Call, r *importRequest) (*command.None, error) {
	one := r.imported
	if one.UserID == "" {
		one.UserID = r.Identifier
	}
	if err := one.check(); err != nil {
		return nil, err
	}
	return nil, a.importAll(ctx, call.App.ID, []imported{one})
}

// check refuses names that no account may have. Robots and official accounts have their own commands.
func (i *imported) check() error {
	switch {
	case !im.ValidUserID(i.UserID):
		return im.Errorf(im.CodeAccountParameter, "UserID %.40q: want 1 to %d bytes without control characters",
			i.UserID, im.MaxUserIDBytes)
	case reserved(i.UserID):
		return im.Errorf(im.CodeAccountParameter, "UserID %q: the prefix is reserved", i.UserID)
	case i.Nick != nil && len(*i.Nick) > im.MaxProfileBytes, i.FaceURL != nil && len(*i.FaceURL) > im.MaxProfileBytes:
		return im.Errorf(im.CodeAccountParameter, "Nick and FaceUrl of %q: at most %d bytes", i.UserID, im.MaxProfileBytes)
	}
	return nil
}

func reserved(userID string) bool {
	for _, prefix := range []string{robotPrefix, strings.TrimSuffix(OfficialPrefix, "_"), "@TIM#", "@TLS#"} {
		if strings.HasPrefix(userID, prefix) {
			return true
		}
	}
	return false
}

// importAll writes the accounts in one commit.
func (a *Accounts) importAll(ctx context.Context, app im.AppID, all []imported) error {
	err := a.db.Write(ctx, func(tx *db.Tx) error {
		for _, one := range all {
			if err := insert(tx, app, one); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("import accounts: %w", err)
	}
	for _, one := range all {
		a.Changed(app, one.UserID)
	}
	return nil
}

// insertAccount also brings a deleted account back: under its old number, because messages that stayed name it, and
// with valid_after as the deletion left it.
const insertAccount = `INSERT INTO account (id, app_id, user_id, nick, face_url, valid_after, created_at, deleted_at)
VALUES ($1, $2, $3, COALESCE($4, ''), COALESCE($5, ''), 0, $6, 0)
ON CONFLICT (app_id, user_id) DO UPDATE SET
	nick = COALESCE($4, account.nick), face_url = COALESCE($5, account.face_url), deleted_at = 0`

func insert(tx *db.Tx, app im.AppID, one imported) error {
	id, err := newAccountID()
	if err != nil {
		return err
	}
	_, err = tx.Exec(insertAccount, id, int64(app), one.UserID, storable(one.Nick), storable(one.FaceURL), tx.Now().UnixMilli())
	return err
}

// Rename changes the nick and the avatar of an account; nil leaves the account's own. After the commit the caller calls
// Changed.
func Rename(tx *db.Tx, id im.AccountID, nick, faceURL *string) error {
	_, err := tx.Exec(`UPDATE account SET nick = COALESCE($2, nick), face_url = COALESCE($3, face_url) WHERE id = $1`,
		int64(id), nick, faceURL)
	return err
}

func storable(text *string) *string {
	if text == nil || *text == "" {
		return nil
	}
	*text = wire.Text(*text)
	return text
}

type importManyRequest struct {
	Accounts    []string   `json:"Accounts"` // the older form: names alone
	AccountList []imported `json:"AccountList"`
}

type importManyReply struct {
	FailAccounts []string `json:"FailAccounts"`
}

func (a *Accounts) importManyCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "multiaccount_import", By: command.Administrator, Family: im.FamilyAccount(), RESTRate: slowRate,
		Doc: "import up to 100 accounts", Section: "rest.md#multiaccount_import",
	}, a.importMany)
}

func (a *Accounts) importMany(ctx context.Context, call *command.Call, r *importManyRequest) (*importManyReply, error) {
	list := r.AccountList
	for _, userID := range r.Accounts {
		list = append(list, imported{UserID: userID})
	}
	if len(list) == 0 || len(list) > im.MaxAccountsPerCall {
		return nil, im.Errorf(im.CodeAccountBatchSize, "%d accounts in one call: want 1 to %d", len(list), im.MaxAccountsPerCall)
	}
	reply := &importManyReply{}
	good := list[:0:0]
	for _, one := range list {
		if err := one.check(); err != nil {
			reply.FailAccounts = append(reply.FailAccounts, one.UserID)
		} else {
			good = append(good, one)
		}
	}
	return reply, a.importAll(ctx, call.App.ID, good)
}
