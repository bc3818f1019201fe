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
	"github.com/magpie-im/magpie/internal/event"
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
	me, err := m.accounts.Find(ctx, actor.App.ID, actor.UserID)
	if err != nil {
		return nil, err
	}
	p := puller{accounts: m.accounts, me: me, now: m.db.Now(), at: &at}
	var done bool
	// One snapshot, because the client adds up: a message that is in the list and not in the count stays uncounted.
	err = m.db.InSnapshot(ctx, func(from *db.Snapshot) error {
		p.from = from
		done, err = p.pull(ctx, reply, first)
		return err
	})
	if err != nil {
		return nil, err
	}
	event.ReportSync(ctx, p.upTo, done)
	reply.SyncFlag = syncMore
	if done {
		reply.SyncFlag, at = syncEnd, cookie{since: at.until}
	}
	reply.Cookie = at.String()
	return reply, nil
}

// puller reads one page of a sync on one snapshot.
type puller struct {
	accounts *account.Accounts
	from     *db.Snapshot
	me       account.Account
	now      time.Time
	at       *cookie
	upTo     event.Synced // on the first page: what the snapshot holds of chats that moved lately
}

func (p *puller) pull(ctx context.Context, reply *syncReply, first bool) (bool, error) {
	moved, err := p.moved(ctx)
	if err != nil {
		return false, err
	}
	if first {
		if reply.Unread, err = p.unreadPairs(ctx); err != nil {
			return false, err
		}
		if p.upTo, err = p.sequences(ctx); err != nil {
			return false, err
		}
	}
	return p.fill(ctx, reply, moved)
}

// lately is how far back chats are looked at for what a device may have been pushed since it logged in.
const lately = time.Minute

// sequences reads the newest sequence of each chat that moved lately.
func (p *puller) sequences(ctx context.Context) (event.Synced, error) {
	upTo := event.Synced{}
	err := db.Each(ctx, p.from, func(row db.Scanner) error {
		var chat, last int64
		err := row(&chat, &last)
		upTo[chat] = last
		return err
	}, `SELECT c.id, c.last_sequence FROM conversation v JOIN chat c ON c.id = v.chat_id
		WHERE v.owner_id = $1 AND v.changed_at >= $2`, int64(p.me.ID), p.now.Add(-lately).UnixMilli())
	if err != nil {
		return nil, fmt.Errorf("read sequences: %w", err)
	}
	return upTo, nil
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

func (p *puller) moved(ctx context.Context) ([]movedChat, error) {
	query, from := selectUnreadChats, p.at.changed
	if p.at.since > 0 {
		query, from = selectMovedChats, max(p.at.changed, p.at.since-syncOverlap.Milliseconds())
	}
	moved, err := db.All(ctx, p.from, func(row db.Scanner) (movedChat, error) {
		var c movedChat
		err := row(&c.chat, &c.peer, &c.readTime, &c.cleared, &c.changed)
		return c, err
	}, query, int64(p.me.ID), from, p.at.chat, im.MaxOfflineChats)
	if err != nil {
		return nil, fmt.Errorf("list moved conversations: %w", err)
	}
	return moved, nil
}

// fill puts the conversations' messages into the reply until it is full, moves the cookie over those that it holds,
// and tells whether all are in it.
func (p *puller) fill(ctx context.Context, reply *syncReply, moved []movedChat) (bool, error) {
	ids := make([]im.AccountID, 0, len(moved))
	for _, c := range moved {
		ids = append(ids, c.peer)
	}
	peers, err := p.accounts.ByID(ctx, p.from, ids)
	if err != nil {
		return false, err
	}
	for _, c := range moved {
		if len(reply.Messages) >= syncBatch {
			return false, nil
		}
		entries, err := p.missed(ctx, peers[c.peer], c)
		if err != nil {
			return false, err
		}
		reply.Messages = append(reply.Messages, entries...)
		p.at.changed, p.at.chat = c.changed, c.chat
	}
	return len(moved) < im.MaxOfflineChats, nil
}

// A message that was recalled meanwhile is listed as such and has a notice too: a client that knows the message takes
// only the notice.
//
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
		ORDER BY sent_at DESC, sequence DESC LIMIT $4) AS newest WHERE changed_at >= $2 AND (flags & $3) <> 0
		ORDER BY sent_at, sequence`
)

func (p *puller) missed(ctx context.Context, peer account.Account, c movedChat) ([]syncEntry, error) {
	me, at := p.me, p.at
	query, from := selectOffline, c.readTime
	floor := int64(0)
	if at.since > 0 {
		floor = db.IDFloor(time.UnixMilli(at.since).Add(-syncOverlap))
		query, from = selectMissed, floor
	}
	messages, err := allStored(ctx, p.from, query, c.chat, from, c.cleared, int64(me.ID), p.now.Unix(), im.MaxOfflinePerChat)
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
	recalls, err := allStored(ctx, p.from, selectRecalls, c.chat, at.since-syncOverlap.Milliseconds(), int64(Recalled),
		recallsScanned)
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
func (p *puller) unreadPairs(ctx context.Context) ([]pairUnread, error) {
	pairs := []pairUnread{}
	err := db.Each(ctx, p.from, func(row db.Scanner) error {
		var pair pairUnread
		err := row(&pair.From, &pair.Unread)
		pairs = append(pairs, pair)
		return err
	}, `SELECT a.user_id, c.unread FROM conversation c JOIN account a ON a.id = c.peer_id
		WHERE c.owner_id = $1 AND c.unread > 0 ORDER BY c.last_time DESC LIMIT $2`, int64(p.me.ID), im.MaxStatusPerCall)
	if err != nil {
		return nil, fmt.Errorf("list unread: %w", err)
	}
	return pairs, nil
}
