package chat

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// Mark is where an account stands in a chat after it has read.
type Mark struct {
	// Time is up to when it has read, as others are told: a unix second.
	Time int64
	// Moved is false when the mark stood there or further already, or the account has no conversation of the chat.
	Moved bool
}

// Reader is who reads a chat of two, and whose messages.
type Reader struct{ Account, Peer im.AccountID }

// MarkRead moves an account's read mark up to the messages sent at a second, and counts what is left unread. 0 is now.
// The second comes from outside and is turned into a sequence here: messages that are stored later are unread, also those
// of that same second. A mark never goes back, nor beyond the newest message, where later messages would count as read.
func (c *Chats) MarkRead(ctx context.Context, tx *db.Tx, chat int64, by Reader, second int64) (Mark, error) {
	for range editAttempts {
		v, err := readStanding(ctx, tx, chat, by.Account)
		if err != nil || v == nil {
			return Mark{}, err
		}
		next, err := v.nextMark(ctx, tx, second)
		if err != nil || !next.Moved {
			return Mark{}, err
		}
		if moved, err := v.move(tx, by, next); err != nil || moved {
			return next.Mark, err
		}
	}
	return Mark{}, errors.New("other nodes move the same mark all the time")
}

// newMark is what MarkRead makes of a conversation.
type newMark struct {
	Mark
	order, sequence, unread int64
}

// nextMark is where the mark comes to stand by a second.
func (v *standing) nextMark(ctx context.Context, tx *db.Tx, second int64) (newMark, error) {
	now := tx.Now().Unix()
	if second == 0 {
		second = max(now, v.newest)
	}
	second = min(second, max(now, v.newest))
	sequence, unread, err := v.leftAt(ctx, tx, second)
	if err != nil {
		return newMark{}, err
	}
	if sequence < v.Read.Sequence || sequence == v.Read.Sequence && v.unread == unread && second <= v.ReadTime {
		return newMark{}, nil
	}
	mark := Mark{Time: max(min(second, now), v.ReadTime), Moved: true}
	return newMark{mark, max(min(second, v.newest), v.Read.Order), sequence, unread}, nil
}

// move writes the mark, and reports false if another transaction has moved it or settled a message since it was read. The
// peer's conversation changes too: a device of his that is away learns of the mark by its sync. The rows are locked in the
// order of their owners, as both parties may read at once.
func (v *standing) move(tx *db.Tx, by Reader, to newMark) (moved bool, err error) {
	if by.Peer < by.Account {
		if err := touchConversation(tx, by.Peer, v.chat); err != nil {
			return false, err
		}
	}
	changed, err := tx.Exec(`UPDATE conversation SET read_time = $1, read_ord = $2, read_sequence = $3, settled = $4, changed_at = $5
		WHERE owner_id = $6 AND chat_id = $7 AND read_sequence = $8 AND settled = $9`, to.Time, to.order, to.sequence,
		v.counted-to.unread, tx.Now().UnixMilli(), int64(by.Account), v.chat, v.Read.Sequence, v.counted-v.unread)
	if err != nil || changed == 0 {
		return false, err
	}
	if by.Peer > by.Account {
		err = touchConversation(tx, by.Peer, v.chat)
	}
	return true, err
}

// standing is the state of a reader's conversation and of its chat.
type standing struct {
	Conversation
	chat              int64
	reader            im.AccountID
	unread, uncounted int64
	counted           int64 // how many messages have counted as unread
	end               int64 // the chat's newest sequence
	newest            int64 // the chat's newest order
}

func readStanding(ctx context.Context, tx *db.Tx, chat int64, reader im.AccountID) (*standing, error) {
	v := &standing{chat: chat, reader: reader}
	found := false
	err := db.Each(ctx, tx, func(row db.Scanner) error {
		found = true
		return row(&v.ReadTime, &v.Read.Order, &v.Read.Sequence, &v.unread, &v.uncounted, &v.counted, &v.end, &v.newest)
	}, `SELECT v.read_time, v.read_ord, v.read_sequence, `+unreadOf+`, v.uncounted, `+unreadOf+` + v.settled, c.last_sequence, c.last_ord
		FROM `+conversations+` WHERE v.owner_id = $1 AND v.chat_id = $2`, int64(reader), chat)
	if err != nil || !found {
		return nil, err
	}
	return v, nil
}

// leftAt turns a second into the sequence up to which everything is read then, and counts what is left behind it.
func (v *standing) leftAt(ctx context.Context, tx *db.Tx, second int64) (sequence, unread int64, err error) {
	later, err := v.countLater(ctx, tx, second)
	if err != nil {
		return 0, 0, err
	}
	sequence, unread = v.end, later.unread
	if later.all > 0 {
		sequence = later.first - 1
	}
	if v.end-sequence > later.all {
		imported, err := v.countImported(ctx, tx, second, sequence)
		return sequence, unread + imported, err
	}
	return sequence, unread, nil
}

