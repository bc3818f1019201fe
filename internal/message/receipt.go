package message

import (
	"context"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// maxReceipts bounds the receipts of one call, as in groups.
const maxReceipts = 50

// receiptRequest says which messages of the peer an account has read. A back end names the account.
type receiptRequest struct {
	Reader   string        `json:"Operator_Account"`
	Peer     string        `json:"Peer_Account"`
	Messages []receiptName `json:"C2CMsgInfo"`
}

// receiptName names a message of the peer: by its key at the REST door, by the key's numbers at the client door.
type receiptName struct {
	Key    string `json:"MsgKey"`
	Seq    int64  `json:"MsgSeq"`
	Random int64  `json:"MsgRandom"`
	Time   int64  `json:"MsgTime"`
}

func (n *receiptName) key() (chat.Key, error) {
	if n.Key == "" {
		return chat.Key{Seq: n.Seq, Random: n.Random, Time: n.Time}, nil
	}
	key, err := ParseKey(n.Key)
	return chat.Key(key), err
}

func (m *Messages) receiptCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "c2c_msg_read_receipt", By: command.Administrator | command.Account, Family: im.FamilyMessage(), Codes: peerCodes(),
		Doc: "give receipts of a peer's messages that an account has read", Section: "rest.md#c2c_msg_read_receipt",
	}, m.giveReceipts)
}

// receipts are those that a reader gives a peer.
type receipts struct {
	reader, peer account.Account
	chat         int64
	keys         []chat.Key
	fresh        []*chat.Message // those of which the reader had given none
}

// giveReceipts passes over what has no receipts: messages that did not ask for one, are recalled, or are not the peer's.
func (m *Messages) giveReceipts(ctx context.Context, call *command.Call, r *receiptRequest) (*command.None, error) {
	given, err := m.receiptsOf(ctx, call, r)
	if err != nil || given.chat == 0 {
		return nil, err
	}
	err = m.db.Write(ctx, func(tx *db.Tx) error {
		given.fresh = nil
		seen, err := m.seen(ctx, tx, given)
		if err != nil {
			return err
		}
		if given.fresh, err = m.attached.Read(ctx, tx, given.reader.ID, seen); err != nil || len(given.fresh) == 0 {
			return err
		}
		if err := m.chats.Changed(tx, given.chat, given.peer.ID); err != nil {
			return err
		}
		return m.tellReceipts(tx, call, given)
	})
	if err != nil || len(given.fresh) == 0 {
		return nil, err
	}
	m.push(given.peer, 0, receiptOf(given.reader, given.peer, given.fresh, m.db.Now().Unix()))
	return nil, nil
}

func (m *Messages) receiptsOf(ctx context.Context, call *command.Call, r *receiptRequest) (*receipts, error) {
	if !call.Admin() {
		r.Reader = call.UserID
	}
	switch n := len(r.Messages); {
	case r.Reader == "":
		return nil, im.Errorf(im.CodeMessageSender, "Operator_Account is missing")
	case n == 0 || n > maxReceipts:
		return nil, im.Errorf(im.CodeMessageFormat, "C2CMsgInfo names %d messages: want 1 to %d", n, maxReceipts)
	}
	reader, peer, err := m.ownParties(ctx, call.App, r.Reader, r.Peer)
	if err != nil {
		return nil, err
	}
	given := &receipts{reader: reader, peer: peer, keys: make([]chat.Key, len(r.Messages))}
	for i := range r.Messages {
		if given.keys[i], err = r.Messages[i].key(); err != nil {
			return nil, err
		}
	}
	given.chat, err = m.chats.Find(ctx, chat.Between(reader.ID, peer.ID))
	return given, err
}

// seen finds those of the peer's messages that the reader sees.
func (m *Messages) seen(ctx context.Context, tx *db.Tx, given *receipts) (seen []*chat.Message, err error) {
	found, err := m.chats.ByKeys(ctx, tx, given.chat, given.peer.ID, given.keys)
	if err != nil {
		return nil, err
	}
	reader := given.reader.ID
	conversations, err := m.chats.Conversations(ctx, tx, given.chat, reader, given.peer.ID)
	if err != nil {
		return nil, err
	}
	for _, key := range given.keys {
		if one := found[key]; one != nil && one.SeenBy(reader, conversations[reader].Cleared) {
			seen = append(seen, one)
		}
		delete(found, key) // which the request may name twice
	}
	return seen, nil
}

// messageName names a message to clients.
type messageName struct {
	From       string `json:"From_Account"`
	To         string `json:"To_Account"`
	Seq        int64  `json:"MsgSeq"`
	Random     int64  `json:"MsgRandom"`
	Time       int64  `json:"MsgTime"`
	ClientTime int64  `json:"MsgClientTime"`
	TinyID     string `json:"TinyId"` // the sender's
}

type receiptBody struct {
	Reader    string        `json:"Operator_Account"`
	Peer      string        `json:"Peer_Account"`
	Messages  []receiptTold `json:"C2CMsgInfo"`
	EventTime int64         `json:"EventTime"` // unix milliseconds
}

type receiptTold struct {
	From string `json:"From_Account"`
	To   string `json:"To_Account"`
	Key  Key    `json:"MsgKey"`
	ID   string `json:"MsgId"`
}

// tellReceipts stores the callback of fresh receipts, in their transaction.
func (m *Messages) tellReceipts(tx *db.Tx, call *command.Call, given *receipts) error {
	reader, peer := given.reader, given.peer
	return afterReceipt.Tell(tx, m.hooks, &call.Actor, callbackOrder(reader.ID, peer.ID), func() (receiptBody, error) {
		body := receiptBody{Reader: reader.UserID, Peer: peer.UserID, EventTime: tx.Now().UnixMilli()}
		for _, one := range given.fresh {
			body.Messages = append(body.Messages, receiptTold{peer.UserID, reader.UserID, Key(one.Key()), one.ClientID()})
		}
		return body, nil
	})
}
