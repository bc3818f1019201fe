package message

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// syncRequest asks for what came while a device was away (docs/protocol/wire.md#offline-sync).
type syncRequest struct {
	Cookie string `json:"Cookie"`
}

// syncEntry is a message, or a stored notice in its place.
type syncEntry struct {
	*Item
	From   string       `json:"-"`
	Notice []syncNotice `json:"EventArray,omitempty"`
}

// MarshalJSON writes the message as it is, and a notice with its peer.
func (e syncEntry) MarshalJSON() ([]byte, error) {
	if e.Item != nil {
		return marshal(e.Item)
	}
	return marshal(struct {
		From  string       `json:"From_Account"`
		Event []syncNotice `json:"EventArray"`
	}{e.From, e.Notice})
}

type syncNotice struct {
	Event  int            `json:"Event"`
	Notice []recallNotice `json:"C2cNotifyMsgArray"`
}

type pairUnread struct {
	From   string `json:"From_Account"`
	Unread int64  `json:"UnreadCount"`
}

type syncReply struct {
	Cookie    string       `json:"Cookie"`
	SyncFlag  int          `json:"SyncFlag"` // 1 more to come, 2 the end
	Messages  []syncEntry  `json:"MsgList"`
	Unread    []pairUnread `json:"C2CPairUnreadCount"`
	Remaining []struct{}   `json:"C2CRemainingUnreadCount"`
	Events    []struct{}   `json:"EventArray"`
}

const (
	syncMore = 1
	syncEnd  = 2
	// syncBatch ends a reply once it holds so many messages; the next call goes on.
	syncBatch = 200
	// syncOverlap is read twice, because another node may commit a little later than its clock said. Clients drop what
	// they have.
	syncOverlap = 10 * time.Second
	// recallsScanned is how many of a chat's newest messages are searched for recalls that a device missed.
	recallsScanned = 200
)

// cookie says where a device stands: it has everything that changed before since (unix milliseconds; 0 for a device
// that is new here and gets what is unread), and in the running sync it has the conversations up to changed and chat.
type cookie struct {
	since, until  int64
	changed, chat int64
}

func (c cookie) String() string {
	return strings.Join([]string{itoa(c.since), itoa(c.until), itoa(c.changed), itoa(c.chat)}, ".")
}

// readCookie reads a cookie; anything else counts as a new device, as the interface calls the cookie opaque.
func readCookie(text string) cookie {
	parts := strings.Split(text, ".")
	var c cookie
	for i, field := range []*int64{&c.since, &c.until, &c.changed, &c.chat} {
		if len(parts) != 4 {
			return cookie{}
		}
		n, err := strconv.ParseInt(parts[i], 10, 64)
		if err != nil || n < 0 {
			return cookie{}
		}
		*field = n
	}
	return c
}

func (m *Messages) syncCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "getmsg", Doors: command.Client, Family: im.FamilyMessage(),
		Doc: "bring a device what came while it was away", Section: "wire.md#offline-sync",
	}, m.sync)
}

func (m *Messages) sync(ctx context.Context, actor *im.Actor, r *syncRequest) (*syncReply, error) {
	at := readCookie(r.Cookie)
	reply := &syncReply{Messages: []syncEntry{}, Unread: []pairUnread{}, Remaining: []struct{}{}, Events: []struct{}{}}
	first := at.until == 0
	if first {
		at.until = m.db.Now().UnixMilli()
	}
	moved, err := m.moved(ctx, actor, at)
	if err != nil {
		return nil, err
	}
	me, err := m.accounts.Find(ctx, actor.App.ID, actor.UserID)
	if err != nil {
		return nil, err
	}
	if first {
		if reply.Unread, err = m.unreadPairs(ctx, me); err != nil {
			return nil, err
		}
	}
	done, err := m.fill(ctx, reply, me, moved, &at)
	if err != nil {
		return nil, err
	}
	reply.SyncFlag = syncMore
	if done {
		reply.SyncFlag, at = syncEnd, cookie{since: at.until}
	}
	reply.Cookie = at.String()
	return reply, nil
}

// movedChat is a conversation in which something happened.
type movedChat struct {
	chat, readTime, cleared, changed int64
	peer                             im.AccountID
}

// A device that is new here gets the conversations with unread messages, one that was away those that changed.
const (
	selectUnreadChats = `SELECT chat_id, peer_id, read_time, cleared, changed_at FROM conversation
		WHERE owner_id = $1 AND unread > 0 AND (changed_at, chat_id) > ($2, $3) ORDER BY changed_at, chat_id LIMIT $4`
	selectMovedChats = `SELECT chat_id, peer_id, read_time, cleared, changed_at FROM conversation
		WHERE owner_id = $1 AND (changed_at, chat_id) > ($2, $3) ORDER BY changed_at, chat_id LIMIT $4`
)

