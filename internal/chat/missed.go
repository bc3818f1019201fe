package chat

import (
	"context"
	"fmt"
	"slices"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// Moved is a conversation that changed, as a device that was away needs it.
type Moved struct {
	Chat int64
	Peer im.AccountID
	Conversation
	// Changed is when it happened, in unix milliseconds by the clock of the node that wrote it.
	Changed int64
	// PeerReadTime and PeerRead are up to where the peer has read: as it is told, a unix second, and as a sequence.
	PeerReadTime, PeerRead int64
}

// The conversations are chosen before their peers' read marks are looked up.
const (
	selectMoved = `SELECT v.chat_id, v.peer_id, v.read_time, v.read_ord, v.read_sequence, v.cleared, v.changed,
			COALESCE(p.read_time, 0), COALESCE(p.read_sequence, 0)
		FROM (SELECT v.*, ` + changedOf + ` AS changed FROM ` + conversations + `
			WHERE v.owner_id = $1 AND (` + changedOf + `, v.chat_id) > ($2, $3)`
	moved = ` ORDER BY changed, v.chat_id LIMIT $4) AS v
		LEFT JOIN conversation p ON p.owner_id = v.peer_id AND p.chat_id = v.chat_id AND p.owner_id <> v.owner_id
		ORDER BY v.changed, v.chat_id`
	selectAll    = selectMoved + moved
	selectUnread = selectMoved + ` AND ` + unreadOf + ` > 0` + moved
)

// Moves asks for a stretch of an account's conversations, in the order in which they changed.
type Moves struct {
	Behind Change
	// Unread leaves out those without unread messages.
	Unread bool
	Limit  int
}

// Moved lists conversations of an account.
func (c *Chats) Moved(ctx context.Context, from db.Source, owner im.AccountID, q Moves) ([]Moved, error) {
	query := selectAll
	if q.Unread {
		query = selectUnread
	}
	moved, err := db.All(ctx, from, func(row db.Scanner) (Moved, error) {
		var m Moved
		err := row(&m.Chat, &m.Peer, &m.ReadTime, &m.Read.Order, &m.Read.Sequence, &m.Cleared, &m.Changed,
			&m.PeerReadTime, &m.PeerRead)
		return m, err
	}, query, int64(owner), q.Behind.At, q.Behind.Chat, q.Limit)
	if err != nil {
		return nil, fmt.Errorf("list moved conversations: %w", err)
	}
	return moved, nil
}

// Change is one step in the order in which an account's conversations changed.
type Change struct {
	At   int64 // unix milliseconds
	Chat int64
}

// Ends reads the newest sequence of each of an account's chats that changed since a unix millisecond.
func (c *Chats) Ends(ctx context.Context, from db.Source, owner im.AccountID, since int64) (map[int64]int64, error) {
	ends := map[int64]int64{}
	err := db.Each(ctx, from, func(row db.Scanner) error {
		var chat, last int64
		err := row(&chat, &last)
		ends[chat] = last
		return err
	}, `SELECT c.id, c.last_sequence FROM `+conversations+`
		WHERE v.owner_id = $1 AND `+changedOf+` >= $2`, int64(owner), since)
	if err != nil {
		return nil, fmt.Errorf("read sequences: %w", err)
	}
	return ends, nil
}

// PeerUnread is how many messages of a peer an account has not read.
type PeerUnread struct {
	Peer  string // the user id
	Count int64
}

// UnreadPeers lists the peers with unread messages, the newest conversation first.
func (c *Chats) UnreadPeers(ctx context.Context, from db.Source, owner im.AccountID, limit int) ([]PeerUnread, error) {
	list, err := db.All(ctx, from, func(row db.Scanner) (PeerUnread, error) {
		var p PeerUnread
		err := row(&p.Peer, &p.Count)
		return p, err
	}, `SELECT a.user_id, v.unread FROM (SELECT v.peer_id, `+unreadOf+` AS unread, `+lastOrdOf+` AS last_ord FROM `+conversations+`
			WHERE v.owner_id = $1 AND `+unreadOf+` > 0 ORDER BY last_ord DESC LIMIT $2) AS v
		JOIN account a ON a.id = v.peer_id ORDER BY v.last_ord DESC`, int64(owner), limit)
	if err != nil {
		return nil, fmt.Errorf("count unread: %w", err)
	}
	return list, nil
}

// Span is the part of a chat's messages that is asked for: behind a position, still brought at the unix second Now to
// devices that were away, and at most Limit.
type Span struct {
	Behind Position
	Now    int64
	Limit  int
}

// Offline gives what a device that is new here misses of a chat, oldest first: the peer's newest messages behind the read
// mark.
func (c *Chats) Offline(ctx context.Context, from db.Source, owner im.AccountID, of *Moved, s Span) ([]Message, error) {
	found, err := messages(ctx, from, `SELECT `+messageColumns+` FROM message WHERE chat_id = $1 AND ord >= $2 AND sequence > $3
		AND from_id <> $4 AND (hidden & 2) = 0 AND offline_until > $5 ORDER BY ord DESC, sequence DESC LIMIT $6`,
		of.Chat, of.Read.Order, max(of.Read.Sequence, of.Cleared), int64(owner), s.Now, s.Limit)
	if err != nil {
		return nil, fmt.Errorf("read offline messages: %w", err)
	}
	slices.Reverse(found)
	return found, nil
}

// Missed gives what a device that was away misses of a chat, oldest first.
func (c *Chats) Missed(ctx context.Context, from db.Source, owner im.AccountID, of *Moved, s Span) ([]Message, error) {
	found, err := messages(ctx, from, `SELECT `+messageColumns+` FROM message WHERE `+seen+`
		AND (ord, sequence) > ($5, $6) AND offline_until > $7 ORDER BY ord, sequence LIMIT $8`,
		of.Chat, of.Cleared, int64(owner), int64(owner), s.Behind.Order, s.Behind.Sequence, s.Now, s.Limit)
	if err != nil {
		return nil, fmt.Errorf("read missed messages: %w", err)
	}
	return found, nil
}

// Altered is a message that was recalled or edited after it was stored, as it is now.
type Altered struct {
	Message
	// ChangedAt is when that happened last, in unix milliseconds by the clock of the node that wrote it.
	ChangedAt int64
}

// Alterations asks for a stretch of a chat's recalled and edited messages, in the order in which that happened.
type Alterations struct {
	// Since is a unix millisecond, and Behind the id of a message that changed then; 0 takes all of that moment.
	Since, Behind int64
	Limit         int
}

// It walks the index message_changed, whose condition it repeats, so it costs the same whatever the chat's length.
const selectAltered = `SELECT ` + messageColumns + `, changed_at FROM message WHERE ` + seen + `
	AND changed_at > 0 AND (changed_at, id) > ($5, $6) AND ((flags & $7) <> 0 OR version > 0) ORDER BY changed_at, id LIMIT $8`

// Altered gives those of a chat's messages that were recalled or edited.
func (c *Chats) Altered(ctx context.Context, from db.Source, owner im.AccountID, of *Moved, q Alterations) ([]Altered, error) {
	found, err := db.All(ctx, from, func(row db.Scanner) (Altered, error) {
		var a Altered
		var err error
		a.Message, err = scanMessage(func(places ...any) error { return row(append(places, &a.ChangedAt)...) })
		return a, err
	}, selectAltered, of.Chat, of.Cleared, int64(owner), int64(owner), q.Since, q.Behind, int64(Recalled), q.Limit)
	if err != nil {
		return nil, fmt.Errorf("read missed changes: %w", err)
	}
	return found, nil
}
