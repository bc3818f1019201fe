package message

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/webhook"
)

// entry is a message on its way into the store, and what became of it.
type entry struct {
	app        im.AppID
	from, to   im.AccountID
	seq        int64
	random     int64
	keyTime    int64 // the clock in the duplicate key, unix second; 0 takes the time of the commit
	eitherSide bool  // a message with the same key is a duplicate also if the other party sent it
	clientTime int64 // the sender's clock, unix second; 0 takes the message's time
	sentAt     int64 // unix second; 0 takes the time of the commit, or the chat's newest time if the clock went back
	flags      Flags
	hidden     int
	lifetime   int64 // seconds for which a device that was away still gets it
	body       []byte
	cloudData  string
	nick       string
	faceURL    string
	callbacks  []webhook.Event // to be stored with it

	// Set by append; a second run overwrites them.
	runs      int // how often append has tried
	id        int64
	chat      int64
	sequence  int64
	time      int64 // unix second
	clock     int64 // unix second, the sender's
	duplicate bool  // it was there already; chat, id, sequence, time and clock are the first one's
	first     *entry
}

// pair names a chat by its two accounts, in order.
type pair struct{ low, high im.AccountID }

func pairOf(x, y im.AccountID) pair { return pair{min(x, y), max(x, y)} }

// entryKey is what makes two entries the same message. A zero from stands for either party.
type entryKey struct {
	chat, seq, random, keyTime int64
	from                       im.AccountID
}

func (e *entry) key() entryKey {
	k := entryKey{e.chat, e.seq, e.random, e.keyTime, e.from}
	if e.eitherSide {
		k.from = 0
	}
	return k
}

// keys are the keys under which a message that is there is found.
func (e *entry) keys() [2]entryKey {
	k := entryKey{e.chat, e.seq, e.random, e.keyTime, e.from}
	either := k
	either.from = 0
	return [2]entryKey{k, either}
}

// append writes entries together: chats and sequences, messages, both accounts' conversations. The number of statements
// does not depend on the number of entries but in steps of many rows. Rows are locked in one order, so that two nodes
// that write the same chats wait for each other instead of failing.
//
// Duplicates are rare, so the first run looks for them among the entries only; the unique index refuses what is stored
// already, and the second run looks there too.
func (m *Messages) append(tx *db.Tx, entries []*entry) error {
	ctx := context.Background()
	for _, e := range entries {
		e.runs++
		e.id, e.chat, e.sequence, e.duplicate, e.first, e.time, e.clock = 0, 0, 0, false, nil, e.sentAt, e.clientTime
		if e.keyTime == 0 {
			e.keyTime = tx.Now().Unix()
		}
	}
	if err := m.findChats(ctx, tx, entries); err != nil {
		return fmt.Errorf("find chats: %w", err)
	}
	fresh, err := dropDuplicates(ctx, tx, entries)
	if err != nil {
		return fmt.Errorf("look for duplicates: %w", err)
	}
	if err := allocate(tx, fresh); err != nil {
		return fmt.Errorf("allocate sequences: %w", err)
	}
	if err := insertMessages(tx, fresh); err != nil {
		return fmt.Errorf("insert messages: %w", err)
	}
	if err := moveConversations(tx, fresh); err != nil {
		return fmt.Errorf("move conversations: %w", err)
	}
	if err := m.tellSent(ctx, tx, fresh); err != nil {
		return fmt.Errorf("store callbacks: %w", err)
	}
	for _, e := range entries {
		if e.duplicate {
			e.chat, e.id, e.sequence = e.first.chat, e.first.id, e.first.sequence
			e.time, e.clock = e.first.time, e.first.clock
		}
	}
	return nil
}

