package presence

import (
	"context"
	"fmt"
	"time"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

const (
	// mostCustomBytes bounds a custom status.
	mostCustomBytes = 100
	// keepCustom is how long a custom status outlives the account's last device.
	keepCustom = 30 * time.Second
)

type customRequest struct {
	Status string `json:"CustomStatus"`
}

func (p *Presences) setCustomCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "ws_set_custom_status", By: command.Account, Family: im.FamilyAccount(),
		Doc: "set what the account says of itself while it is online", Section: "wire.md#profile",
	}, p.setCustom)
}

// setCustom stores a custom status; an empty one clears it. All devices of the account are told, the asking one too, as the
// documentation says: so the last of two that set it at once is what all of them show.
func (p *Presences) setCustom(ctx context.Context, call *command.Call, r *customRequest) (*command.None, error) {
	if len(r.Status) > mostCustomBytes {
		return nil, im.Errorf(im.CodeAccountParameter, "CustomStatus has %d bytes: want at most %d", len(r.Status), mostCustomBytes)
	}
	exists := false
	err := p.db.Write(ctx, func(tx *db.Tx) error {
		held, err := account.Lock(tx, []im.AccountID{call.Account})
		if _, exists = held[call.Account]; err != nil || !exists {
			return err
		}
		return storeCustom(tx, call.Account, wire.Text(r.Status))
	})
	if err != nil {
		return nil, fmt.Errorf("set a custom status: %w", err)
	}
	if !exists {
		return nil, account.ErrRevoked()
	}
	p.tell(event.Devices(call.Account), event.CustomChanged)
	p.tell(event.Watchers(call.Account), event.StateChanged)
	return nil, nil
}

func storeCustom(tx *db.Tx, of im.AccountID, status string) error {
	statement, args := `INSERT INTO custom_status (account_id, status, away_at) VALUES ($1, $2, 0)
		ON CONFLICT (account_id) DO UPDATE SET status = excluded.status, away_at = 0`, []any{int64(of), status}
	if status == "" {
		statement, args = `DELETE FROM custom_status WHERE account_id = $1`, args[:1]
	}
	_, err := tx.Exec(statement, args...)
	return err
}

// greeting is an account that logs in. The read sets its custom status, and whether the account was away for a moment.
type greeting struct {
	account im.AccountID
	custom  string
	back    bool
}

// Greet returns the custom status that an account still has when a device of it logs in, as the reply to the login has it.
func (p *Presences) Greet(ctx context.Context, of im.AccountID) (custom string, err error) {
	one := &greeting{account: of}
	if err := p.greeted.Read(ctx, one); err != nil {
		return "", err
	}
	if one.back {
		err = p.stay(ctx, of)
	}
	return encodeCustom(one.custom), err
}

// readGreetings reads the custom statuses of accounts that log in, in one statement.
func (p *Presences) readGreetings(ctx context.Context, all []*greeting) error {
	ids := make([]im.AccountID, len(all))
	for i, one := range all {
		ids[i] = one.account
	}
	found := map[im.AccountID]greeting{}
	err := db.Each(ctx, p.db, func(scan db.Scanner) error {
		var (
			one  greeting
			away int64
		)
		err := scan(&one.account, &one.custom, &away)
		one.back = away != 0
		found[one.account] = one
		return err
	}, `SELECT account_id, status, away_at FROM custom_status WHERE account_id IN ($1...) AND (away_at = 0 OR away_at > $2)`,
		db.Ints(ids), p.clock.Now().Add(-keepCustom).UnixMilli())
	for _, one := range all {
		one.custom, one.back = found[one.account].custom, found[one.account].back
	}
	return err
}

// stay keeps the custom status of an account that is back in time.
func (p *Presences) stay(ctx context.Context, of im.AccountID) error {
	err := p.db.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(`UPDATE custom_status SET away_at = 0 WHERE account_id = $1 AND away_at > $2`,
			int64(of), tx.Now().Add(-keepCustom).UnixMilli())
		return err
	})
	if err != nil {
		return fmt.Errorf("keep a custom status: %w", err)
	}
	return nil
}
