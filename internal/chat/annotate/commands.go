package annotate

import (
	"context"
	"slices"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/setting"
)

// Commands is the room's table of contents, for each kind of chat.
func (a *Annotations) Commands(kinds ...Kind) []command.Command {
	var all []command.Command
	for _, k := range kinds {
		all = slices.Concat(all, a.extensionCommands(k), a.reactionCommands(k))
	}
	return all
}

var (
	reactionsOn = setting.Bool(setting.Spec[bool]{
		Name: "message.reactions", Default: true, Doc: "whether accounts may react to messages",
	})

	extensionsOn = setting.Bool(setting.Spec[bool]{
		Name: "message.extensions", Default: true, Doc: "whether values may be attached to messages that were sent with support for it",
	})
)

// Settings lists what an operator may choose in this room.
func (a *Annotations) Settings() []setting.Declaration {
	return []setting.Declaration{reactionsOn, extensionsOn}
}

// OnDelete takes the reactions of a deleted account away. What it has read stays counted. It is an [account.Participant].
func (a *Annotations) OnDelete(_ context.Context, tx *db.Tx, of account.Account) (func(), error) {
	_, err := tx.Exec(`DELETE FROM reaction WHERE account_id = $1`, int64(of.ID))
	return nil, err
}
