package official

import (
	"context"
	"errors"
	"fmt"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

type officialRequest struct {
	Official string `json:"Official_Account"`
}

func (o *Officials) destroyCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "destroy_official_account", By: command.Administrator, Family: family(),
		Doc: "destroy an official account", Section: "rest.md#destroy_official_account",
	}, o.destroy)
}

// destroy ends the official account in one transaction, and its subscriptions in steps behind it: they are nobody's any more.
func (o *Officials) destroy(ctx context.Context, call *command.Call, r *officialRequest) (*command.None, error) {
	of, err := o.find(ctx, call, r.Official)
	if err != nil {
		return nil, err
	}
	err = o.Accounts.DeleteOfficial(ctx, call.App, of.UserID, func(ctx context.Context, tx *db.Tx, _ account.Account) (func(), error) {
		return nil, o.end(ctx, tx, call, of)
	})
	if errors.Is(err, account.ErrUnknown) {
		err = errUnknown(r.Official)
	}
	if err != nil {
		return nil, err
	}
	o.attempt(of.ID, o.Router.Empty(int64(of.ID)))
	return nil, o.clear(ctx, of)
}

func (o *Officials) end(ctx context.Context, tx *db.Tx, call *command.Call, of account.Account) error {
	was, err := hold(tx, of.ID)
	if err != nil || was == nil {
		return err
	}
	if _, err := tx.Exec(`DELETE FROM official_account WHERE account_id = $1`, int64(of.ID)); err != nil {
		return err
	}
	owners, err := o.Accounts.ByID(ctx, tx, []im.AccountID{was.owner})
	if err != nil {
		return err
	}
	return afterDestroy.Tell(tx, o.Hooks, &call.Actor, int64(of.ID), func() (destroyedBody, error) {
		return destroyedBody{of.UserID, owners[was.owner].UserID, of.Nick, eventTime(tx)}, nil
	})
}

// stepRows bounds the subscriptions that one transaction takes away, so that nobody's commit waits long for it.
const stepRows = 500

// clear removes the subscriptions to an official account that was destroyed, with the conversations.
func (o *Officials) clear(ctx context.Context, of account.Account) error {
	id, err := o.chatOf(ctx, of)
	if err != nil {
		return err
	}
	for left := true; left; {
		err := o.DB.Write(ctx, func(tx *db.Tx) error {
			gone, err := db.All(ctx, tx, func(row db.Scanner) (who im.AccountID, err error) { return who, row(&who) },
				`SELECT subscriber_id FROM subscription WHERE official_id = $1 ORDER BY number LIMIT $2`, int64(of.ID), stepRows)
			if left = len(gone) == stepRows; err != nil || len(gone) == 0 {
				return err
			}
			return o.remove(tx, of.ID, id, gone)
		})
		if err != nil {
			return fmt.Errorf("remove subscriptions: %w", err)
		}
	}
	return nil
}

// remove removes subscriptions with their conversations.
func (o *Officials) remove(tx *db.Tx, official im.AccountID, chat int64, who []im.AccountID) error {
	_, err := tx.Exec(`DELETE FROM subscription WHERE official_id = $1 AND subscriber_id IN ($2...)`, int64(official), db.Ints(who))
	if err != nil {
		return err
	}
	return o.Chats.Unsubscribe(tx, chat, who)
}
