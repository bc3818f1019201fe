package chat

import (
	"context"
	"errors"
	"fmt"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
)

// Editable is the part of a message that can be edited.
type Editable struct {
	// Body is the JSON of the elements, in normal form.
	Body      []byte
	CloudData string
	// Version is how often the message was edited before; a change does not set it.
	Version int64
}

// Editable is the part of the message that can be edited, as it is now.
func (m *Message) Editable() Editable { return Editable{m.Body, m.CloudData, m.Version} }

// Edit is a change of a message's body. The old body is gone then.
type Edit struct {
	Chat Name
	Key  Key
	// From is who sent it.
	From im.AccountID
	// Sequence names the message instead of Key and From, in a chat that is sorted by sequence; 0 does not.
	Sequence int64
	// Change gives the new part for the old one, or refuses with an *im.Error. It may run several times.
	Change func(old Editable) (Editable, error)
	// Check refuses, with an *im.Error, in the transaction that changes the message and before it does; nil refuses nothing. It may
	// run several times.
	Check func(tx *db.Tx, old *Message) error
	// Then is called in the transaction with the message as it is changed, perhaps several times; nil is nothing.
	Then func(tx *db.Tx, changed *Message) error
}

// What an edit or a recall finds instead of a message that it could change.
var (
	ErrUnknown  = errors.New("chat: no such message")
	ErrRecalled = errors.New("chat: the message was recalled")
)

// editAttempts bounds how often an edit, or a mark, starts anew because another transaction made one of the same meanwhile.
const editAttempts = 8

// Edit changes a message; when it returns, the change is on disk. It refuses with ErrUnknown, ErrRecalled or what Check
// or Change says, and gives the message as it stands then too, if there is one. Edits of one message that meet are made one after
// the other.
func (c *Chats) Edit(ctx context.Context, e Edit) (*Message, error) {
	chat, err := c.Find(ctx, e.Chat)
	if err != nil {
		return nil, err
	}
	var (
		target  *Message
		refusal error
	)
	err = c.db.Write(ctx, func(tx *db.Tx) error {
		var err error
		target, refusal, err = c.change(ctx, tx, chat, &e)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("edit message: %w", err)
	}
	return target, refusal
}

// change changes the message, and touches its chat. A refusal is no error, so that it does not undo the
// writes that share the commit.
func (c *Chats) change(ctx context.Context, tx *db.Tx, chat int64, e *Edit) (target *Message, refusal, err error) {
	for range editAttempts {
		if target, err = c.named(ctx, tx, chat, naming{e.Key, e.From, e.Sequence}); err != nil {
			return nil, nil, err
		}
		if refusal, err = e.refuses(tx, target); refusal != nil || err != nil {
			return target, refusal, err
		}
		next, refusal := e.Change(target.Editable())
		if refusal != nil {
			return target, refusal, nil
		}
		changed, err := tx.Exec(`UPDATE message SET body = $1, cloud_data = $2, version = version + 1, changed_at = $3
			WHERE id = $4 AND version = $5 AND (flags & $6) = 0`,
			string(next.Body), next.CloudData, tx.Now().UnixMilli(), target.ID, target.Version, int64(Recalled))
		if err != nil {
			return nil, nil, err
		}
		if changed == 0 {
			continue
		}
		target.Body, target.CloudData, target.Version = next.Body, next.CloudData, target.Version+1
		return target, nil, e.changed(tx, chat, target)
	}
	return nil, nil, errors.New("other nodes edit the same message all the time")
}

// refuses tells why the message cannot be changed as it stands, or by whom Check refuses.
func (e *Edit) refuses(tx *db.Tx, old *Message) (refusal, err error) {
	if refusal = old.standing(); refusal != nil || e.Check == nil {
		return refusal, nil
	}
	err = e.Check(tx, old)
	if refused, ok := im.Refusal(err); ok {
		return refused, nil
	}
	return nil, err
}

// changed touches the chat of a message that is changed, and does what the edit has to do then.
func (e *Edit) changed(tx *db.Tx, chat int64, target *Message) error {
	if err := touch(tx, chat); err != nil || e.Then == nil {
		return err
	}
	return e.Then(tx, target)
}

// standing tells whether a message that was looked for can still be changed.
func (m *Message) standing() error {
	switch {
	case m == nil:
		return ErrUnknown
	case m.Flags.Has(Recalled):
		return ErrRecalled
	}
	return nil
}
