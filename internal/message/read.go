package message

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

type adminReadRequest struct {
	Reader string      `json:"Report_Account"`
	Peer   string      `json:"Peer_Account"`
	Time   wire.Number `json:"MsgReadTime"`
}

func (m *Messages) adminReadCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "admin_set_msg_read", By: command.Administrator, Family: im.FamilyMessage(), Codes: peerCodes(),
		Doc: "mark a conversation read for an account", Section: "rest.md#admin_set_msg_read",
	}, m.adminRead)
}

func (m *Messages) adminRead(ctx context.Context, call *command.Call, r *adminReadRequest) (*command.None, error) {
	if r.Reader == "" {
		return nil, im.Errorf(im.CodeMessageSender, "Report_Account is missing")
	}
	if r.Time < 0 {
		return nil, im.Errorf(im.CodeMessageFormat, "MsgReadTime is %d: want unix seconds", r.Time)
	}
	reader, peer, err := m.ownParties(ctx, call.App, r.Reader, r.Peer)
	if err != nil {
		return nil, err
	}
	return nil, m.markRead(ctx, call, reader, peer, int64(r.Time))
}

type readRequest struct {
	Read struct {
		Items []struct {
			To   string `json:"To_Account"`
			Time int64  `json:"LastedMsgTime"`
		} `json:"C2CMsgReadedItem"`
	} `json:"C2CMsgReaded"`
}

func (m *Messages) readCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "msgreaded", By: command.Account, Family: im.FamilyMessage(), Codes: sendCodes(),
		Doc: "mark conversations read", Section: "wire.md#read-state",
	}, m.ownRead)
}

func (m *Messages) ownRead(ctx context.Context, call *command.Call, r *readRequest) (*command.None, error) {
	if len(r.Read.Items) > im.MaxAccountsPerCall {
		return nil, im.Errorf(im.CodeMessageAccounts, "%d conversations in one call: want at most %d",
			len(r.Read.Items), im.MaxAccountsPerCall)
	}
	for _, read := range r.Read.Items {
		reader, peer, err := m.ownParties(ctx, call.App, call.UserID, read.To)
		if err != nil {
			return nil, err
		}
		if err := m.markRead(ctx, call, reader, peer, read.Time); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// readMark says up to which second a reader has read a peer's messages.
type readMark struct {
	reader, peer account.Account
	until        int64
}

// markRead moves the reader's read mark to the second given, or to now when it is zero.
func (m *Messages) markRead(ctx context.Context, call *command.Call, reader, peer account.Account, until int64) error {
	id, err := m.chats.Find(ctx, ChatOf(reader, peer))
	if err != nil || id == 0 {
		return err
	}
	var mark chat.Mark
	err = m.db.Write(ctx, func(tx *db.Tx) error {
		var err error
		if mark, err = m.chats.MarkRead(ctx, tx, id, chat.Reader{Account: reader.ID, Peer: peer.ID}, until); err != nil || !mark.Moved {
			return err
		}
		return m.tellRead(ctx, tx, call, &readMark{reader, peer, mark.Time})
	})
	if err != nil {
		return fmt.Errorf("mark read: %w", err)
	}
	if !mark.Moved {
		return nil
	}
	m.push(reader, call.Device, ownRead(peer, mark.Time))
	m.push(peer, own(call, reader, peer), peerRead(reader, mark.Time))
	return nil
}

type peerReadTimeRequest struct {
	To []string `json:"To_Account"`
}

type peerReadTimeReply struct {
	Times []int64 `json:"ReadTime"`
}

func (m *Messages) peerReadTimeCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "get_peer_read_time", By: command.Account, Family: im.FamilyMessage(),
		Doc: "tell up to when peers have read", Section: "wire.md#read-state",
	}, m.peerReadTime)
}

