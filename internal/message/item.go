package message

import (
	"context"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// Item is a message as clients and back ends read it (docs/protocol/wire.md#c2c-item).
type Item struct {
	From        string       `json:"From_Account"`
	To          string       `json:"To_Account"`
	Seq         int64        `json:"MsgSeq"`
	Random      int64        `json:"MsgRandom"`
	Time        int64        `json:"MsgTimeStamp"`
	ClientTime  int64        `json:"MsgClientTime"`
	TinyID      string       `json:"TinyId"`
	ClientSeq   int64        `json:"ClientSeq"`
	Nick        *string      `json:"From_AccountNick,omitzero"`
	FaceURL     *string      `json:"From_AccountHeadurl,omitzero"`
	Body        wire.Raw     `json:"MsgBody"`
	CloudData   string       `json:"CloudCustomData"`
	NeedReceipt wire.Bool    `json:"IsNeedReadReceipt"`
	PeerRead    wire.Bool    `json:"IsPeerRead"`
	Extensible  wire.Bool    `json:"SupportMessageExtension"`
	Version     int64        `json:"MsgVersion"`
	Control     *sendControl `json:"SendMsgControl,omitempty"`
	LifeTime    *int64       `json:"MsgLifeTime,omitempty"` // 0: online only
	FlagBits    int          `json:"MsgFlagBits,omitzero"`  // 8: recalled
	Revoker     *revoker     `json:"RevokerInfo,omitempty"`
	MsgKey      string       `json:"MsgKey,omitempty"` // at the REST door
}

type sendControl struct {
	NoUnread wire.Bool `json:"NoUnread"`
	NoLast   wire.Bool `json:"NoLastMsg"`
}

type revoker struct {
	Account string `json:"Revoker_Account"`
	Reason  string `json:"Reason"`
}

// flagRecalled is the bit of MsgFlagBits, and of LastMsgFlags, that says a message was recalled.
const flagRecalled = 8

// stored is a message as the store has it.
type stored struct {
	id, chat, sequence int64
	time               int64
	from               im.AccountID
	seq, random        int64
	clientTime         int64
	flags              Flags
	hidden             int
	body               string
	cloudData          string
	nick, faceURL      string
	revoker, reason    string
	changed            int64
	version            int64 // how often it was edited
}

const storedColumns = `id, chat_id, sequence, sent_at, from_id, msg_seq, msg_random, client_time, flags, hidden,
	body, cloud_data, nick, face_url, revoker, revoke_reason, changed_at, version`

func scanStored(row db.Scanner) (stored, error) {
	var s stored
	err := row(&s.id, &s.chat, &s.sequence, &s.time, &s.from, &s.seq, &s.random, &s.clientTime, &s.flags, &s.hidden,
		&s.body, &s.cloudData, &s.nick, &s.faceURL, &s.revoker, &s.reason, &s.changed, &s.version)
	return s, err
}

func (s *stored) key() Key { return Key{s.seq, s.random, s.time} }

// item writes a stored message for a chat's party; readBy is the moment up to which each sender's peer has read.
func (s *stored) item(x, y account.Account, readBy map[im.AccountID]int64) Item {
	from, to := x, y
	if s.from == y.ID {
		from, to = y, x
	}
	it := itemOf(from, to, s)
	// A message that asks for a receipt of its own counts as read by that receipt only.
	it.PeerRead = wire.Bool(!s.flags.Has(NeedReceipt) && s.time <= readBy[from.ID])
	return it
}

func itemOf(from, to account.Account, s *stored) Item {
	it := Item{
		From: from.UserID, To: to.UserID, Seq: s.seq, Random: s.random, Time: s.time, ClientTime: s.clientTime,
		TinyID: tinyID(from.ID), ClientSeq: s.seq,
		Body: wire.Raw(s.body), CloudData: s.cloudData, Version: s.version,
		NeedReceipt: wire.Bool(s.flags.Has(NeedReceipt)), Extensible: wire.Bool(s.flags.Has(Extensible)),
	}
	// Both or neither: the web client passes over a nick that comes without an avatar.
	if s.nick != "" || s.faceURL != "" {
		it.Nick, it.FaceURL = &s.nick, &s.faceURL
	}
	if s.flags.Has(NoUnread) || s.flags.Has(NoLast) {
		it.Control = &sendControl{wire.Bool(s.flags.Has(NoUnread)), wire.Bool(s.flags.Has(NoLast))}
	}
	if s.flags.Has(Recalled) {
		it.FlagBits = flagRecalled
		it.Revoker = &revoker{s.revoker, s.reason}
	}
	return it
}

// stored gives a new entry the form of a stored message, so that push and history are written by one function.
func (e *entry) stored() *stored {
	return &stored{
		id: e.id, chat: e.chat, sequence: e.sequence, time: e.time, from: e.from, seq: e.seq, random: e.random,
		clientTime: e.clock, flags: e.flags, body: string(e.body), cloudData: e.cloudData,
		nick: e.nick, faceURL: e.faceURL,
	}
}

func tinyID(id im.AccountID) string { return itoa(int64(id)) }

// byKey finds a message by its key; a zero id means there is none.
func (m *Messages) byKey(ctx context.Context, from db.Source, chat int64, k Key) (stored, error) {
	found, err := db.One(ctx, from, scanStored, `SELECT `+storedColumns+` FROM message
		WHERE chat_id = $1 AND msg_seq = $2 AND msg_random = $3 AND sent_at = $4 ORDER BY sequence LIMIT 1`,
		chat, k.Seq, k.Random, k.Time)
	if err == db.ErrNotFound { //nolint:errorlint // One returns it bare
		return stored{}, nil
	}
	return found, err
}

func allStored(ctx context.Context, from db.Source, query string, args ...any) ([]stored, error) {
	return db.All(ctx, from, scanStored, query, args...)
}
