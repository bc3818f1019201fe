package account

import (
	"context"

	"github.com/magpie-im/magpie/internal/db"
)

// Participant is a room's part in a kick or in a deletion. It runs inside the transaction of that, so both happen
// or neither; it may run more than once, as [db.DB.Write] says. after, unless it is nil, is called once that transaction
// is on disk.
type Participant func(ctx context.Context, tx *db.Tx, of Account) (after func(), err error)

// OnKick registers participants in a kick by the back end. Call it before commands are served.
func (a *Accounts) OnKick(all ...Participant) { a.kicks = append(a.kicks, all...) }

// OnDelete registers participants in a deletion. Call it before commands are served.
func (a *Accounts) OnDelete(all ...Participant) { a.deletes = append(a.deletes, all...) }

// end changes an account's row and has the participants do their parts, in one commit. It changes the account's row first:
// every transaction that decides from rows of the account locks that row.
func (a *Accounts) end(ctx context.Context, of Account, change func(*db.Tx) error, all []Participant) error {
	var after []func()
	err := a.db.Write(ctx, func(tx *db.Tx) error {
		after = nil
		if err := change(tx); err != nil {
			return err
		}
		for _, part := range all {
			do, err := part(ctx, tx, of)
			if err != nil {
				return err
			}
			if do != nil {
				after = append(after, do)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	a.Changed(of.App, of.UserID)
	for _, do := range after {
		do()
	}
	return nil
}
