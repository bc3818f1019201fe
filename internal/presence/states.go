package presence

import (
	"context"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
)

type namesRequest struct {
	To []string `json:"To_Account"`
}

type statesReply struct {
	States []wireState `json:"UserStatusList"`
	Errors []unknown   `json:"ErrorList"`
}

// unknown is an account that a call names and that does not exist.
type unknown struct {
	To   string  `json:"To_Account"`
	Code im.Code `json:"ErrorCode"`
	Info string  `json:"ErrorInfo"`
}

func (p *Presences) statesCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "ws_get_user_status", By: command.Account, Family: im.FamilyAccount(), Feature: feature,
		Doc: "tell a client the states and custom statuses of accounts", Section: "wire.md#profile",
	}, p.tellStates)
}

func (p *Presences) tellStates(ctx context.Context, call *command.Call, r *namesRequest) (*statesReply, error) {
	found, unknown, err := p.named(ctx, call, r.To, im.MaxStatusPerCall)
	if err != nil {
		return nil, err
	}
	ids := make([]im.AccountID, len(found))
	for i, one := range found {
		ids[i] = one.ID
	}
	states, err := p.states(ctx, ids)
	if err != nil {
		return nil, err
	}
	reply := &statesReply{States: make([]wireState, 0, len(found)), Errors: unknown}
	for _, id := range ids {
		reply.States = append(reply.States, states[id].wire())
	}
	return reply, nil
}

// named finds the accounts that a call names, each once, in its order, and lists those that do not exist.
func (p *Presences) named(ctx context.Context, call *command.Call, userIDs []string, most int) ([]account.Account, []unknown, error) {
	if err := mustServe(call.App); err != nil {
		return nil, nil, err
	}
	if len(userIDs) == 0 || len(userIDs) > most {
		return nil, nil, im.Errorf(im.CodeAccountBatchSize, "%d accounts in one call: want 1 to %d", len(userIDs), most)
	}
	accounts, err := p.accounts.FindMany(ctx, call.App.ID, userIDs)
	if err != nil {
		return nil, nil, err
	}
	found, missing, seen := make([]account.Account, 0, len(userIDs)), []unknown{}, make(map[string]bool, len(userIDs))
	for _, userID := range userIDs {
		if seen[userID] {
			continue
		}
		seen[userID] = true
		if one, ok := accounts[userID]; ok {
			found = append(found, one)
		} else {
			missing = append(missing, unknown{userID, im.CodeAccountUnknown, "the account does not exist"})
		}
	}
	return found, missing, nil
}
