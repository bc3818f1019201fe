package message

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/account"
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
		Service: service, Name: "admin_set_msg_read", By: command.Administrator, Family: im.FamilyMessage(),
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
	reader, peer, err := m.parties(ctx, call, r.Reader, r.Peer)
	if err != nil {
		return nil, peerCode(err)
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
		Service: service, Name: "msgreaded", By: command.Member, Family: im.FamilyMessage(),
		Doc: "mark conversations read", Section: "wire.md#read-state",
	}, m.ownRead)
}

func (m *Messages) ownRead(ctx context.Context, call *command.Call, r *readRequest) (*command.None, error) {
	if len(r.Read.Items) > im.MaxAccountsPerCall {
		return nil, im.Errorf(im.CodeMessageAccounts, "%d conversations in one call: want at most %d",
			len(r.Read.Items), im.MaxAccountsPerCall)
	}
	for _, item := range r.Read.Items {
		reader, peer, err := m.parties(ctx, call, call.UserID, item.To)
		if err != nil {
			return nil, err
		}
		if err := m.markRead(ctx, call, reader, peer, item.Time); err != nil {
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

// markRead moves the reader's read mark to the second given, or to now when it is zero, and counts what is left. A mark
// never goes back, nor into the future, where it would swallow messages to come.
func (m *Messages) markRead(ctx context.Context, call *command.Call, reader, peer account.Account, until int64) error {
	chat, err := m.chat(ctx, reader, peer)
	if err != nil || chat == 0 {
		return err
	}
	var mark int64
	moved := false
	err = m.db.Write(ctx, func(tx *db.Tx) error {
		var err error
		if mark, moved, err = moveMark(ctx, tx, chat, reader.ID, until); err != nil || !moved {
			return err
		}
		// The peer's view changes too: a device of his that is away learns of the mark when it comes back.
		_, err = tx.Exec(`UPDATE conversation SET changed_at = $3 WHERE owner_id = $1 AND chat_id = $2`,
			int64(peer.ID), chat, tx.Now().UnixMilli())
		if err != nil {
			return err
		}
		return m.tellRead(ctx, tx, call, &readMark{reader, peer, mark})
	})
	if err != nil {
		return fmt.Errorf("mark read: %w", err)
	}
	if !moved {
		return nil
	}
	m.push(reader, call.Instance, ownRead(peer, mark))
	m.push(peer, own(call, reader, peer), peerRead(reader, mark))
	return nil
}

// countLeft counts at most as many as a conversation may have unread; usually the mark is at the end and it is none.
const countLeft = `SELECT COUNT(*) FROM (SELECT 1 FROM message WHERE chat_id = $1 AND sent_at > $2 AND from_id <> $3
	AND (flags & $4) = 0 AND (hidden & 2) = 0 AND sequence > $5 LIMIT 100000) AS unread_messages`

func moveMark(ctx context.Context, tx *db.Tx, chat int64, reader im.AccountID, until int64) (int64, bool, error) {
	now := tx.Now().Unix()
	if until == 0 || until > now {
		until = now
	}
	var mark, unread, uncounted int64
	_, err := db.One(ctx, tx, func(row db.Scanner) (struct{}, error) {
		return struct{}{}, row(&mark, &unread, &uncounted)
	}, `SELECT read_time, unread, uncounted FROM conversation WHERE owner_id = $1 AND chat_id = $2`, int64(reader), chat)
	if err == db.ErrNotFound { //nolint:errorlint // One returns it bare
		return 0, false, nil
	}
	if err != nil || until < mark || (until == mark && unread == 0) {
		return 0, false, err
	}
	left, err := db.One(ctx, tx, db.Number, countLeft, chat, until, int64(reader), int64(NoUnread|Recalled), uncounted)
	if err != nil {
		return 0, false, err
	}
	_, err = tx.Exec(`UPDATE conversation SET read_time = $3, unread = $4, changed_at = $5 WHERE owner_id = $1 AND chat_id = $2`,
		int64(reader), chat, until, left, tx.Now().UnixMilli())
	return until, err == nil, err
}

type peerReadTimeRequest struct {
	To []string `json:"To_Account"`
}

type peerReadTimeReply struct {
	Times []int64 `json:"ReadTime"`
}

func (m *Messages) peerReadTimeCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "get_peer_read_time", By: command.Member, Family: im.FamilyMessage(),
		Doc: "tell up to when peers have read", Section: "wire.md#read-state",
	}, m.peerReadTime)
}

