package conversation

import (
	"context"
	"fmt"
	"slices"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// choiceKey names a conversation of an owner: by its kind, and the peer's account or the group's number.
type choiceKey struct {
	kind chat.Kind
	peer int64
}

// choice is what an owner has chosen for a conversation. The zero choice is that of who has chosen nothing.
type choice struct {
	// pinned and changed are unix milliseconds, pinned 0 of a conversation that is not.
	pinned, changed int64
	receive         receiveOption
	// marks and folders are sets of numbers: of the interface's numbers, and of the owner's folders.
	marks, folders bitSet
	custom         string
}

// plain reports whether nothing is chosen.
func (c *choice) plain() bool {
	return c.pinned == 0 && c.receive == receiveAll && !c.carries()
}

// carries reports whether the conversation has marks, data of its own, or a folder, of which an account may have so many.
func (c *choice) carries() bool { return c.marks != 0 || c.folders != 0 || c.custom != "" }

// bitSet is a set of numbers from 0 to 63.
type bitSet int64

func (b bitSet) has(number int) bool { return b&(1<<number) != 0 }

// choices are an owner's, by conversation.
type choices map[choiceKey]*choice

// of is what is chosen for a conversation, for the caller to change.
func (all choices) of(key choiceKey) *choice {
	if all[key] == nil {
		all[key] = &choice{}
	}
	return all[key]
}

// count counts the choices that are such.
func (all choices) count(such func(*choice) bool) (n int) {
	for _, one := range all {
		if such(one) {
			n++
		}
	}
	return n
}

// choices reads what an owner has chosen, of which there are mostChoices at most.
func (c *Conversations) choices(ctx context.Context, from db.Source, owner im.AccountID) (choices, error) {
	all := choices{}
	err := db.Each(ctx, from, func(row db.Scanner) error {
		var (
			key choiceKey
			one choice
		)
		err := row(&key.kind, &key.peer, &one.pinned, &one.receive, &one.marks, &one.folders, &one.custom, &one.changed)
		all[key] = &one
		return err
	}, `SELECT kind, peer_id, pinned_at, receive, marks, folders, custom, changed_at FROM choice WHERE owner_id = $1`, int64(owner))
	if err != nil {
		return nil, fmt.Errorf("read choices: %w", err)
	}
	return all, nil
}

// mostChoices bounds the conversations for which an account has chosen something.
const mostChoices = 5000

// chooser is a change of an owner's choices under way: those that it has, in the transaction, and which of them it changes.
type chooser struct {
	ctx     context.Context //nolint:containedctx // it lives as long as the transaction's function
	tx      *db.Tx
	owner   im.AccountID
	all     choices
	changed []choiceKey
	// then is written once the choices are; nil is nothing more.
	then func() error
}

// set has the choice of a conversation stored.
func (c *chooser) set(key choiceKey) *choice {
	one := c.all.of(key)
	one.changed = c.tx.Now().UnixMilli()
	if !slices.Contains(c.changed, key) {
		c.changed = append(c.changed, key)
	}
	return one
}

// choose has an owner's choices changed. Changes of one owner are made one after the other; do refuses before it sets anything, and
// leaves what else it writes to then, as there may be too many choices.
func (c *Conversations) choose(ctx context.Context, owner account.Account, do func(*chooser) (refused, err error)) error {
	var refused error
	err := c.db.Write(ctx, func(tx *db.Tx) error {
		refused = nil
		alive, err := account.Lock(tx, []im.AccountID{owner.ID})
		if err != nil {
			return err
		}
		if _, ok := alive[owner.ID]; !ok {
			refused = errAccount(owner.UserID)
			return nil
		}
		ch := &chooser{ctx: ctx, tx: tx, owner: owner.ID}
		if ch.all, err = c.choices(ctx, tx, owner.ID); err != nil {
			return err
		}
		if err = c.forgetLeft(ch); err != nil {
			return err
		}
		if refused, err = do(ch); refused != nil || err != nil {
			return err
		}
		if len(ch.all) > mostChoices {
			refused, err = ch.tidy()
		}
		if refused != nil || err != nil {
			return err
		}
		return ch.store()
	})
	if err != nil {
		return fmt.Errorf("change choices: %w", err)
	}
	return refused
}

// forgetLeft forgets what is chosen for groups that the owner is not in any more: nobody can take it back, and it would count
// among those choices of which an account may have so many.
func (c *Conversations) forgetLeft(ch *chooser) error {
	var groups []int64
	for key := range ch.all {
		if key.kind == chat.Group {
			groups = append(groups, key.peer)
		}
	}
	if len(groups) == 0 {
		return nil
	}
	members, err := c.groups.Memberships(ch.ctx, ch.tx, ch.owner, groups)
	if err != nil {
		return err
	}
	left := slices.DeleteFunc(groups, func(group int64) bool { return members[group] != nil })
	if len(left) == 0 {
		return nil
	}
	for _, group := range left {
		delete(ch.all, choiceKey{chat.Group, group})
	}
	_, err = ch.tx.Exec(`DELETE FROM choice WHERE owner_id = $1 AND kind = $2 AND peer_id IN ($3...)`,
		int64(ch.owner), int64(chat.Group), db.Ints(left))
	return err
}

// tidy makes room by forgetting for which conversations something was chosen once.
func (c *chooser) tidy() (refused, err error) {
	if c.all.count(func(one *choice) bool { return !one.plain() }) > mostChoices {
		return im.Errorf(im.CodeConversationChosen, "something is chosen for %d conversations already", mostChoices), nil
	}
	_, err = c.tx.Exec(`DELETE FROM choice WHERE owner_id = $1 AND pinned_at = 0 AND receive = 0 AND marks = 0 AND folders = 0
		AND custom = ''`, int64(c.owner))
	return nil, err
}

// store writes what was set.
func (c *chooser) store() error {
	const width = 9
	err := db.Chunks(c.tx, width, c.changed, func(chunk []choiceKey) error {
		args := make([]any, 0, width*len(chunk))
		for _, key := range chunk {
			one := c.all[key]
			args = append(args, int64(c.owner), int64(key.kind), key.peer, one.pinned, int64(one.receive), int64(one.marks),
				int64(one.folders), one.custom, one.changed)
		}
		_, err := c.tx.Exec(`INSERT INTO choice (owner_id, kind, peer_id, pinned_at, receive, marks, folders, custom, changed_at) VALUES `+
			db.Rows(len(chunk), width, false)+` ON CONFLICT (owner_id, kind, peer_id) DO UPDATE SET pinned_at = excluded.pinned_at,
			receive = excluded.receive, marks = excluded.marks, folders = excluded.folders, custom = excluded.custom,
			changed_at = excluded.changed_at`, args...)
		return err
	})
	if err != nil || c.then == nil {
		return err
	}
	return c.then()
}
