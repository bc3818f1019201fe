package profile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

type setRequest struct {
	From  string        `json:"From_Account"`
	Items []ProfileItem `json:"ProfileItem"`
}

type setReply struct {
	ErrorDisplay string `json:"ErrorDisplay"`
}

func (p *Profiles) setCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "portrait_set", By: command.Administrator | command.Account, Family: family(),
		Doc: "set profile fields", Section: "rest.md#portrait_set",
	}, p.set)
}

// change is a checked field.
type change struct {
	tag, value string
	number     bool
}

// set writes all fields or none. A client changes only its own profile, and never the level of trust that an
// administrator gives.
func (p *Profiles) set(ctx context.Context, call *command.Call, r *setRequest) (*setReply, error) {
	if !call.Admin() {
		r.From = call.UserID
	}
	changes, err := checkItems(call, r.Items)
	if err != nil {
		return nil, err
	}
	of, err := p.accounts.Find(ctx, call.App.ID, r.From)
	if errors.Is(err, account.ErrUnknown) {
		return nil, im.Errorf(im.CodeProfileUnknown, "account %.40q does not exist", r.From)
	}
	if err != nil {
		return nil, err
	}
	err = p.db.Write(ctx, func(tx *db.Tx) error {
		for _, c := range changes {
			if err := c.store(tx, of.ID); err != nil {
				return err
			}
		}
		if err := boundCustom(ctx, tx, of.ID); err != nil {
			return err
		}
		return p.tell(tx, call, of, changes)
	})
	if _, refused := im.Refusal(err); refused {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("store profile: %w", err)
	}
	p.accounts.Changed(call.App.ID, r.From)
	return &setReply{}, p.push(ctx, call, of, changes)
}

// push tells of changed fields the account's own devices, and those of its friends; not of fields that administrators alone read.
func (p *Profiles) push(ctx context.Context, call *command.Call, of account.Account, changes []change) error {
	seen := slices.DeleteFunc(slices.Clone(changes), func(c change) bool {
		own, _ := customOf(call.App, c.tag)
		return isCustom(c.tag) && own.adminReads
	})
	if len(seen) == 0 {
		return nil
	}
	friends, err := p.friends.Watchers(ctx, of.ID)
	if err != nil {
		return err
	}
	p.accounts.PushProfile(of, call.Device, friends, fieldsOf(seen))
	return nil
}

// SetSignature writes the account's signature line. The caller has checked its length. No event and no callback tells of it.
func (p *Profiles) SetSignature(ctx context.Context, of account.Account, text string) error {
	err := p.db.Write(ctx, func(tx *db.Tx) error {
		return change{tag: tagSignature, value: wire.Text(text)}.store(tx, of.ID)
	})
	if err != nil {
		return fmt.Errorf("store signature: %w", err)
	}
	return nil
}

func checkItems(call *command.Call, items []ProfileItem) ([]change, error) {
	if len(items) == 0 || len(items) > maxItems {
		return nil, im.Errorf(im.CodeProfileParameter, "ProfileItem holds %d fields: want 1 to %d", len(items), maxItems)
	}
	changes := make([]change, 0, len(items))
	for _, item := range items {
		value, err := item.parse()
		if err == nil {
			err = checkField(call, item)
		}
		if err != nil {
			return nil, err
		}
		changes = append(changes, change{item.Tag, value, item.number()})
	}
	return changes, nil
}

const upsertField = `INSERT INTO profile (account_id, tag, value, is_number) VALUES ($1, $2, $3, $4)
ON CONFLICT (account_id, tag) DO UPDATE SET value = excluded.value, is_number = excluded.is_number`

func (c change) store(tx *db.Tx, id im.AccountID) error {
	switch c.tag {
	case tagNick:
		return account.Rename(tx, id, &c.value, nil)
	case tagImage:
		return account.Rename(tx, id, nil, &c.value)
	}
	_, err := tx.Exec(upsertField, int64(id), c.tag, c.value, c.number)
	return err
}

// OnDelete removes the fields of a deleted account; nick and avatar go with the account's row. It is an
// [account.Participant].
func (p *Profiles) OnDelete(_ context.Context, tx *db.Tx, of account.Account) (func(), error) {
	_, err := tx.Exec(`DELETE FROM profile WHERE account_id = $1`, int64(of.ID))
	return nil, err
}

// RemoveOf removes fields of accounts that are removed. It is an [account.RemovePart].
func (p *Profiles) RemoveOf(_ context.Context, tx *db.Tx, of []im.AccountID, most int64) (int64, error) {
	return tx.Exec(`DELETE FROM profile WHERE (account_id, tag) IN
		(SELECT account_id, tag FROM profile WHERE account_id IN ($1...) LIMIT $2)`, db.Ints(of), most)
}

// boundCustom refuses the change that gives an account more fields of the application's own than there may be.
func boundCustom(ctx context.Context, tx *db.Tx, id im.AccountID) error {
	fields, err := db.One(ctx, tx, db.Number, `SELECT COUNT(*) FROM profile WHERE account_id = $1 AND tag LIKE $2`,
		int64(id), TagCustom+"%")
	if err == nil && fields > maxCustomFields {
		return im.Errorf(im.CodeProfileTag, "more than %d fields of the application's own", maxCustomFields)
	}
	return err
}

func fieldsOf(changes []change) []account.ProfileField {
	fields := make([]account.ProfileField, 0, len(changes))
	for _, c := range changes {
		field := account.ProfileField{Tag: c.tag}
		if n, err := strconv.ParseInt(c.value, 10, 64); c.number && err == nil {
			field.Value = &n
		} else {
			field.Text = &c.value
		}
		fields = append(fields, field)
	}
	return fields
}
