package mute

import (
	"context"
	"errors"
	"fmt"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

const (
	// secondsForEver is how the interface writes a mute without end.
	secondsForEver = 1<<32 - 1
	// forEver is the unix second until which such a mute is stored.
	forEver = 1 << 50
	// unchanged stands for an end that a request leaves as it is.
	unchanged = -1
)

// setRequest names times in seconds from now: 0 lets the account speak again, secondsForEver has no end.
type setRequest struct {
	Account string  `json:"Set_Account"`
	Chats   *uint32 `json:"C2CmsgNospeakingTime"`
	Groups  *uint32 `json:"GroupmsgNospeakingTime"`
}

func (m *Mutes) setCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "setnospeaking", By: command.Administrator, Family: family(),
		Fields: map[string]im.Code{"Set_Account": im.CodeMuteSetAccount},
		Doc:    "keep an account from speaking, in chats with others or in groups", Section: "rest.md#setnospeaking",
	}, m.set)
}

func (m *Mutes) set(ctx context.Context, call *command.Call, r *setRequest) (*command.None, error) {
	switch {
	case r.Account == "":
		return nil, im.Errorf(im.CodeMuteNoSetAccount, "Set_Account is missing")
	case r.Chats == nil && r.Groups == nil:
		return nil, im.Errorf(im.CodeMuteNoTime, "neither C2CmsgNospeakingTime nor GroupmsgNospeakingTime is given")
	}
	found, err := m.find(ctx, call, r.Account, im.CodeMuteSetAccount)
	if err != nil {
		return nil, err
	}
	exists, err := m.store(ctx, found.ID, r)
	if err != nil {
		return nil, fmt.Errorf("mute an account: %w", err)
	}
	if !exists {
		return nil, im.Errorf(im.CodeMuteSetAccount, "account %.40q was deleted meanwhile", r.Account)
	}
	return nil, nil
}

// store writes what the request changes, and reports false when the account was deleted meanwhile.
func (m *Mutes) store(ctx context.Context, of im.AccountID, r *setRequest) (bool, error) {
	ended := m.some.begin()
	defer ended()
	exists := false
	err := m.db.Write(ctx, func(tx *db.Tx) error {
		held, err := account.Lock(tx, []im.AccountID{of})
		if _, exists = held[of]; err != nil || !exists {
			return err
		}
		now := tx.Now().Unix()
		_, err = tx.Exec(`INSERT INTO global_mute (account_id, chat_until, group_until) VALUES ($1, $2, $3)
			ON CONFLICT (account_id) DO UPDATE SET
				chat_until = CASE WHEN excluded.chat_until < 0 THEN global_mute.chat_until ELSE excluded.chat_until END,
				group_until = CASE WHEN excluded.group_until < 0 THEN global_mute.group_until ELSE excluded.group_until END`,
			int64(of), until(r.Chats, now), until(r.Groups, now))
		return err
	})
	if err != nil { // the transaction may be running yet when ctx has ended, and then exists is its own
		return false, err
	}
	return exists, nil
}

// until is when a mute ends that begins at a unix second.
func until(seconds *uint32, now int64) int64 {
	switch {
	case seconds == nil:
		return unchanged
	case *seconds == secondsForEver:
		return forEver
	default:
		return now + int64(*seconds)
	}
}

func (m *Mutes) find(ctx context.Context, call *command.Call, userID string, code im.Code) (account.Account, error) {
	found, err := m.accounts.Find(ctx, call.App.ID, userID)
	if errors.Is(err, account.ErrUnknown) {
		return found, im.Errorf(code, "account %.40q does not exist", userID)
	}
	return found, err
}
