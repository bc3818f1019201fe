package chat

import (
	"context"
	"errors"
	"fmt"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// Message is a stored message.
type Message struct {
	ID   int64
	Chat int64
	Position
	// Time is when it was sent, a unix second by the clock of the node that stored it, or as an import gave it.
	Time int64
	From im.AccountID
	// Seq and Random are the sender's; with Time they are the message's key.
	Seq, Random int64
	// ClientTime is the sender's clock, a unix second.
	ClientTime int64
	Flags      Flags
	Hidden     Hidden
	// Body is the JSON of the elements, in normal form.
	Body          []byte
	CloudData     string
	Nick, FaceURL string
	// Readers are who of a group may read it beside its sender; empty is every member. Mentions is whom it mentions, as JSON.
	Readers  Readers
	Mentions string
	// Revoker is the user id of the account that recalled it, and Reason why; empty if it was not recalled.
	Revoker, Reason string
	// Version is how often it was edited.
	Version int64
}

// Position is where a message stands in its chat: order first, then sequence. Order is a second where a chat is sorted by
// time, and 0 where it is sorted by sequence alone. Sequences of a chat count from 1 without gaps, in the order in which
// its messages were stored. Positions grow with time; cursors are positions.
type Position struct{ Order, Sequence int64 }

// Key is what a client calls a message of its chat.
type Key struct {
	Seq, Random int64
	Time        int64 // unix second
}

// Tip reports whether the server wrote the message: it has no sender.
func (m *Message) Tip() bool { return m.From == 0 }

// ClientID is the id that clients give the message (docs/protocol/wire.md#c2c-item).
func (m *Message) ClientID() string { return fmt.Sprintf("%d-%d-%d", m.From, m.ClientTime, m.Random) }

// Key is the message's.
func (m *Message) Key() Key { return Key{m.Seq, m.Random, m.Time} }

// Flags are the properties of a message that are only yes or no.
type Flags int64

// The flags. Their numbers are stored.
const (
	NeedReceipt Flags = 1 << iota // the sender asked for a read receipt of this message
	Extensible                    // key-value extensions may be attached
	NoUnread                      // not counted as unread
	NoLast                        // does not move the list of conversations
	Relayed                       // a merged message, forwarded
	Recalled                      // taken back; all see that it was there
	High                          // of high priority
	Low                           // of low priority
	Lowest                        // of the lowest priority
)

// Has reports whether all of the given flags are set.
func (f Flags) Has(all Flags) bool { return f&all == all }

// Hidden says who of the two parties does not see a message. Its numbers are stored; zero is a message that both see.
type Hidden int

// Those who may not see a message.
const (
	FromSender Hidden = 1
	FromPeer   Hidden = 2
)

const messageColumns = `id, chat_id, ord, sequence, sent_at, from_id, msg_seq, msg_random, client_time, flags, hidden,
	body, cloud_data, nick, face_url, readers, mentions, revoker, revoke_reason, version`

func scanMessage(row db.Scanner) (Message, error) {
	var (
		m       Message
		readers string
	)
	err := row(&m.ID, &m.Chat, &m.Order, &m.Sequence, &m.Time, &m.From, &m.Seq, &m.Random, &m.ClientTime, &m.Flags, &m.Hidden,
		&m.Body, &m.CloudData, &m.Nick, &m.FaceURL, &readers, &m.Mentions, &m.Revoker, &m.Reason, &m.Version)
	m.Readers = readReaders(readers)
	return m, err
}

// byKey is the condition of the message with the numbers $3 and $4 that was sent at the second $5 by the sender $6, or by
// anybody.
const byKey = ` msg_seq = $3 AND msg_random = $4 AND sent_at = $5 AND (CAST($6 AS BIGINT) = 0 OR from_id = $7)
	ORDER BY sequence LIMIT 1`

// A message stands at its second, or behind it where a clock had been ahead before.
const (
	selectByKey = `SELECT ` + messageColumns + ` FROM message WHERE chat_id = $1 AND ord = $2 AND` + byKey
	selectLate  = `SELECT ` + messageColumns + ` FROM (SELECT * FROM message WHERE chat_id = $1 AND ord > $2
		ORDER BY ord, sequence LIMIT 1000) AS behind WHERE` + byKey
)

// ByKey finds a message by its key and its sender, as both sides of a chat may use the same numbers in one second; a
// sender of 0 takes the first one. Nil means that there is none. A message that was stored while the clock was more than
// a thousand of the chat's messages behind is not found.
func (c *Chats) ByKey(ctx context.Context, from db.Source, chat int64, k Key, sender im.AccountID) (*Message, error) {
	for _, query := range []string{selectByKey, selectLate} {
		found, err := db.One(ctx, from, scanMessage, query, chat, k.Time, k.Seq, k.Random, k.Time, int64(sender), int64(sender))
		if err == nil {
			return &found, nil
		}
		if !errors.Is(err, db.ErrNotFound) {
			return nil, err
		}
	}
	return nil, nil
}

// BySequence finds a message of a chat that is sorted by sequence; nil means that there is none.
func (c *Chats) BySequence(ctx context.Context, from db.Source, chat, sequence int64) (*Message, error) {
	found, err := db.One(ctx, from, scanMessage,
		`SELECT `+messageColumns+` FROM message WHERE chat_id = $1 AND ord = 0 AND sequence = $2`, chat, sequence)
	if errors.Is(err, db.ErrNotFound) {
		return nil, nil //nolint:nilnil // nil is the answer
	}
	return &found, err
}

// Said finds a message by its time, a unix second, and its sequence; nil without one.
func (c *Chats) Said(ctx context.Context, from db.Source, chat, second, sequence int64) (*Message, error) {
	found, err := db.One(ctx, from, scanMessage,
		`SELECT `+messageColumns+` FROM message WHERE chat_id = $1 AND sent_at = $2 AND sequence = $3`, chat, second, sequence)
	if errors.Is(err, db.ErrNotFound) {
		return nil, nil //nolint:nilnil // nil is the answer
	}
	return &found, err
}

// mostTwins bounds how many messages of one key are looked at: each has another sender, or came from an import.
const mostTwins = 16

// Twins finds the positions of the messages of a key that stand at an order, in the order in which they were stored.
func (c *Chats) Twins(ctx context.Context, from db.Source, chat, order int64, k Key) ([]Position, error) {
	return db.All(ctx, from, func(row db.Scanner) (Position, error) {
		var p Position
		err := row(&p.Order, &p.Sequence)
		return p, err
	}, `SELECT ord, sequence FROM message WHERE chat_id = $1 AND ord = $2 AND msg_seq = $3 AND msg_random = $4 AND sent_at = $5
		ORDER BY sequence LIMIT $6`, chat, order, k.Seq, k.Random, k.Time, mostTwins)
}

func messages(ctx context.Context, from db.Source, query string, args ...any) ([]Message, error) {
	return db.All(ctx, from, scanMessage, query, args...)
}