// Bounds of how many messages a count looks at; usually the mark is at the end and there are none.
const (
	mostCounted  = 100_000
	mostImported = 10_000
)

// counted is the condition of a message that counts as unread for the reader $3, who counts nothing at or below $5. What is
// stored while it is counted stands behind the end that was read with the counters, and is left out.
const counted = `from_id <> $3 AND (flags & $4) = 0 AND (hidden & 2) = 0 AND sequence > $5`

// laterMessages are those that were sent after a second: how many, how many of them are unread, and the lowest sequence.
type laterMessages struct{ all, unread, first int64 }

func (v *standing) countLater(ctx context.Context, tx *db.Tx, second int64) (laterMessages, error) {
	return db.One(ctx, tx, func(row db.Scanner) (laterMessages, error) {
		var l laterMessages
		err := row(&l.all, &l.unread, &l.first)
		return l, err
	}, `SELECT COUNT(*), CAST(COALESCE(SUM(CASE WHEN `+counted+` THEN 1 ELSE 0 END), 0) AS BIGINT), COALESCE(MIN(sequence), 0)
		FROM (SELECT sequence, from_id, flags, hidden FROM message
			WHERE chat_id = $1 AND ord > $2 AND sent_at > $6 AND sequence <= $7 ORDER BY ord, sequence LIMIT $8) AS later`,
		v.chat, second, int64(v.reader), int64(NoUnread|Recalled), v.uncounted, second, v.end, mostCounted)
}

// countImported counts what was stored behind a sequence though it was sent before the second: imports, and what came
// while the clock was behind the chat.
func (v *standing) countImported(ctx context.Context, tx *db.Tx, second, sequence int64) (int64, error) {
	return db.One(ctx, tx, db.Number, `SELECT COUNT(*) FROM (SELECT sequence, sent_at, from_id, flags, hidden FROM message
			WHERE chat_id = $1 ORDER BY ord DESC, sequence DESC LIMIT $2) AS newest
		WHERE `+counted+` AND sequence > $6 AND sent_at <= $7 AND sequence <= $8`,
		v.chat, mostImported, int64(v.reader), int64(NoUnread|Recalled), v.uncounted, sequence, second, v.end)
}

// Unread sums up the unread messages of accounts over all their conversations.
func (c *Chats) Unread(ctx context.Context, from db.Source, accounts []im.AccountID) (map[im.AccountID]int64, error) {
	slices.Sort(accounts)
	accounts = slices.Compact(accounts)
	counts := make(map[im.AccountID]int64, len(accounts))
	err := db.Each(ctx, from, func(row db.Scanner) error {
		var id im.AccountID
		var n int64
		err := row(&id, &n)
		counts[id] = n
		return err
	}, `SELECT v.owner_id, CAST(SUM(`+unreadOf+`) AS BIGINT) FROM `+conversations+` WHERE v.owner_id IN ($1...) GROUP BY v.owner_id`,
		db.Ints(accounts))
	if err != nil {
		return nil, fmt.Errorf("sum up unread messages: %w", err)
	}
	return counts, nil
}

// UnreadOf gives the unread messages of an account by peer; a peer with whom it has no conversation is not there.
func (c *Chats) UnreadOf(ctx context.Context, owner im.AccountID, peers []im.AccountID) (map[im.AccountID]int64, error) {
	return c.byPeer(ctx, `SELECT v.peer_id, `+unreadOf+` FROM `+conversations+` WHERE v.owner_id = $1 AND v.peer_id IN ($2...)`, owner, peers)
}

// PeersRead gives up to when each peer has read the account's messages, a unix second; one who has read nothing is not
// there, or 0.
func (c *Chats) PeersRead(ctx context.Context, owner im.AccountID, peers []im.AccountID) (map[im.AccountID]int64, error) {
	return c.byPeer(ctx, `SELECT theirs.owner_id, theirs.read_time FROM conversation AS mine
		JOIN conversation AS theirs ON theirs.chat_id = mine.chat_id AND theirs.owner_id = mine.peer_id
		WHERE mine.owner_id = $1 AND mine.peer_id IN ($2...)`, owner, peers)
}

// byPeer reads one number for each peer.
func (c *Chats) byPeer(
	ctx context.Context, query string, owner im.AccountID, peers []im.AccountID,
) (map[im.AccountID]int64, error) {
	found := make(map[im.AccountID]int64, len(peers))
	err := db.Each(ctx, c.db, func(row db.Scanner) error {
		var id im.AccountID
		var n int64
		err := row(&id, &n)
		found[id] = n
		return err
	}, query, int64(owner), db.Ints(peers))
	if err != nil {
		return nil, fmt.Errorf("read conversations: %w", err)
	}
	return found, nil
}
