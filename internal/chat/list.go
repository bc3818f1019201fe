package chat

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// Listed is a conversation in its owner's list.
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

// Stretch asks for a part of a list: what changed since a unix millisecond, from an offset on.
type Stretch struct {
	Since         int64
	Limit, Offset int
}

// The conversations are chosen before what goes with them is looked up.
const selectListed = `SELECT v.chat_id, v.peer_id, COALESCE(m.sent_at, v.last_ord), v.unread, COALESCE(p.read_time, 0), m.id IS NOT NULL,
	COALESCE(m.from_id, 0), COALESCE(m.msg_seq, 0), COALESCE(m.msg_random, 0), COALESCE(m.flags, 0),
	COALESCE(m.body, ''), COALESCE(m.cloud_data, ''), COALESCE(m.revoker, ''), COALESCE(m.revoke_reason, '')
FROM (SELECT v.owner_id, v.chat_id, v.peer_id, v.cleared, ` + unreadOf + ` AS unread, ` + lastIDOf + ` AS last_id, ` + lastOrdOf + ` AS last_ord
	FROM ` + conversations + ` WHERE v.owner_id = $1 AND ` + listedOf + ` AND ` + changedOf + ` >= $2
	ORDER BY last_ord DESC, v.chat_id DESC LIMIT $3 OFFSET $4) AS v
LEFT JOIN conversation p ON p.owner_id = v.peer_id AND p.chat_id = v.chat_id AND p.owner_id <> v.owner_id
LEFT JOIN message m ON m.id = v.last_id AND m.sequence > v.cleared
ORDER BY v.last_ord DESC, v.chat_id DESC`

// List reads a stretch of an account's list, newest first.
func (c *Chats) List(ctx context.Context, from db.Source, owner im.AccountID, s Stretch) ([]Listed, error) {
	list, err := db.All(ctx, from, func(row db.Scanner) (Listed, error) {
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
		return l, err
	}, selectListed, int64(owner), s.Since, s.Limit, s.Offset)
	if err != nil {
		return nil, fmt.Errorf("list conversations: %w", err)
	}
	return list, nil
}