func (m *Messages) moved(ctx context.Context, actor *im.Actor, at cookie) ([]movedChat, error) {
	query, from := selectUnreadChats, at.changed
	if at.since > 0 {
		query, from = selectMovedChats, max(at.changed, at.since-syncOverlap.Milliseconds())
	}
	moved, err := db.All(ctx, m.db, func(row db.Scanner) (movedChat, error) {
		var c movedChat
		err := row(&c.chat, &c.peer, &c.readTime, &c.cleared, &c.changed)
		return c, err
	}, query, int64(actor.Account), from, at.chat, im.MaxOfflineChats)
	if err != nil {
		return nil, fmt.Errorf("list moved conversations: %w", err)
	}
	return moved, nil
}

// fill puts the conversations' messages into the reply until it is full, moves the cookie over those that it holds,
// and tells whether all are in it.
func (m *Messages) fill(ctx context.Context, reply *syncReply, me account.Account, moved []movedChat, at *cookie) (bool, error) {
	ids := make([]im.AccountID, 0, len(moved))
	for _, c := range moved {
		ids = append(ids, c.peer)
	}
	peers, err := m.accounts.ByID(ctx, ids)
	if err != nil {
		return false, err
	}
	for _, c := range moved {
		if len(reply.Messages) >= syncBatch {
			return false, nil
		}
		entries, err := m.missed(ctx, me, peers[c.peer], c, *at)
		if err != nil {
			return false, err
		}
		reply.Messages = append(reply.Messages, entries...)
		at.changed, at.chat = c.changed, c.chat
	}
	return len(moved) < im.MaxOfflineChats, nil
}

// What a new device misses of a chat are the peer's messages after the read mark that are still to be delivered to
// devices that were away; what one that was away misses is everything newer than its cookie.
const (
	selectOffline = `SELECT ` + storedColumns + ` FROM message WHERE chat_id = $1 AND sent_at > $2 AND sequence > $3
		AND from_id <> $4 AND (hidden & 2) = 0 AND offline_until > $5 ORDER BY sent_at DESC, sequence DESC LIMIT $6`
	selectMissed = `SELECT ` + storedColumns + ` FROM (SELECT * FROM message WHERE chat_id = $1
		ORDER BY sent_at DESC, sequence DESC LIMIT $6) AS newest WHERE id >= $2 AND sequence > $3
		AND ((from_id = $4 AND (hidden & 1) = 0) OR (from_id <> $4 AND (hidden & 2) = 0 AND offline_until > $5))
		ORDER BY sent_at DESC, sequence DESC`
	selectRecalls = `SELECT ` + storedColumns + ` FROM (SELECT * FROM message WHERE chat_id = $1
		ORDER BY sent_at DESC, sequence DESC LIMIT $4) AS newest WHERE changed_at >= $2 AND (flags & $3) <> 0 AND id < $5
		ORDER BY sent_at, sequence`
)

func (m *Messages) missed(ctx context.Context, me, peer account.Account, c movedChat, at cookie) ([]syncEntry, error) {
	now := m.db.Now().Unix()
	query, from := selectOffline, c.readTime
	floor := int64(0)
	if at.since > 0 {
		floor = db.IDFloor(time.UnixMilli(at.since).Add(-syncOverlap))
		query, from = selectMissed, floor
	}
	messages, err := allStored(ctx, m.db, query, c.chat, from, c.cleared, int64(me.ID), now, im.MaxOfflinePerChat)
	if err != nil {
		return nil, fmt.Errorf("read missed messages: %w", err)
	}
	slices.Reverse(messages)
	entries := make([]syncEntry, 0, len(messages))
	readBy := map[im.AccountID]int64{peer.ID: c.readTime}
	for i := range messages {
		it := messages[i].item(me, peer, readBy)
		entries = append(entries, syncEntry{Item: &it})
	}
	if at.since == 0 {
		return entries, nil
	}
	recalls, err := allStored(ctx, m.db, selectRecalls, c.chat, at.since-syncOverlap.Milliseconds(), int64(Recalled),
		recallsScanned, floor)
	if err != nil {
		return nil, fmt.Errorf("read missed recalls: %w", err)
	}
	for i := range recalls {
		from, to := me, peer
		if recalls[i].from == peer.ID {
			from, to = peer, me
		}
		entries = append(entries, syncEntry{
			From: peer.UserID, Notice: []syncNotice{{Event: 10, Notice: []recallNotice{recallOf(from, to, &recalls[i])}}},
		})
	}
	return entries, nil
}

// unreadPairs lists the conversations with unread messages: the only place where a web client learns the counts.
func (m *Messages) unreadPairs(ctx context.Context, me account.Account) ([]pairUnread, error) {
	pairs := []pairUnread{}
	err := db.Each(ctx, m.db, func(row db.Scanner) error {
		var p pairUnread
		err := row(&p.From, &p.Unread)
		pairs = append(pairs, p)
		return err
	}, `SELECT a.user_id, c.unread FROM conversation c JOIN account a ON a.id = c.peer_id
		WHERE c.owner_id = $1 AND c.unread > 0 ORDER BY c.last_time DESC LIMIT $2`, int64(me.ID), im.MaxStatusPerCall)
	if err != nil {
		return nil, fmt.Errorf("list unread: %w", err)
	}
	return pairs, nil
}