// peerReadTime answers in the order of the request; 0 is unknown.
func (m *Messages) peerReadTime(ctx context.Context, call *command.Call, r *peerReadTimeRequest) (*peerReadTimeReply, error) {
	if len(r.To) > im.MaxPeersPerCall {
		return nil, im.Errorf(im.CodeMessageAccounts, "%d accounts in one call: want at most %d", len(r.To), im.MaxPeersPerCall)
	}
	found, err := m.accounts.FindManyEver(ctx, call.App.ID, r.To)
	if err != nil {
		return nil, err
	}
	byPeer, err := m.chats.PeersRead(ctx, call.Account, numbers(found))
	if err != nil {
		return nil, err
	}
	reply := &peerReadTimeReply{Times: make([]int64, 0, len(r.To))}
	for _, userID := range r.To {
		reply.Times = append(reply.Times, byPeer[found[userID].ID])
	}
	return reply, nil
}

type unreadRequest struct {
	To    string   `json:"To_Account"`
	Peers []string `json:"Peer_Account"`
}

type unreadCount struct {
	Peer   string `json:"Peer_Account"`
	Unread int64  `json:"C2CUnreadMsgNum"`
}

type unreadError struct {
	Peer string  `json:"Peer_Account"`
	Code im.Code `json:"ErrorCode"`
}

// unreadReply has All when no peer was named, and the two lists otherwise, also when they are empty.
type unreadReply struct {
	All    *int64        `json:"AllC2CUnreadMsgNum,omitempty"`
	List   []unreadCount `json:"C2CUnreadMsgNumList,omitzero"`
	Errors []unreadError `json:"ErrorList,omitzero"`
}

func (m *Messages) unreadCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "get_c2c_unread_msg_num", By: command.Administrator, Family: im.FamilyMessage(),
		Fields: map[string]im.Code{"To_Account": im.CodeMessageReceiver},
		Doc:    "tell how many messages an account has not read", Section: "rest.md#get_c2c_unread_msg_num",
	}, m.unread)
}

// unread gives the total when no peer is named, and one count per peer otherwise.
func (m *Messages) unread(ctx context.Context, call *command.Call, r *unreadRequest) (*unreadReply, error) {
	if r.To == "" {
		return nil, im.Errorf(im.CodeMessageReceiver, "To_Account is missing")
	}
	if len(r.Peers) > maxUnreadPeers {
		return nil, im.Errorf(im.CodeMessageAccounts, "%d peers in one call: want at most %d", len(r.Peers), maxUnreadPeers)
	}
	reader, err := m.party(ctx, call.App, r.To, im.CodeMessageReceiver)
	if err != nil {
		return nil, err
	}
	if len(r.Peers) == 0 {
		counts, err := m.chats.Unread(ctx, m.db, []im.AccountID{reader.ID})
		all := counts[reader.ID]
		return &unreadReply{All: &all}, err
	}
	found, err := m.accounts.FindManyEver(ctx, call.App.ID, r.Peers)
	if err != nil {
		return nil, err
	}
	return m.unreadOf(ctx, reader, r.Peers, found)
}

func (m *Messages) unreadOf(
	ctx context.Context, reader account.Account, peers []string, found map[string]account.Account,
) (*unreadReply, error) {
	counts, err := m.chats.UnreadOf(ctx, reader.ID, numbers(found))
	if err != nil {
		return nil, err
	}
	reply := &unreadReply{List: []unreadCount{}, Errors: []unreadError{}}
	for _, userID := range peers {
		if one, ok := found[userID]; ok {
			reply.List = append(reply.List, unreadCount{userID, counts[one.ID]})
		} else {
			reply.Errors = append(reply.Errors, unreadError{userID, im.CodeAccountUnknown})
		}
	}
	return reply, nil
}

func numbers(of map[string]account.Account) []im.AccountID {
	ids := make([]im.AccountID, 0, len(of))
	for _, one := range of {
		ids = append(ids, one.ID)
	}
	return ids
}
