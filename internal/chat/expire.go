package chat

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// Old is a message that is old enough to be removed, as far as it is known whose it is.
type Old struct {
	ID, Chat int64
	App      im.AppID
}

// Oldest gives the first messages of all applications behind an id and below another one, in the order of their ids, which is that of
// the time in which they were stored.
func (c *Chats) Oldest(ctx context.Context, from db.Source, after, below int64, most int) ([]Old, error) {
	all, err := db.All(ctx, from, func(row db.Scanner) (o Old, err error) { return o, row(&o.ID, &o.Chat, &o.App) },
		`SELECT m.id, m.chat_id, COALESCE(c.app_id, 0) FROM (SELECT id, chat_id FROM message WHERE id > $1 AND id < $2 ORDER BY id LIMIT $3) AS m
		LEFT JOIN chat c ON c.id = m.chat_id ORDER BY m.id`, after, below, most)
	if err != nil {
		return nil, fmt.Errorf("read old messages: %w", err)
	}
	return all, nil
}

// expired is a message that is removed because its time is over.
type expired struct {
	id, chat, sequence, time int64
	from                     im.AccountID
	flags                    Flags
	hidden                   Hidden
}

// counts reports whether the message may still count as unread.
func (e *expired) counts() bool { return e.flags&(NoUnread|Recalled) == 0 && e.hidden&FromPeer == 0 }

// Expire removes messages, by their ids, whose time is over. Sequences stay as they are, and read marks too; what was unread of them
// is not any more. A conversation whose last message goes shows the newest one that is left, and stands in no list when none is. Ids
// that name nothing are passed over.
func (c *Chats) Expire(ctx context.Context, tx *db.Tx, ids []int64) error {
	byChat := map[int64][]expired{}
	err := tx.Returning(func(row db.Scanner) error {
		var e expired
		err := row(&e.id, &e.chat, &e.sequence, &e.time, &e.from, &e.flags, &e.hidden)
		byChat[e.chat] = append(byChat[e.chat], e)
		return err
	}, `DELETE FROM message WHERE id IN ($1...) RETURNING id, chat_id, sequence, sent_at, from_id, flags, hidden`, db.Ints(ids))
	if err != nil {
		return fmt.Errorf("remove messages: %w", err)
	}
	chats, err := aged(ctx, tx, byChat)
	if err != nil {
		return err
	}
	for i := range chats {
		if err := chats[i].forget(ctx, tx); err != nil {
			return fmt.Errorf("forget last messages: %w", err)
		}
	}
	return settleExpired(ctx, tx, byChat)
}

// agedChat is a chat of which messages are removed.
type agedChat struct {
	id       int64
	name     Name
	last     [mostSides]int64 // the ids of the last messages
	messages []expired
}

// aged reads the chats, in the order in which rows are locked.
func aged(ctx context.Context, tx *db.Tx, byChat map[int64][]expired) ([]agedChat, error) {
	ids := make([]int64, 0, len(byChat))
	for id := range byChat {
		ids = append(ids, id)
	}
	all, err := db.All(ctx, tx, func(row db.Scanner) (a agedChat, err error) {
		err = row(&a.id, &a.name.Kind, &a.name.Low, &a.name.High, &a.last[low], &a.last[high])
		a.messages = byChat[a.id]
		return a, err
	}, `SELECT id, kind, low_id, high_id, low_last_id, high_last_id FROM chat WHERE id IN ($1...) ORDER BY low_id, high_id`, db.Ints(ids))
	if err != nil {
		return nil, fmt.Errorf("read chats: %w", err)
	}
	return all, nil
}

// forget takes the removed messages out of what the chat's row says of them.
func (a *agedChat) forget(ctx context.Context, tx *db.Tx) error {
	if a.name.Kind == Group {
		if err := errors.Join(a.keepSums(tx), a.forgetDeleted(tx)); err != nil {
			return err
		}
	}
	for at := range a.name.sides() {
		gone := slices.ContainsFunc(a.messages, func(e expired) bool { return e.id == a.last[at] })
		if !gone {
			continue
		}
		if err := a.showNewest(ctx, tx, at); err != nil {
			return err
		}
	}
	return nil
}

// keepSums keeps what a group's row needs of messages that are not there any more: a member's unread messages are told from how many
// counted in all, and its last message may have gone.
func (a *agedChat) keepSums(tx *db.Tx) error {
	var counted, latest, sequence int64
	for i := range a.messages {
		e := &a.messages[i]
		latest, sequence = max(latest, e.time), max(sequence, e.sequence)
		if e.flags&NoUnread == 0 {
			counted++
		}
	}
	_, err := tx.Exec(`UPDATE chat SET expired_counted = expired_counted + $1,
		expired_time = CASE WHEN expired_time < $2 THEN $3 ELSE expired_time END,
		expired_sequence = CASE WHEN expired_sequence < $4 THEN $5 ELSE expired_sequence END WHERE id = $6`,
		counted, latest, latest, sequence, sequence, a.id)
	return err
}

