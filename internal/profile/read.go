package profile

import (
	"context"
	"fmt"
	"maps"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// Read gives the whole profiles of accounts in one statement, as the caller may read them. from is the store, or the snapshot that
// the caller reads on.
func (p *Profiles) Read(
	ctx context.Context, call *command.Call, from db.Source, accounts map[im.AccountID]account.Account,
) (map[im.AccountID][]ProfileItem, error) {
	read, err := p.read(ctx, from, maps.Values(accounts))
	if err != nil {
		return nil, err
	}
	all := make(map[im.AccountID][]ProfileItem, len(accounts))
	for id, one := range accounts {
		all[id] = pick(one, read, func(tag string) bool { return readable(call, tag) })
	}
	return all, nil
}

// Texts reads one field of accounts, for a rule that follows it. An account that has not set it is not in the result.
func (p *Profiles) Texts(ctx context.Context, from db.Source, tag string, ids []im.AccountID) (map[im.AccountID]string, error) {
	texts := map[im.AccountID]string{}
	err := db.Each(ctx, from, func(row db.Scanner) error {
		var (
			id   im.AccountID
			text string
		)
		err := row(&id, &text)
		texts[id] = text
		return err
	}, `SELECT account_id, value FROM profile WHERE tag = $1 AND account_id IN ($2...)`, tag, db.Ints(ids))
	if err != nil {
		return nil, fmt.Errorf("read a profile field: %w", err)
	}
	return texts, nil
}
