package account

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

type kickRequest struct {
	UserID     string `json:"UserID"`
	Identifier string `json:"Identifier"` // UserID's older name
}

func (a *Accounts) kickCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "kick", By: command.Administrator, Family: im.FamilyAccount(),
		Doc: "end an account's logins and void its UserSigs", Section: "rest.md#kick",
	}, a.kick)
}

// kick voids every UserSig issued until now and ends every login.
func (a *Accounts) kick(ctx context.Context, call *command.Call, r *kickRequest) (*command.None, error) {
	if r.UserID == "" {
		r.UserID = r.Identifier
	}
	found, err := a.require(ctx, call.App.ID, r.UserID)
	if err != nil {
		return nil, err
	}
	err = a.end(ctx, found, func(tx *db.Tx) error {
		_, err := tx.Exec(`UPDATE account SET valid_after = $2 WHERE id = $1`, int64(found.ID), tx.Now().Unix())
		return err
	}, a.kicks)
	if err != nil {
		return nil, fmt.Errorf("kick: %w", err)
	}
	return nil, nil
}
