package account

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

type namedItem struct {
	UserID string `json:"UserID"`
}

type resultItem struct {
	UserID        string  `json:"UserID"`
	ResultCode    im.Code `json:"ResultCode"`
	ResultInfo    string  `json:"ResultInfo"`
	AccountStatus string  `json:"AccountStatus,omitempty"`
}

type resultReply struct {
	ResultItem []resultItem `json:"ResultItem"`
}

func checkCount(n int) error {
	if n == 0 || n > im.MaxAccountsPerCall {
		return im.Errorf(im.CodeAccountBatchSize, "%d accounts in one call: want 1 to %d", n, im.MaxAccountsPerCall)
	}
	return nil
}

type deleteRequest struct {
	DeleteItem []namedItem `json:"DeleteItem"`
}

func (a *Accounts) deleteCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "account_delete", By: command.Administrator, Family: im.FamilyAccount(), RESTRate: slowRate,
		Doc: "delete accounts with their profiles and conversations", Section: "rest.md#account_delete",
	}, a.deleteMany)
}

func (a *Accounts) deleteMany(ctx context.Context, call *command.Call, r *deleteRequest) (*resultReply, error) {
	if err := checkCount(len(r.DeleteItem)); err != nil {
		return nil, err
	}
	reply := &resultReply{ResultItem: make([]resultItem, 0, len(r.DeleteItem))}
	for _, one := range r.DeleteItem {
		result := resultItem{UserID: one.UserID}
		err := a.deleteNamed(ctx, call.App, one.UserID)
		if errors.Is(err, ErrUnknown) {
			err = im.Errorf(im.CodeAccountUnknown, "Err_TLS_PT_Open_Login_Account_Not_Exist") // the documented text
		}
		if refusal, ok := im.Refusal(err); ok {
			result.ResultCode, result.ResultInfo = refusal.Code, refusal.Info
		} else if err != nil {
			return nil, err
		}
		reply.ResultItem = append(reply.ResultItem, result)
	}
	return reply, nil
}

// deleteNamed is deleteOne of an account that has no command of its own for its end.
func (a *Accounts) deleteNamed(ctx context.Context, app *im.App, userID string) error {
	if IsOfficial(userID) {
		return im.Errorf(im.CodeAccountParameter, "%.60q is an official account: destroy_official_account ends it", userID)
	}
	return a.deleteOne(ctx, app, userID)
}

// deleteOne ends an account. The row stays, marked as deleted, because the histories of other accounts name it; the
// participants remove all else that belongs to the account.
func (a *Accounts) deleteOne(ctx context.Context, app *im.App, userID string, also ...Participant) error {
	if app.IsAdmin(userID) {
		return im.Errorf(im.CodeAccountParameter, "%q is an administrator and cannot be deleted", userID)
	}
	found, err := a.Find(ctx, app.ID, userID)
	if err != nil {
		return err
	}
	if err := a.end(ctx, found, func(tx *db.Tx) error { return bury(tx, found.ID) }, slices.Concat(a.deletes, also)); err != nil {
		return fmt.Errorf("delete account: %w", err)
	}
	return nil
}

func bury(tx *db.Tx, id im.AccountID) error {
	_, err := tx.Exec(`UPDATE account SET deleted_at = $2, valid_after = $3, nick = '', face_url = '' WHERE id = $1`,
		int64(id), tx.Now().UnixMilli(), tx.Now().Unix())
	return err
}

func (a *Accounts) require(ctx context.Context, app im.AppID, userID string) (Account, error) {
	found, err := a.Find(ctx, app, userID)
	if err == ErrUnknown { //nolint:errorlint // Find returns it bare
		return found, im.Errorf(im.CodeAccountUnknown, "account %.40q does not exist", userID)
	}
	return found, err
}

type checkRequest struct {
	CheckItem []namedItem `json:"CheckItem"`
}

func (a *Accounts) checkCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "account_check", By: command.Administrator, Family: im.FamilyAccount(), RESTRate: slowRate,
		Doc: "tell which accounts are imported", Section: "rest.md#account_check",
	}, a.check)
}

func (a *Accounts) check(ctx context.Context, call *command.Call, r *checkRequest) (*resultReply, error) {
	if err := checkCount(len(r.CheckItem)); err != nil {
		return nil, err
	}
	names := make([]string, len(r.CheckItem))
	for i, one := range r.CheckItem {
		names[i] = one.UserID
	}
	found, err := a.FindMany(ctx, call.App.ID, names)
	if err != nil {
		return nil, err
	}
	reply := &resultReply{}
	for _, name := range names {
		status := "NotImported"
		if _, ok := found[name]; ok {
			status = "Imported"
		}
		reply.ResultItem = append(reply.ResultItem, resultItem{UserID: name, AccountStatus: status})
	}
	return reply, nil
}
