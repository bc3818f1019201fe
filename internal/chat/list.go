package chat

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// Recent is a chat of two in the order of its owner's list of conversations.
type Recent struct {
	Chat int64
	Peer im.AccountID
	// Order is that of the last message, a unix second, and Last its id.
	Order, Last int64
	// Changed is when anything of it changed, in unix milliseconds.
	Changed int64
	// Empty says that the owner sees no message of those that move the list.
	Empty bool
}

const selectRecent = `SELECT v.chat_id, v.peer_id, ` + lastOrdOf + ` AS last_ord, ` + lastIDOf + ` AS last_id, ` + changedOf + `,
	CASE v.side WHEN 0 THEN c.low_listed ELSE c.high_listed END <= v.cleared OR ` + lastIDOf + ` = 0
FROM ` + conversations + ` WHERE v.owner_id = $1 AND ` + listedOf + `
ORDER BY CASE WHEN v.peer_id IN ($2...) THEN 0 ELSE 1 END, last_ord DESC, last_id DESC, v.peer_id DESC LIMIT $3`

// Recent lists an account's conversations with others: those with the first peers before all others, and the newest before
// older ones, of one second those whose last message has the higher id.
func (c *Chats) Recent(ctx context.Context, from db.Source, owner im.AccountID, first []im.AccountID, limit int) ([]Recent, error) {
	list, err := db.All(ctx, from, func(row db.Scanner) (Recent, error) {
		var r Recent
		err := row(&r.Chat, &r.Peer, &r.Order, &r.Last, &r.Changed, &r.Empty)
		return r, err
	}, selectRecent, int64(owner), db.Ints(first), limit)
	if err != nil {
		return nil, fmt.Errorf("list conversations: %w", err)
	}
	return list, nil
}

// Listed is a conversation with another account as its owner's list shows it.
type Listed struct {
	Chat int64
	Peer im.AccountID
	// Time is when the last message was sent, a unix second.
	Time   int64
	Unread int64
	// PeerReadTime is up to when the peer has read, a unix second.
	PeerReadTime int64
	// Last is the last message, as far as a list shows it; nil when the owner does not see it any more.
	Last *Message
}

const selectListed = `SELECT v.chat_id, v.peer_id, COALESCE(m.sent_at, v.last_ord), v.unread, COALESCE(p.read_time, 0), m.id IS NOT NULL,
	COALESCE(m.from_id, 0), COALESCE(m.msg_seq, 0), COALESCE(m.msg_random, 0), COALESCE(m.flags, 0),
	COALESCE(m.body, ''), COALESCE(m.cloud_data, ''), COALESCE(m.revoker, ''), COALESCE(m.revoke_reason, '')
FROM (SELECT v.owner_id, v.chat_id, v.peer_id, v.cleared, ` + unreadOf + ` AS unread, ` + lastIDOf + ` AS last_id, ` + lastOrdOf + ` AS last_ord
	FROM ` + conversations + ` WHERE v.owner_id = $1 AND v.chat_id IN ($2...)) AS v
LEFT JOIN conversation p ON p.owner_id = v.peer_id AND p.chat_id = v.chat_id AND p.owner_id <> v.owner_id
LEFT JOIN message m ON m.id = v.last_id AND m.sequence > v.cleared`

// List reads what an account's list shows of its conversations of those chats, by chat.
func (c *Chats) List(ctx context.Context, from db.Source, owner im.AccountID, chats []int64) (map[int64]Listed, error) {
	found := make(map[int64]Listed, len(chats))
	if len(chats) == 0 {
		return found, nil
	}
	err := db.Each(ctx, from, func(row db.Scanner) error {
		var (
			l    Listed
			last Message
			has  bool
		)
		err := row(&l.Chat, &l.Peer, &l.Time, &l.Unread, &l.PeerReadTime, &has,
			&last.From, &last.Seq, &last.Random, &last.Flags, &last.Body, &last.CloudData, &last.Revoker, &last.Reason)
		if has {
			l.Last = &last
		}
		found[l.Chat] = l
		return err
	}, selectListed, int64(owner), db.Ints(chats))
	if err != nil {
		return nil, fmt.Errorf("list conversations: %w", err)
	}
	return found, nil
}
