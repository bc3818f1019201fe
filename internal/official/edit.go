package official

import (
	"cmp"
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
)

// editRequest names the official account as either of two client libraries does.
type editRequest struct {
	Official string `json:"Official_Account"`
	Spelt    string `json:"OfficialAccount"`
	profile
}

func (o *Officials) editCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "modify_official_account_base_info", By: command.Administrator, Family: family(),
		Doc: "change an official account's profile", Section: "rest.md#modify_official_account_base_info",
	}, o.edit)
}

func (o *Officials) edit(ctx context.Context, call *command.Call, r *editRequest) (*command.None, error) {
	of, err := o.find(ctx, call, cmp.Or(r.Official, r.Spelt))
	if err != nil {
		return nil, err
	}
	if err := r.check(call); err != nil {
		return nil, err
	}
	gone := false
	err = o.DB.Write(ctx, func(tx *db.Tx) error {
		was, err := hold(tx, of.ID)
		if gone = was == nil; err != nil || gone {
			return err
		}
		return o.rewrite(tx, call, of, &r.profile)
	})
	switch {
	case err != nil:
		return nil, fmt.Errorf("change official account: %w", err)
	case gone:
		return nil, errUnknown(of.UserID)
	}
	o.Accounts.Changed(call.App.ID, of.UserID)
	return nil, nil
}

func (o *Officials) rewrite(tx *db.Tx, call *command.Call, of account.Account, p *profile) error {
	_, err := tx.Exec(`UPDATE official_account SET introduction = COALESCE($2, introduction), organization = COALESCE($3, organization),
		custom = COALESCE($4, custom), max_subscribers = CASE WHEN $5 > 0 THEN $5 ELSE max_subscribers END WHERE account_id = $1`,
		int64(of.ID), p.Introduction, p.Organization, p.Custom, p.most())
	if err != nil {
		return err
	}
	if err := account.Rename(tx, of.ID, p.Name, p.FaceURL); err != nil {
		return err
	}
	return afterEdit.Tell(tx, o.Hooks, &call.Actor, int64(of.ID), func() (editedBody, error) {
		return editedBody{of.UserID, call.UserID, p.Name, p.Introduction, p.FaceURL, p.Organization, eventTime(tx)}, nil
	})
}