// findChats sets the chat of every entry whose chat exists.
func (m *Messages) findChats(ctx context.Context, tx *db.Tx, entries []*entry) error {
	unknown := map[pair]int64{}
	for _, e := range entries {
		of := pairOf(e.from, e.to)
		if id, ok := m.chats.get(of); ok {
			e.chat = id
		} else {
			unknown[of] = 0
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	if err := selectChats(ctx, tx, unknown); err != nil {
		return err
	}
	for _, e := range entries {
		if e.chat == 0 {
			e.chat = unknown[pairOf(e.from, e.to)]
		}
	}
	return nil
}

func selectChats(ctx context.Context, from db.Source, into map[pair]int64) error {
	pairs := make([]pair, 0, len(into))
	for p := range into {
		pairs = append(pairs, p)
	}
	return db.Chunks(from, 2, pairs, func(chunk []pair) error {
		args := make([]any, 0, 2*len(chunk))
		for _, p := range chunk {
			args = append(args, int64(p.low), int64(p.high))
		}
		return db.Each(ctx, from, func(row db.Scanner) error {
			var (
				p  pair
				id int64
			)
			err := row(&id, &p.low, &p.high)
			into[p] = id
			return err
		}, `SELECT id, low_id, high_id FROM chat WHERE (low_id, high_id) IN (VALUES `+db.Rows(len(chunk), 2, true)+`)`, args...)
	})
}

// dropDuplicates marks the entries that are stored already, or twice among themselves, and returns the others.
// Clients send a request again after a reconnect, and back ends after a time-out; neither may make a second message.
func dropDuplicates(ctx context.Context, tx *db.Tx, entries []*entry) ([]*entry, error) {
	stored, err := selectStored(ctx, tx, entries)
	if err != nil {
		return nil, err
	}
	fresh := make([]*entry, 0, len(entries))
	first := map[entryKey]*entry{}
	newChats := map[pair]int64{}
	for _, e := range entries {
		if e.chat == 0 { // no message of it can be stored; a new id keeps two new chats' keys apart
			of := pairOf(e.from, e.to)
			if newChats[of] == 0 {
				newChats[of] = tx.NextID()
			}
			e.chat = newChats[of]
		}
		original := first[e.key()]
		if original == nil {
			original = stored[e.key()]
		}
		if original != nil {
			e.duplicate, e.first = true, original
			continue
		}
		for _, k := range e.keys() {
			first[k] = e
		}
		fresh = append(fresh, e)
	}
	return fresh, nil
}

func selectStored(ctx context.Context, tx *db.Tx, entries []*entry) (map[entryKey]*entry, error) {
	stored := map[entryKey]*entry{}
	known := make([]*entry, 0, len(entries))
	for _, e := range entries {
		if e.chat != 0 && (e.runs > 1 || e.eitherSide) {
			known = append(known, e)
		}
	}
	err := db.Chunks(tx, 4, known, func(chunk []*entry) error {
		args := make([]any, 0, 4*len(chunk))
		for _, e := range chunk {
			args = append(args, e.chat, e.seq, e.random, e.keyTime)
		}
		return db.Each(ctx, tx, func(row db.Scanner) error {
			var e entry
			err := row(&e.chat, &e.seq, &e.random, &e.keyTime, &e.from, &e.id, &e.sequence, &e.time, &e.clock)
			for _, k := range e.keys() {
				stored[k] = &e
			}
			return err
		}, `SELECT chat_id, msg_seq, msg_random, key_time, from_id, id, sequence, sent_at, client_time FROM message
			WHERE (chat_id, msg_seq, msg_random, key_time) IN (VALUES `+db.Rows(len(chunk), 4, true)+`)`, args...)
	})
	return stored, err
}

// chatGrowth is what a commit adds to one chat.
type chatGrowth struct {
	id   int64
	app  im.AppID
	of   pair
	news []*entry
}

const upsertChat = ` ON CONFLICT (low_id, high_id) DO UPDATE SET
	last_sequence = chat.last_sequence + excluded.last_sequence,
	last_time = CASE WHEN excluded.last_time > chat.last_time THEN excluded.last_time ELSE chat.last_time END
RETURNING id, low_id, high_id, last_sequence, last_time`

// allocate gives every entry its place: the next sequences of its chat, in the order in which the entries came, and a
// time that does not go back within the chat.
func allocate(tx *db.Tx, fresh []*entry) error {
	now := tx.Now().Unix()
	byPair := map[pair]*chatGrowth{}
	var grown []*chatGrowth
	for _, e := range fresh {
		of := pairOf(e.from, e.to)
		g := byPair[of]
		if g == nil {
			g = &chatGrowth{id: e.chat, app: e.app, of: of}
			byPair[of] = g
			grown = append(grown, g)
		}
		g.news = append(g.news, e)
	}
	slices.SortFunc(grown, func(x, y *chatGrowth) int {
		return cmp.Or(cmp.Compare(x.of.low, y.of.low), cmp.Compare(x.of.high, y.of.high))
	})
	return db.Chunks(tx, 6, grown, func(chunk []*chatGrowth) error {
		args := make([]any, 0, 6*len(chunk))
		for _, g := range chunk {
			args = append(args, g.id, int64(g.app), int64(g.of.low), int64(g.of.high), len(g.news), g.newest(now))
		}
		return tx.Returning(func(row db.Scanner) error {
			var (
				of                 pair
				chat, last, latest int64
			)
			if err := row(&chat, &of.low, &of.high, &last, &latest); err != nil {
				return err
			}
			byPair[of].place(tx, chat, last, max(now, latest))
			return nil
		}, `INSERT INTO chat (id, app_id, low_id, high_id, last_sequence, last_time) VALUES `+
			db.Rows(len(chunk), 6, false)+upsertChat, args...)
	})
}

// newest is the time to which live messages move the chat; an imported one does not.
func (g *chatGrowth) newest(now int64) int64 {
	for _, e := range g.news {
		if e.sentAt == 0 {
			return now
		}
	}
	return 0
}

func (g *chatGrowth) place(tx *db.Tx, chat, last, now int64) {
	sequence := last - int64(len(g.news))
	for _, e := range g.news {
		sequence++
		e.chat, e.sequence, e.id = chat, sequence, tx.NextID()
		if e.time == 0 {
			e.time = now
		}
		if e.clock == 0 {
			e.clock = e.time
		}
	}
}

func insertMessages(tx *db.Tx, fresh []*entry) error {
	const columns = 20
	now := tx.Now()
	return db.Chunks(tx, columns, fresh, func(chunk []*entry) error {
		args := make([]any, 0, columns*len(chunk))
		for _, e := range chunk {
			args = append(args, e.id, e.chat, e.sequence, e.time, int64(e.from), e.seq, e.random, e.keyTime, e.clock,
				int64(e.flags), e.hidden, now.Unix()+e.lifetime, string(e.body), e.cloudData, e.nick, e.faceURL, "", "",
				now.UnixMilli(), 0)
		}
		_, err := tx.Exec(`INSERT INTO message (id, chat_id, sequence, sent_at, from_id, msg_seq, msg_random, key_time,
			client_time, flags, hidden, offline_until, body, cloud_data, nick, face_url, revoker, revoke_reason, changed_at, version)
			VALUES `+db.Rows(len(chunk), columns, false), args...)
		return err
	})
}

// view is what a commit does to one account's conversation.
type view struct {
	owner, peer im.AccountID
	chat        int64
	unread      int
	lastID      int64
	lastTime    int64
	listed      bool
}

// see adds an entry to the view.
func (v *view) see(e *entry) {
	if v.owner != e.from && !e.flags.Has(NoUnread) {
		v.unread++
	}
	if !e.flags.Has(NoLast) {
		v.listed = true
		if e.time >= v.lastTime {
			v.lastID, v.lastTime = e.id, e.time
		}
	}
}

type viewKey struct {
	owner im.AccountID
	chat  int64
}

// viewsOf sums the entries up by conversation, in the order in which rows are locked.
func viewsOf(fresh []*entry) []*view {
	byKey := map[viewKey]*view{}
	views := make([]*view, 0, 2*len(fresh))
	add := func(owner, peer im.AccountID, e *entry) {
		k := viewKey{owner, e.chat}
		v := byKey[k]
		if v == nil {
			v = &view{owner: owner, peer: peer, chat: e.chat}
			byKey[k] = v
			views = append(views, v)
		}
		v.see(e)
	}
	for _, e := range fresh {
		if e.hidden&hiddenFromSender == 0 {
			add(e.from, e.to, e)
		}
		if e.hidden&hiddenFromReceiver == 0 && e.from != e.to {
			add(e.to, e.from, e)
		}
	}
	slices.SortFunc(views, func(x, y *view) int {
		return cmp.Or(cmp.Compare(x.owner, y.owner), cmp.Compare(x.chat, y.chat))
	})
	return views
}

const upsertConversation = ` ON CONFLICT (owner_id, chat_id) DO UPDATE SET
	unread = conversation.unread + excluded.unread,
	last_id = CASE WHEN excluded.last_time >= conversation.last_time THEN excluded.last_id ELSE conversation.last_id END,
	last_time = CASE WHEN excluded.last_time >= conversation.last_time THEN excluded.last_time ELSE conversation.last_time END,
	listed = conversation.listed OR excluded.listed,
	changed_at = excluded.changed_at`

func moveConversations(tx *db.Tx, fresh []*entry) error {
	const columns = 11
	now := tx.Now().UnixMilli()
	return db.Chunks(tx, columns, viewsOf(fresh), func(chunk []*view) error {
		args := make([]any, 0, columns*len(chunk))
		for _, v := range chunk {
			args = append(args, int64(v.owner), v.chat, int64(v.peer), v.unread, 0, v.lastID, v.lastTime, 0, 0, v.listed, now)
		}
		_, err := tx.Exec(`INSERT INTO conversation
			(owner_id, chat_id, peer_id, unread, read_time, last_id, last_time, cleared, uncounted, listed, changed_at) VALUES `+
			db.Rows(len(chunk), columns, false)+upsertConversation, args...)
		return err
	})
}