// newestLeft finds what a side's list shows now: the newest message that moves the list and that the owner $2 sees, or everybody if
// that is 0. It looks at the newest thousand.
const newestLeft = `SELECT id, ord FROM (SELECT id, ord, sequence, from_id, flags, hidden FROM message WHERE chat_id = $1
	ORDER BY ord DESC, sequence DESC LIMIT 1000) AS newest
	WHERE (flags & 8) = 0 AND (CAST($2 AS BIGINT) = 0 OR (from_id = $3 AND (hidden & 1) = 0) OR (from_id <> $4 AND (hidden & 2) = 0))
	ORDER BY ord DESC, sequence DESC LIMIT 1`

// showNewest has a side show the newest message that is left, where it showed one that is removed and still does.
func (a *agedChat) showNewest(ctx context.Context, tx *db.Tx, at side) error {
	owner := int64(0)
	for _, p := range a.name.parties() {
		if p.side == at {
			owner = int64(p.owner)
		}
	}
	var id, order int64
	err := db.Each(ctx, tx, func(row db.Scanner) error { return row(&id, &order) }, newestLeft, a.id, owner, owner, owner)
	if err != nil {
		return err
	}
	columns := [mostSides]string{"low", "high"}[at]
	if id == 0 {
		_, err = tx.Exec(`UPDATE chat SET `+columns+`_last_id = 0, `+columns+`_listed = 0 WHERE id = $1 AND `+columns+`_last_id = $2`,
			a.id, a.last[at])
		return err
	}
	_, err = tx.Exec(`UPDATE chat SET `+columns+`_last_id = $1, `+columns+`_last_ord = $2 WHERE id = $3 AND `+columns+`_last_id = $4`,
		id, order, a.id, a.last[at])
	return err
}

// unreader is a conversation of one of two accounts in which something counts as unread.
type unreader struct {
	owner im.AccountID
	chat  int64
}

// settleExpired settles the removed messages for those who had not read them. Nearly always there are none.
func settleExpired(ctx context.Context, tx *db.Tx, byChat map[int64][]expired) error {
	var ids []int64
	for id, all := range byChat {
		if slices.ContainsFunc(all, func(e expired) bool { return e.counts() }) {
			ids = append(ids, id)
		}
	}
	unread, err := db.All(ctx, tx, func(row db.Scanner) (u unreader, err error) { return u, row(&u.owner, &u.chat) },
		`SELECT v.owner_id, v.chat_id FROM chat c JOIN conversation v ON v.chat_id = c.id AND v.owner_id IN (c.low_id, c.high_id)
		WHERE c.id IN ($1...) AND c.kind = $2 AND `+unreadOf+` > 0`, db.Ints(ids), int64(OneToOne))
	if err != nil {
		return fmt.Errorf("find unread messages that are removed: %w", err)
	}
	slices.SortFunc(unread, func(x, y unreader) int { return cmp.Or(cmp.Compare(x.owner, y.owner), cmp.Compare(x.chat, y.chat)) })
	for _, u := range unread {
		if err := u.settle(tx, byChat[u.chat]); err != nil {
			return fmt.Errorf("settle removed messages: %w", err)
		}
	}
	return nil
}

// settle settles those of the removed messages that count for the conversation.
func (u unreader) settle(tx *db.Tx, removed []expired) error {
	var sequences []int64
	for i := range removed {
		if e := &removed[i]; e.counts() && e.from != u.owner {
			sequences = append(sequences, e.sequence)
		}
	}
	return db.Chunks(tx, 1, sequences, func(chunk []int64) error {
		args := make([]any, 0, len(chunk)+2)
		for _, sequence := range chunk {
			args = append(args, sequence)
		}
		n := len(chunk)
		_, err := tx.Exec(`UPDATE conversation SET settled = settled + (SELECT COUNT(*) FROM (VALUES `+db.Rows(n, 1, true)+`) AS e
			WHERE e.column1 > read_sequence AND e.column1 > uncounted AND e.column1 > cleared)
			WHERE owner_id = `+db.Parameters(n+1, 1)+` AND chat_id = `+db.Parameters(n+2, 1), append(args, int64(u.owner), u.chat)...)
		return err
	})
}

// forgetDeleted forgets which members had deleted the removed messages for themselves.
func (a *agedChat) forgetDeleted(tx *db.Tx) error {
	sequences := make([]int64, len(a.messages))
	for i := range a.messages {
		sequences[i] = a.messages[i].sequence
	}
	_, err := tx.Exec(`DELETE FROM deleted_message WHERE chat_id = $1 AND sequence IN ($2...)`, a.id, db.Ints(sequences))
	return err
}
