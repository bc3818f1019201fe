package presence

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// watchAtOnce bounds the accounts of one call.
const watchAtOnce = 100

type watchReply struct {
	Errors []unknown `json:"ErrorList"`
}

func (p *Presences) watchCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "ws_status_subscribe", By: command.Account, Family: im.FamilyAccount(), Feature: feature,
		Doc: "have a client's account told when the presence of others changes", Section: "wire.md#profile",
	}, p.watch)
}

// watch stores whom the account watches. Its sessions are told by the bus, on every node; each is then told the present states.
func (p *Presences) watch(ctx context.Context, call *command.Call, r *namesRequest) (*watchReply, error) {
	found, unknown, err := p.named(ctx, call, r.To, watchAtOnce)
	if err != nil {
		return nil, err
	}
	exists := false
	err = p.db.Write(ctx, func(tx *db.Tx) error {
		var err error
		exists, err = addWatches(tx, call.Account, found, mostWatched.Of(call.App))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("watch accounts: %w", err)
	}
	if !exists {
		return nil, account.ErrRevoked()
	}
	p.tell(event.Devices(call.Account), event.WatchesChanged)
	return &watchReply{unknown}, nil
}

// addWatches has an account watch others, and stop watching those above the bound that it has watched longest. It holds the
// account's row, so that two calls at once keep to the bound, and reports false when the account was deleted meanwhile.
func addWatches(tx *db.Tx, of im.AccountID, targets []account.Account, most int) (exists bool, err error) {
	held, err := account.Lock(tx, []im.AccountID{of})
	if _, exists = held[of]; err != nil || !exists {
		return exists, err
	}
	const width = 3
	err = db.Chunks(tx, width, targets, func(chunk []account.Account) error {
		values := make([]any, 0, width*len(chunk))
		for i := range chunk {
			values = append(values, int64(of), int64(chunk[i].ID), tx.NextID())
		}
		_, err := tx.Exec(`INSERT INTO presence_watch (account_id, target_id, since) VALUES `+db.Rows(len(chunk), width, false)+`
			ON CONFLICT (account_id, target_id) DO UPDATE SET since = excluded.since`, values...)
		return err
	})
	if err != nil {
		return true, err
	}
	_, err = tx.Exec(`DELETE FROM presence_watch WHERE account_id = $1 AND target_id IN (SELECT target_id FROM presence_watch
		WHERE account_id = $2 ORDER BY since DESC LIMIT $3 OFFSET $4)`, int64(of), int64(of), mostWatchedAtAll+watchAtOnce, most)
	return true, err
}

type unwatchRequest struct {
	To  []string  `json:"To_Account"`
	All wire.Bool `json:"UnsubscribeAll"`
}

func (p *Presences) unwatchCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "ws_status_unsubscribe", By: command.Account, Family: im.FamilyAccount(), Feature: feature,
		Doc: "end what ws_status_subscribe began, for some accounts or for all", Section: "wire.md#profile",
	}, p.unwatch)
}

func (p *Presences) unwatch(ctx context.Context, call *command.Call, r *unwatchRequest) (*watchReply, error) {
	reply := &watchReply{[]unknown{}}
	var targets []im.AccountID
	if !r.All {
		found, unknown, err := p.named(ctx, call, r.To, watchAtOnce)
		if err != nil {
			return nil, err
		}
		reply.Errors = unknown
		for i := range found {
			targets = append(targets, found[i].ID)
		}
	} else if err := mustServe(call.App); err != nil {
		return nil, err
	}
	err := p.db.Write(ctx, func(tx *db.Tx) error {
		statement, args := `DELETE FROM presence_watch WHERE account_id = $1`, []any{int64(call.Account)}
		if !r.All {
			statement, args = statement+` AND target_id IN ($2...)`, append(args, db.Ints(targets))
		}
		_, err := tx.Exec(statement, args...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("stop watching accounts: %w", err)
	}
	p.tell(event.Devices(call.Account), event.WatchesChanged)
	return reply, nil
}

// watched reads whom accounts watch. An account whose application does not serve presence watches nobody.
func (p *Presences) watched(ctx context.Context, of []im.AccountID) (map[im.AccountID][]im.AccountID, error) {
	found := map[im.AccountID][]im.AccountID{}
	err := db.Each(ctx, p.db, func(scan db.Scanner) error {
		var (
			app        im.AppID
			id, target im.AccountID
		)
		err := scan(&app, &id, &target)
		if tenant := p.apps.App(app); err == nil && tenant != nil && served.Of(tenant) {
			found[id] = append(found[id], target)
		}
		return err
	}, `SELECT a.app_id, w.account_id, w.target_id FROM presence_watch w JOIN account a ON a.id = w.account_id
		WHERE w.account_id IN ($1...)`, db.Ints(of))
	if err != nil {
		return nil, fmt.Errorf("read whom accounts watch: %w", err)
	}
	return found, nil
}
