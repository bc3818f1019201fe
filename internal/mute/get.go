package mute

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

type getRequest struct {
	Account string `json:"Get_Account"`
}

// getReply has the seconds that are left: 0 is no mute, secondsForEver one without end.
type getReply struct {
	Chats  int64 `json:"C2CmsgNospeakingTime"`
	Groups int64 `json:"GroupmsgNospeakingTime"`
}

func (m *Mutes) getCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "getnospeaking", By: command.Administrator, Family: family(),
		Fields: map[string]im.Code{"Get_Account": im.CodeMuteGetAccount},
		Doc:    "tell for how long an account may not speak", Section: "rest.md#getnospeaking",
	}, m.get)
}

func (m *Mutes) get(ctx context.Context, call *command.Call, r *getRequest) (*getReply, error) {
	if r.Account == "" {
		return nil, im.Errorf(im.CodeMuteNoGetAccount, "Get_Account is missing")
	}
	found, err := m.find(ctx, call, r.Account, im.CodeMuteGetAccount)
	if err != nil {
		return nil, err
	}
	reply, now := &getReply{}, m.db.Now().Unix()
	err = db.Each(ctx, m.db, func(scan db.Scanner) error {
		var chats, groups int64
		err := scan(&chats, &groups)
		reply.Chats, reply.Groups = left(chats, now), left(groups, now)
		return err
	}, `SELECT chat_until, group_until FROM global_mute WHERE account_id = $1`, int64(found.ID))
	if err != nil {
		return nil, fmt.Errorf("read a mute: %w", err)
	}
	return reply, nil
}

// left is how many seconds are left of a mute at a unix second.
func left(until, now int64) int64 {
	switch {
	case until <= now:
		return 0
	case until == forEver:
		return secondsForEver
	default:
		return until - now
	}
}
