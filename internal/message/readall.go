package message

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// readAtOnce bounds the chats of one transaction in which all is read.
const readAtOnce = 500

// ReadAll moves an account's read marks to the ends of all its chats with others, and tells their peers. It tells neither the
// account's own devices nor its back end.
func (m *Messages) ReadAll(ctx context.Context, call *command.Call, reader account.Account) error {
	for {
		var read []im.AccountID
		err := m.db.Write(ctx, func(tx *db.Tx) (err error) {
			read, err = m.chats.MarkAllRead(ctx, tx, reader.ID, readAtOnce)
			return err
		})
		if err != nil {
			return fmt.Errorf("mark all read: %w", err)
		}
		at := m.db.Now().Unix()
		for _, peer := range read {
			if peer != reader.ID {
				m.push(account.Account{ID: peer}, call.Device, peerRead(reader, at))
			}
		}
		if len(read) < readAtOnce {
			return nil
		}
	}
}
