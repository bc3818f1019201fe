package official

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"strings"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/webhook"
)

type createRequest struct {
	Owner  string `json:"Owner_Account"`
	UserID string `json:"OfficialAccountUserID"`
	profile
}

type createReply struct {
	UserID string `json:"OfficialAccountUserID"`
}

func (o *Officials) createCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "create_official_account", By: command.Administrator, Family: family(),
		Doc: "make an official account", Section: "rest.md#create_official_account",
	}, o.create)
}

func (o *Officials) create(ctx context.Context, call *command.Call, r *createRequest) (*createReply, error) {
	if err := r.check(call); err != nil {
		return nil, err
	}
	if r.Name == nil {
		return nil, im.Errorf(im.CodeGroupParameter, "Name is missing")
	}
	owner, err := o.self(ctx, call, r.Owner)
	if err != nil {
		return nil, err
	}
	if r.UserID, err = userIDFor(r.UserID); err != nil {
		return nil, err
	}
	if err := o.askCreate(ctx, call, r); err != nil {
		return nil, err
	}
	if err := o.clearFormer(ctx, call, r.UserID); err != nil {
		return nil, err
	}
	return &createReply{r.UserID}, o.store(ctx, call, owner, r)
}

// userIDFor checks an official account's own name, or draws one.
func userIDFor(given string) (string, error) {
	const drawn = 12
	if given == "" {
		return account.OfficialPrefix + rand.Text()[:drawn], nil
	}
	if !strings.HasPrefix(given, account.OfficialPrefix) || given == account.OfficialPrefix || !im.ValidUserID(given) {
		return "", im.Errorf(im.CodeOfficialID, "OfficialAccountUserID %.60q: want %s and a name, at most %d bytes",
			given, account.OfficialPrefix, im.MaxOfficialBytes)
	}
	return given, nil
}

// clearFormer removes what is left of an official account of that name which was destroyed, if the step that does so was cut short.
func (o *Officials) clearFormer(ctx context.Context, call *command.Call, userID string) error {
	former, err := o.Accounts.FindManyEver(ctx, call.App.ID, []string{userID})
	if err != nil || former[userID].ID == 0 {
		return err
	}
	there, err := records(ctx, o.DB, []im.AccountID{former[userID].ID})
	if err != nil || len(there) > 0 {
		return err
	}
	return o.clear(ctx, former[userID])
}

func (o *Officials) store(ctx context.Context, call *command.Call, owner account.Account, r *createRequest) error {
	var refused error
	err := o.DB.Write(ctx, func(tx *db.Tx) (err error) {
		refused, err = o.insert(ctx, tx, call, owner, r)
		return err
	})
	if err != nil {
		return fmt.Errorf("make official account: %w", err)
	}
	o.Accounts.Changed(call.App.ID, r.UserID)
	return refused
}

func (o *Officials) insert(ctx context.Context, tx *db.Tx, call *command.Call, owner account.Account, r *createRequest) (refused, err error) {
	if refused, err = mayMake(ctx, tx, call, r.UserID, owner); refused != nil || err != nil {
		return refused, err
	}
	id, err := account.MakeOfficial(ctx, tx, call.App.ID, account.Official{UserID: r.UserID, Name: *r.Name, FaceURL: text(r.FaceURL)})
	if err != nil {
		return nil, err
	}
	made, err := tx.Exec(`INSERT INTO official_account (`+recordColumns+`, app_id) VALUES ($1, $2, $3, $4, $5, $6, 0, $7, 0, $8)
		ON CONFLICT (account_id) DO NOTHING`, int64(id), int64(owner.ID), text(r.Introduction), text(r.Organization), text(r.Custom),
		cmp.Or(r.most(), int64(maxSubscribers.Of(call.App))), tx.Now().UnixMilli(), int64(call.App.ID))
	if err != nil {
		return nil, err
	}
	if made == 0 {
		return errTaken(r.UserID), nil
	}
	if _, err := o.Chats.Open(ctx, tx, call.App.ID, chat.OfOfficial(id)); err != nil {
		return nil, err
	}
	return nil, afterCreate.Tell(tx, o.Hooks, &call.Actor, int64(id), func() (createdBody, error) {
		return createdBody{r.UserID, call.UserID, owner.UserID, *r.Name, eventTime(tx)}, nil
	})
}

func errTaken(userID string) error {
	return im.Errorf(im.CodeOfficialTaken, "there is an official account %.60q", userID)
}

// mayMake refuses a name that is taken, an owner that was deleted meanwhile, and an official account more than the application may have.
func mayMake(ctx context.Context, tx *db.Tx, call *command.Call, userID string, owner account.Account) (refused, err error) {
	alive, err := account.Lock(tx, []im.AccountID{owner.ID})
	if err != nil {
		return nil, err
	}
	if _, ok := alive[owner.ID]; !ok {
		return im.Errorf(im.CodeGroupAccount, "account %.40q does not exist", owner.UserID), nil
	}
	taken, err := account.Taken(ctx, tx, call.App.ID, userID)
	if err != nil || taken {
		return errTaken(userID), err
	}
	others, err := db.One(ctx, tx, db.Number, `SELECT COUNT(*) FROM official_account WHERE app_id = $1`, int64(call.App.ID))
	if most := maxAccounts.Of(call.App); err == nil && others >= int64(most) {
		return im.Errorf(im.CodeOfficialTooMany, "the application has its %d official accounts already (its setting official.max)", most), nil
	}
	return nil, err
}

// askCreate lets the back end decide whether an official account is made.
func (o *Officials) askCreate(ctx context.Context, call *command.Call, r *createRequest) error {
	_, err := beforeCreate.Ask(ctx, call, o.Hooks, webhook.Question[createAsk]{
		Key: "official:" + r.UserID,
		Body: func() (createAsk, error) {
			return createAsk{call.UserID, r.Owner, *r.Name, o.DB.Now().UnixMilli()}, nil
		},
	})
	return err
}