// peerReadTime answers in the order of the request; 0 is unknown.
func (m *Messages) peerReadTime(ctx context.Context, call *command.Call, r *peerReadTimeRequest) (*peerReadTimeReply, error) {
	if len(r.To) > im.MaxAccountsPerCall {
		return nil, im.Errorf(im.CodeMessageAccounts, "%d accounts in one call: want at most %d", len(r.To), im.MaxAccountsPerCall)
	}
	found, err := m.accounts.FindMany(ctx, call.App.ID, r.To)
	if err != nil {
		return nil, err
	}
	byPeer := map[im.AccountID]int64{}
	ids := []any{int64(call.Account)}
	for _, one := range found {
		ids = append(ids, int64(one.ID))
	}
	if len(found) > 0 {
		err = db.Each(ctx, m.db, func(row db.Scanner) error {
			var owner, read int64
			err := row(&owner, &read)
			byPeer[im.AccountID(owner)] = read
			return err
		}, `SELECT theirs.owner_id, theirs.read_time FROM conversation AS mine
			JOIN conversation AS theirs ON theirs.chat_id = mine.chat_id AND theirs.owner_id = mine.peer_id
			WHERE mine.owner_id = $1 AND mine.peer_id IN (`+db.Places(2, len(found))+`)`, ids...)
		if err != nil {
			return nil, fmt.Errorf("read marks: %w", err)
		}
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

type unreadItem struct {
	Peer   string `json:"Peer_Account"`
	Unread int64  `json:"C2CUnreadMsgNum"`
}

type unreadError struct {
	Peer string  `json:"Peer_Account"`
	Code im.Code `json:"ErrorCode"`
}

type unreadReply struct {
	All    *int64        `json:"AllC2CUnreadMsgNum,omitempty"`
	List   []unreadItem  `json:"C2CUnreadMsgNumList,omitempty"`
	Errors []unreadError `json:"ErrorList,omitempty"`
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
	if len(r.Peers) > im.MaxUnreadPeers {
		return nil, im.Errorf(im.CodeMessageAccounts, "%d peers in one call: want at most %d", len(r.Peers), im.MaxUnreadPeers)
	}
	reader, err := m.party(ctx, call, r.To, im.CodeMessageReceiver)
	if err != nil {
		return nil, err
	}
	if len(r.Peers) == 0 {
		all, err := db.One(ctx, m.db, db.Number,
			`SELECT CAST(COALESCE(SUM(unread), 0) AS BIGINT) FROM conversation WHERE owner_id = $1`, int64(reader.ID))
		return &unreadReply{All: &all}, err
	}
	found, err := m.accounts.FindMany(ctx, call.App.ID, r.Peers)
	if err != nil {
		return nil, err
	}
	return m.unreadOf(ctx, reader, r.Peers, found)
}

func (m *Messages) unreadOf(
	ctx context.Context, reader account.Account, peers []string, found map[string]account.Account,
) (*unreadReply, error) {
	args := []any{int64(reader.ID)}
	for _, one := range found {
		args = append(args, int64(one.ID))
	}
	counts := map[im.AccountID]int64{}
	if len(found) > 0 {
		err := db.Each(ctx, m.db, func(row db.Scanner) error {
			var peer, unread int64
			err := row(&peer, &unread)
			counts[im.AccountID(peer)] = unread
			return err
		}, `SELECT peer_id, unread FROM conversation WHERE owner_id = $1 AND peer_id IN (`+db.Places(2, len(found))+`)`, args...)
		if err != nil {
			return nil, fmt.Errorf("count unread: %w", err)
		}
	}
	reply := &unreadReply{}
	for _, userID := range peers {
		if one, ok := found[userID]; ok {
			reply.List = append(reply.List, unreadItem{userID, counts[one.ID]})
		} else {
			reply.Errors = append(reply.Errors, unreadError{userID, im.CodeAccountUnknown})
		}
	}
	return reply, nil
}
