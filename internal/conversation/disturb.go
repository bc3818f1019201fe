package conversation

import (
	"context"
	"errors"
	"fmt"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// disturbService is where an account says when it does not want to be disturbed at all.
const disturbService = "im_msg_db_logic"

// quiet is when an account does not want to be disturbed, and how it hears of messages then. The zero quiet is never.
type quiet struct {
	Level receiveOption `json:"Level"`
	// Start and End are unix seconds.
	Start int64 `json:"StartTime"`
	End   int64 `json:"EndTime"`
	// Repeated says that it is so every day from the time of Start to that of End.
	Repeated wire.Bool `json:"IsRepeated"`
}

// quietTimes tells an account's other devices when it does not want to be disturbed.
var quietTimes = event.DefineOpen[quiet](24, "Level")

type quietRequest struct {
	To string `json:"To_Account"` // of a back end's request
	quiet
}

func (c *Conversations) disturbCommands() []command.Command {
	set := command.Spec{
		Service: disturbService, Name: "ws_set_do_not_disturb", By: command.Account, Family: im.FamilyMessage(),
		Doc: "say when one does not want to be disturbed", Section: "wire.md#do-not-disturb",
	}
	admin := set
	admin.Name, admin.By, admin.Doc = "admin_set_do_not_disturb", command.Administrator, "say when an account does not want to be disturbed"
	admin.Section = "rest.md#admin_set_do_not_disturb"
	get := set
	get.Name, get.Doc = "ws_get_do_not_disturb", "tell when one does not want to be disturbed"
	return []command.Command{command.New(set, c.setQuiet), command.New(admin, c.setQuiet), command.New(get, c.getQuiet)}
}

// disturbed finds the account whose quiet is meant: a client's own.
func (c *Conversations) disturbed(ctx context.Context, call *command.Call, userID string) (account.Account, error) {
	found, err := c.owner(ctx, call, userID)
	if refusal, ok := im.Refusal(err); ok {
		return found, &im.Error{Code: im.CodeMessageReceiver, Info: refusal.Info}
	}
	return found, err
}

func (c *Conversations) setQuiet(ctx context.Context, call *command.Call, r *quietRequest) (*command.None, error) {
	if r.Level < receiveAll || r.Level > receiveSilently || r.Start < 0 || r.End < r.Start {
		return nil, im.Errorf(im.CodeMessageFormat, "want Level from 0 to 2, and an EndTime that is not before StartTime")
	}
	owner, err := c.disturbed(ctx, call, r.To)
	if err != nil {
		return nil, err
	}
	gone := false
	err = c.db.Write(ctx, func(tx *db.Tx) error {
		alive, err := account.Lock(tx, []im.AccountID{owner.ID})
		if _, there := alive[owner.ID]; err != nil || !there {
			gone = err == nil
			return err
		}
		_, err = tx.Exec(`INSERT INTO do_not_disturb (owner_id, level, starts_at, ends_at, repeated) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (owner_id) DO UPDATE SET level = excluded.level, starts_at = excluded.starts_at, ends_at = excluded.ends_at,
			repeated = excluded.repeated`, int64(owner.ID), int64(r.Level), r.Start, r.End, bool(r.Repeated))
		return err
	})
	switch {
	case err != nil:
		return nil, fmt.Errorf("set do-not-disturb: %w", err)
	case gone:
		return nil, im.Errorf(im.CodeMessageReceiver, "account %.40q does not exist", owner.UserID)
	}
	c.push(call, owner.ID, quietTimes.Of(r.quiet))
	return nil, nil
}

func (c *Conversations) getQuiet(ctx context.Context, call *command.Call, _ *command.None) (*quiet, error) {
	one, err := db.One(ctx, c.db, func(row db.Scanner) (q quiet, err error) {
		return q, row(&q.Level, &q.Start, &q.End, (*bool)(&q.Repeated))
	}, `SELECT level, starts_at, ends_at, repeated FROM do_not_disturb WHERE owner_id = $1`, int64(call.Account))
	if err != nil && !errors.Is(err, db.ErrNotFound) {
		return nil, fmt.Errorf("read do-not-disturb: %w", err)
	}
	return &one, nil
}
