package conversation

import (
	"context"

	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
)

// receiveOption is how an account hears of the messages of a conversation. Its numbers are stored, and those of the wire.
type receiveOption int

// The receive options. The zero receiveOption is the default.
const (
	receiveAll receiveOption = iota
	receiveNothing
	receiveSilently
	receiveMentions // told when a message mentions the account, else silently; of groups only
)

// receiveOptionOf is a member's way to receive as the list of conversations says it.
func receiveOptionOf(of group.Receive) int {
	switch of {
	case group.Discard:
		return int(receiveNothing)
	case group.AcceptNotNotify:
		return int(receiveSilently)
	case group.AcceptNotNotifyExceptAt:
		return int(receiveMentions)
	case group.AcceptAndNotify:
	}
	return int(receiveAll)
}

// messageService is where clients choose how they hear of messages.
const messageService = "openim"

type muteRequest struct {
	Peers []string       `json:"Peer_Account"`
	To    *receiveOption `json:"Mute_Notifications"`
}

type muteError struct {
	User string  `json:"User_Account"`
	Peer string  `json:"Peer_Account"`
	Code im.Code `json:"ErrorCode"`
}

type muteReply struct {
	Errors []muteError `json:"ErrorList"`
}

// mutesInCall bounds the peers for whom one call chooses how to hear of them.
const mutesInCall = 100

func (c *Conversations) muteCommand() command.Command {
	return command.New(command.Spec{
		Service: messageService, Name: "set_c2c_peer_mute_notifications", By: command.Account, Family: im.FamilyMessage(),
		Doc: "choose how one hears of peers' messages", Section: "wire.md#do-not-disturb",
	}, c.mute)
}

// mute chooses for each peer by itself; one that never was is in the list of errors. It does not ask whether there is a
// conversation yet.
func (c *Conversations) mute(ctx context.Context, call *command.Call, r *muteRequest) (*muteReply, error) {
	if len(r.Peers) == 0 || len(r.Peers) > mutesInCall {
		return nil, im.Errorf(im.CodeMessageAccounts, "%d accounts in one call: want 1 to %d", len(r.Peers), mutesInCall)
	}
	if r.To == nil || *r.To < receiveAll || *r.To > receiveSilently {
		return nil, im.Errorf(im.CodeMessageFormat, "Mute_Notifications: want 0, 1 or 2")
	}
	owner, err := c.owner(ctx, call, call.UserID)
	if err != nil {
		return nil, err
	}
	contacts := make([]contact, len(r.Peers))
	for i, peer := range r.Peers {
		contacts[i] = contact{Type: typeC2C, To: peer}
	}
	all, err := c.targets(ctx, call, owner, contacts)
	if err != nil {
		return nil, err
	}
	err = c.choose(ctx, owner, func(ch *chooser) (refused, err error) {
		for i := range all {
			if all[i].refused == nil {
				ch.set(all[i].choiceKey).receive = *r.To
			}
		}
		return nil, nil
	})
	if err != nil {
		return nil, err
	}
	reply := &muteReply{Errors: []muteError{}}
	for i := range all {
		if all[i].refused != nil {
			reply.Errors = append(reply.Errors, muteError{r.Peers[i], r.Peers[i], im.CodeAccountUnknown})
			continue
		}
		c.push(call, owner.ID, mutes.Of([]muteEvent{{muteChange{all[i].name, *r.To}}}))
	}
	return reply, nil
}

// mutes tells an account's other devices how it hears of a peer's messages. A push has one value, as clients walk the whole list
// again for each.
var mutes = event.Define[[]muteEvent](10, "C2cNotifyMsgArray")

type muteEvent struct {
	Sync muteChange `json:"MuteNotificationsSync"`
}

type muteChange struct {
	Peer string        `json:"To_Account"`
	To   receiveOption `json:"MuteNotifications"`
}

type mutedRequest struct {
	Peers []string `json:"Peer_Account"`
}

type muted struct {
	Peer string        `json:"Peer_Account"`
	Mute receiveOption `json:"MuteNotifications"`
}

type mutedReply struct {
	Items []muted `json:"MuteNotificationsList"`
}

func (c *Conversations) mutedCommand() command.Command {
	return command.New(command.Spec{
		Service: messageService, Name: "get_c2c_peer_mute_notifications", By: command.Account, Family: im.FamilyMessage(),
		Doc: "tell how one hears of peers' messages", Section: "wire.md#do-not-disturb",
	}, c.muted)
}

// muted answers for every peer asked about: a client leaves a conversation of which it hears nothing out of its total of unread
// messages.
func (c *Conversations) muted(ctx context.Context, call *command.Call, r *mutedRequest) (*mutedReply, error) {
	if len(r.Peers) > im.MaxPeersPerCall {
		return nil, im.Errorf(im.CodeMessageAccounts, "%d accounts in one call: want at most %d", len(r.Peers), im.MaxPeersPerCall)
	}
	all, err := c.choices(ctx, c.db, call.Account)
	if err != nil {
		return nil, err
	}
	reply := &mutedReply{Items: make([]muted, 0, len(r.Peers))}
	if len(all) == 0 {
		for _, peer := range r.Peers {
			reply.Items = append(reply.Items, muted{Peer: peer})
		}
		return reply, nil
	}
	found, err := c.accounts.FindManyEver(ctx, call.App.ID, r.Peers)
	if err != nil {
		return nil, err
	}
	for _, peer := range r.Peers {
		one := muted{Peer: peer}
		if of, ok := found[peer]; ok {
			one.Mute = all.of(choiceKey{chat.OneToOne, int64(of.ID)}).receive
		}
		reply.Items = append(reply.Items, one)
	}
	return reply, nil
}
