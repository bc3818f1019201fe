package chat

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// Append writes drafts together: chats and sequences, messages, the conversations that move. The number of statements
// does not depend on the number of drafts but in steps of many rows. Rows are locked in one order, so that two nodes
// that write the same chats wait for each other instead of failing.
//
// It may run more than once for a draft, as db.Batch says. A repeated message is marked and costs nobody else anything;
// drafts that are not Duplicate are what the transaction adds.
func (c *Chats) Append(tx *db.Tx, drafts []*Draft) error {
	ctx := context.Background()
	for _, d := range drafts {
		d.chat, d.Duplicate, d.first, d.keyTime = 0, false, nil, d.KeyTime
		if d.keyTime == 0 {
			d.keyTime = tx.Now().Unix()
		}
	}
	if err := c.findChats(ctx, tx, drafts); err != nil {
		return fmt.Errorf("find chats: %w", err)
	}
	fresh, err := c.dropDuplicates(ctx, tx, drafts)
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
	for _, d := range drafts {
		if d.Duplicate {
			d.Message = d.first.Message
		}
	}
	tx.OnCommit(func() { c.remember(fresh) })
	return nil
}

// remember notes what is on disk, so that the next drafts need not ask for it.
func (c *Chats) remember(fresh []*Draft) {
	for _, d := range fresh {
		c.ids.put(d.Chat, d.Message.Chat)
	}
}

// findChats sets the chat of every draft whose chat exists.
func (c *Chats) findChats(ctx context.Context, tx *db.Tx, drafts []*Draft) error {
	unknown := map[Name]int64{}
	for _, d := range drafts {
		if id, ok := c.ids.get(d.Chat); ok {
			d.chat = id
		} else {
			unknown[d.Chat] = 0
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	if err := selectChats(ctx, tx, unknown); err != nil {
		return err
	}
	for _, d := range drafts {
		if d.chat == 0 {
			d.chat = unknown[d.Chat]
		}
	}
	return nil
}

// growth is what a commit adds to one chat.
type growth struct {
	id   int64
	app  im.AppID
	name Name
	news []*Draft
}

const upsertChat = ` ON CONFLICT (low_id, high_id) DO UPDATE SET
	last_sequence = chat.last_sequence + excluded.last_sequence,
	last_ord = CASE WHEN excluded.last_ord > chat.last_ord THEN excluded.last_ord ELSE chat.last_ord END
RETURNING id, low_id, high_id, last_sequence, last_ord`

// allocate gives every draft its position: the next sequences of its chat, in the order in which the drafts came, and an
// order that does not go back within the chat.
func allocate(tx *db.Tx, fresh []*Draft) error {
	now := tx.Now().Unix()
	type key struct{ low, high int64 }
	byName := map[key]*growth{}
	var grown []*growth
	for _, d := range fresh {
		of := key{d.Chat.Low, d.Chat.High}
		g := byName[of]
		if g == nil {
			g = &growth{id: d.chat, app: d.App, name: d.Chat}
			byName[of] = g
			grown = append(grown, g)
		}
		g.news = append(g.news, d)
	}
	slices.SortFunc(grown, func(x, y *growth) int {
		return cmp.Or(cmp.Compare(x.name.Low, y.name.Low), cmp.Compare(x.name.High, y.name.High))
	})
	const width = 7
	return db.Chunks(tx, width, grown, func(chunk []*growth) error {
		args := make([]any, 0, width*len(chunk))
		for _, g := range chunk {
			args = append(args, g.id, int64(g.app), int64(g.name.Kind), g.name.Low, g.name.High, len(g.news), g.newest(now))
		}
		return tx.Returning(func(row db.Scanner) error {
			var (
				of               key
				id, last, newest int64
			)
			if err := row(&id, &of.low, &of.high, &last, &newest); err != nil {
				return err
			}
			g := byName[of]
			g.place(tx, id, last, max(g.name.Kind.order(now), newest))
			return nil
		}, `INSERT INTO chat (id, app_id, kind, low_id, high_id, last_sequence, last_ord) VALUES `+
			db.Rows(len(chunk), width, false)+upsertChat, args...)
	})
}

// newest is the order to which messages move the chat; one from elsewhere does not.
func (g *growth) newest(now int64) int64 {
	for _, d := range g.news {
		if !d.Imported {
			return g.name.Kind.order(now)
		}
	}
	return 0
}

func (g *growth) place(tx *db.Tx, chat, last, newest int64) {
	now, sequence := tx.Now().Unix(), last-int64(len(g.news))
	for _, d := range g.news {
		sequence++
		d.chat = chat
		d.Compose(now)
		d.Message.ID, d.Message.Sequence, d.Message.Order = tx.NextID(), sequence, newest
		if d.Imported {
			d.Message.Order = g.name.Kind.order(d.SentAt)
		}
	}
}

func insertMessages(tx *db.Tx, fresh []*Draft) error {
	const places = 18
	now := tx.Now()
	return db.Chunks(tx, places, fresh, func(chunk []*Draft) error {
		args := make([]any, 0, places*len(chunk))
		for _, d := range chunk {
			m := &d.Message
			args = append(args, m.ID, m.Chat, m.Order, m.Sequence, m.Time, int64(m.From), m.Seq, m.Random, d.keyTime, m.ClientTime,
				int64(m.Flags), int(m.Hidden), now.Unix()+d.Lifetime, string(m.Body), m.CloudData, m.Nick, m.FaceURL,
				now.UnixMilli())
		}
		_, err := tx.Exec(`INSERT INTO message (id, chat_id, ord, sequence, sent_at, from_id, msg_seq, msg_random, key_time,
			client_time, flags, hidden, offline_until, body, cloud_data, nick, face_url, changed_at, revoker, revoke_reason, version)
			VALUES `+db.RowsOf(len(chunk), "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,'','',0)"), args...)
		return err
	})
}
