package chat

import (
	"cmp"
	"slices"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// growth is what a commit adds to one chat: messages that were all sent here, or all imported.
type growth struct {
	id   int64
	app  im.AppID
	name Name
	news []*Draft
	seen [mostSides]gain
}

// gain is what one side gets of it.
type gain struct {
	counted int64 // how many messages count as unread
	listed  int64 // which of them is the newest that moves the list, counted from 1; 0 is none
	lastID  int64 // the last one that moves the list, in the chat's order, and its own order
	lastOrd int64
}

// chatKey is what makes two names the same chat.
type chatKey struct{ low, high int64 }

// growChats gives every draft its position: the next sequences of its chat, in the order in which the drafts came, and an
// order that does not go back within the chat. The chats' rows take what each side sees of them.
func growChats(tx *db.Tx, fresh []*Draft) error {
	now := tx.Now().Unix()
	for _, d := range fresh {
		d.Compose(now)
		d.Message.ID = tx.NextID()
	}
	for len(fresh) > 0 {
		var all map[chatKey]*growth
		all, fresh = growths(fresh)
		if err := upsertChats(tx, all); err != nil {
			return err
		}
	}
	return nil
}

// growths sums the drafts up by chat. Where a chat gets both imports and other messages, the later ones are left for the
// next call.
func growths(fresh []*Draft) (all map[chatKey]*growth, left []*Draft) {
	all = make(map[chatKey]*growth, len(fresh))
	var full map[chatKey]bool
	for _, d := range fresh {
		key := chatKey{d.Chat.Low, d.Chat.High}
		g := all[key]
		switch {
		case g == nil:
			all[key] = &growth{id: d.chat, app: d.App, name: d.Chat, news: []*Draft{d}}
		case full[key] || g.news[0].Imported != d.Imported:
			if full == nil {
				full = map[chatKey]bool{}
			}
			full[key], left = true, append(left, d)
		default:
			g.news = append(g.news, d)
		}
	}
	return all, left
}

// sum counts what each side gets, where the clock says now.
func (g *growth) sum(now int64) {
	for i, d := range g.news {
		order := g.name.Kind.order(now)
		if d.Imported {
			order = g.name.Kind.order(d.SentAt)
		}
		for at := range g.name.sides() {
			g.seen[at].add(d, at, int64(i+1), order)
		}
	}
}

func (s *gain) add(d *Draft, at side, number, order int64) {
	if !d.seen(at) {
		return
	}
	if !d.own(at) && !d.Flags.Has(NoUnread) {
		s.counted++
	}
	if d.Flags.Has(NoLast) {
		return
	}
	if s.listed = number; order >= s.lastOrd {
		s.lastID, s.lastOrd = d.Message.ID, order
	}
}

// newest is the order to which messages move the chat; imports do not.
func (g *growth) newest(now int64) int64 {
	if g.news[0].Imported {
		return 0
	}
	return g.name.Kind.order(now)
}

// A message that was sent here gets the chat's newest order, so the last message of a side is its newest but for an import
// from behind that order.
const (
	upsertChat = ` ON CONFLICT (low_id, high_id) DO UPDATE SET
	last_sequence = chat.last_sequence + excluded.last_sequence,
	last_ord = CASE WHEN excluded.last_ord > chat.last_ord THEN excluded.last_ord ELSE chat.last_ord END,
	changed_at = excluded.changed_at,
	low_counted = chat.low_counted + excluded.low_counted,
	high_counted = chat.high_counted + excluded.high_counted,
	low_listed = CASE WHEN excluded.low_listed > 0 THEN chat.last_sequence + excluded.low_listed ELSE chat.low_listed END,
	high_listed = CASE WHEN excluded.high_listed > 0 THEN chat.last_sequence + excluded.high_listed ELSE chat.high_listed END,
	low_last_id = CASE WHEN ` + movesLow + ` THEN excluded.low_last_id ELSE chat.low_last_id END,
	low_last_ord = CASE WHEN ` + movesLow + ` THEN ` + lastLow + ` ELSE chat.low_last_ord END,
	high_last_id = CASE WHEN ` + movesHigh + ` THEN excluded.high_last_id ELSE chat.high_last_id END,
	high_last_ord = CASE WHEN ` + movesHigh + ` THEN ` + lastHigh + ` ELSE chat.high_last_ord END
RETURNING id, low_id, high_id, last_sequence, last_ord`

	movesLow = `excluded.low_listed > 0 AND (excluded.low_last_ord >= chat.low_last_ord OR
		excluded.last_ord > 0 AND chat.last_ord >= chat.low_last_ord)`
	movesHigh = `excluded.high_listed > 0 AND (excluded.high_last_ord >= chat.high_last_ord OR
		excluded.last_ord > 0 AND chat.last_ord >= chat.high_last_ord)`
	lastLow = `CASE WHEN excluded.last_ord > 0 AND chat.last_ord > excluded.low_last_ord THEN chat.last_ord
		ELSE excluded.low_last_ord END`
	lastHigh = `CASE WHEN excluded.last_ord > 0 AND chat.last_ord > excluded.high_last_ord THEN chat.last_ord
		ELSE excluded.high_last_ord END`
)

func upsertChats(tx *db.Tx, byName map[chatKey]*growth) error {
	now, changed := tx.Now().Unix(), tx.Now().UnixMilli()
	grown := make([]*growth, 0, len(byName))
	for _, g := range byName {
		g.sum(now)
		grown = append(grown, g)
	}
	slices.SortFunc(grown, func(x, y *growth) int {
		return cmp.Or(cmp.Compare(x.name.Low, y.name.Low), cmp.Compare(x.name.High, y.name.High))
	})
	const width = 16
	return db.Chunks(tx, width, grown, func(chunk []*growth) error {
		if len(chunk) == 1 && chunk[0].plain() {
			return chunk[0].advance(tx)
		}
		args := make([]any, 0, width*len(chunk))
		for _, g := range chunk {
			args = append(args, g.id, int64(g.app), int64(g.name.Kind), g.name.Low, g.name.High, len(g.news), g.newest(now), changed)
			for _, s := range g.seen {
				args = append(args, s.counted, s.listed, s.lastID, s.lastOrd)
			}
		}
		return tx.Returning(func(row db.Scanner) error {
			var (
				of               chatKey
				id, last, newest int64
			)
			if err := row(&id, &of.low, &of.high, &last, &newest); err != nil {
				return err
			}
			g := byName[of]
			g.stand(id, last, max(g.name.Kind.order(now), newest))
			return nil
		}, `INSERT INTO chat (id, app_id, kind, low_id, high_id, last_sequence, last_ord, changed_at,
			low_counted, low_listed, low_last_id, low_last_ord, high_counted, high_listed, high_last_id, high_last_ord) VALUES `+
			db.Rows(len(chunk), width, false)+upsertChat, args...)
	})
}

func (g *growth) stand(chat, last, newest int64) {
	sequence := last - int64(len(g.news))
	for _, d := range g.news {
		sequence++
		d.chat, d.Message.Chat = chat, chat
		d.Message.Position = Position{newest, sequence}
		if d.Imported {
			d.Message.Order = g.name.Kind.order(d.SentAt)
		}
	}
}
