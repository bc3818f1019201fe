package mute

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// Kind is the mutes in chats of one kind.
type Kind struct {
	mutes *Mutes
	query string
	code  im.Code
}

// OneToOne is the mutes in chats with others.
func (m *Mutes) OneToOne() *Kind {
	return &Kind{m, `SELECT account_id, chat_until FROM global_mute WHERE chat_until > $1 AND account_id IN ($2...)`, im.CodeMessageMuted}
}

// Groups is the mutes in groups.
func (m *Mutes) Groups() *Kind {
	return &Kind{m, `SELECT account_id, group_until FROM global_mute WHERE group_until > $1 AND account_id IN ($2...)`, im.CodeGroupMuted}
}

// Muted gives each of the accounts that is muted the refusal of what it says. While nobody is muted it costs nothing. from is
// the store, or the transaction that stores what they say, which then is refused although it was not before.
func (k *Kind) Muted(ctx context.Context, from db.Source, accounts []im.AccountID) (map[im.AccountID]error, error) {
	if len(accounts) == 0 || !k.mutes.some.is() {
		return nil, nil
	}
	muted, now := map[im.AccountID]error{}, k.mutes.db.Now().Unix()
	err := db.Each(ctx, from, func(scan db.Scanner) error {
		var (
			id    im.AccountID
			until int64
		)
		err := scan(&id, &until)
		muted[id] = im.Errorf(k.code, "the sender may not speak for another %d seconds", left(until, now))
		return err
	}, k.query, now, db.Ints(accounts))
	if err != nil {
		return nil, fmt.Errorf("read mutes: %w", err)
	}
	return muted, nil
}
