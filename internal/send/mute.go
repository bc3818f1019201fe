package send

import (
	"context"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// Mutes tells who may not speak in any chat of a kind.
type Mutes interface {
	// Muted gives each of the accounts that is muted the refusal of what it says. from is the store, or the transaction that
	// stores it. It costs nothing while nobody is muted.
	Muted(ctx context.Context, from db.Source, accounts []im.AccountID) (map[im.AccountID]error, error)
}

// CheckMuted refuses what a muted account says. A back end speaks for muted accounts too. A kind that pushes a draft without the
// line asks it itself, and again when its back end has answered.
func (l *Line[D]) CheckMuted(ctx context.Context, by *command.Call, d *D) error {
	return l.muted(ctx, l.DB, by, l.rules.Of(d).From)
}

func (l *Line[D]) muted(ctx context.Context, from db.Source, by *command.Call, who im.AccountID) error {
	if l.Mutes == nil || by.Admin() {
		return nil
	}
	muted, err := l.Mutes.Muted(ctx, from, []im.AccountID{who})
	if err != nil {
		return err
	}
	return muted[who]
}

// MayEdit refuses an edit by a muted account: it would speak by it. from is the store, or the transaction that stores the edit.
func (l *Line[D]) MayEdit(ctx context.Context, from db.Source, by *command.Call) error {
	return l.muted(ctx, from, by, by.Account)
}

// refuseMuted refuses drafts of accounts that were muted since they were checked, with one statement for all of them.
func (l *Line[D]) refuseMuted(tx *db.Tx, drafts []*D) error {
	if l.Mutes == nil {
		return nil
	}
	var senders []im.AccountID
	for _, d := range drafts {
		if of := l.rules.Of(d); of.by != nil && !of.by.Admin() {
			senders = append(senders, of.From)
		}
	}
	muted, err := l.Mutes.Muted(context.Background(), tx, senders)
	if err != nil || len(muted) == 0 {
		return err
	}
	for _, d := range drafts {
		if of := l.rules.Of(d); of.by != nil && !of.by.Admin() && muted[of.From] != nil {
			of.Refuse(muted[of.From])
		}
	}
	return nil
}
