package groupmessage

import (
	"context"
	"fmt"
	"time"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// How long notifications are kept for devices that were not there, and how many of an account.
const (
	keptFor  = 7 * 24 * time.Hour
	keptMost = 100
)

// keepNote stores a notification for each of its accounts, and drops the ones that are too old or too many.
func keepNote(tx *db.Tx, n *note) error {
	body, err := wire.Marshal(n.notification)
	if err != nil {
		return err
	}
	const width = 5
	err = db.Chunks(tx, width, n.to, func(chunk []account.Account) error {
		args := make([]any, 0, width*len(chunk))
		for _, who := range chunk {
			args = append(args, tx.NextID(), int64(who.ID), n.Sequence, tx.Now().UnixMilli(), string(body))
		}
		_, err := tx.Exec(`INSERT INTO notification (id, account_id, number, made_at, body) VALUES `+
			db.Rows(len(chunk), width, false), args...)
		return err
	})
	if err != nil {
		return fmt.Errorf("keep notifications: %w", err)
	}
	_, err = tx.Exec(`DELETE FROM notification WHERE account_id IN ($1...) AND (made_at <= $2 OR id <=
		(SELECT n.id FROM notification n WHERE n.account_id = notification.account_id ORDER BY n.id DESC LIMIT 1 OFFSET $3))`,
		db.Ints(numbersOf(n.to)), tx.Now().Add(-keptFor).UnixMilli(), keptMost)
	if err != nil {
		return fmt.Errorf("drop notifications: %w", err)
	}
	return nil
}

// Kept gives what an account was told since a moment, oldest first, and then which messages that it has not read mention it. It is
// what a device is told that was not there.
func (g *GroupMessages) Kept(ctx context.Context, from db.Source, of account.Account, since time.Time) ([]event.Event, error) {
	oldest := g.db.Now().Add(-keptFor)
	if since.After(oldest) {
		oldest = since
	}
	bodies, err := db.All(ctx, from, func(row db.Scanner) (body string, err error) { return body, row(&body) },
		`SELECT body FROM notification WHERE account_id = $1 AND made_at > $2 ORDER BY id DESC LIMIT $3`,
		int64(of.ID), oldest.UnixMilli(), keptMost)
	if err != nil {
		return nil, fmt.Errorf("read notifications: %w", err)
	}
	events := make([]event.Event, len(bodies))
	for i, body := range bodies {
		var n notification
		if err := wire.Unmarshal([]byte(body), &n); err != nil {
			return nil, fmt.Errorf("read a notification: %w", err)
		}
		events[len(bodies)-1-i] = notifications.Of([]notification{n.addressed(of.UserID)})
	}
	mentioned, err := g.mentionsOf(ctx, from, of, oldest)
	return append(events, mentioned...), err
}

// OnDelete removes the notifications of a deleted account. It is an [account.Participant].
func (g *GroupMessages) OnDelete(_ context.Context, tx *db.Tx, of account.Account) (func(), error) {
	_, err := tx.Exec(`DELETE FROM notification WHERE account_id = $1`, int64(of.ID))
	return nil, err
}

// RemoveOf removes notifications of accounts that are removed. It is an [account.RemovePart].
func (g *GroupMessages) RemoveOf(_ context.Context, tx *db.Tx, of []im.AccountID, most int64) (int64, error) {
	return tx.Exec(`DELETE FROM notification WHERE id IN (SELECT id FROM notification WHERE account_id IN ($1...) LIMIT $2)`,
		db.Ints(of), most)
}

// dropRequest names notifications that a client has dealt with by their numbers. What else it names is not kept.
type dropRequest struct {
	List []struct {
		From   string `json:"From_Account"`
		Number int64  `json:"MsgSeq"`
	} `json:"DelMsgList"`
}

func (g *GroupMessages) dropCommand() command.Command {
	return command.New(command.Spec{
		Service: "openim", Name: "deletemsg", By: command.Account, Family: im.FamilyMessage(),
		Doc: "drop notifications of groups that one has dealt with", Section: "wire.md#group-notices",
	}, g.drop)
}

// drop forgets them for all devices of the account.
func (g *GroupMessages) drop(ctx context.Context, call *command.Call, r *dropRequest) (*command.None, error) {
	if len(r.List) > keptMost {
		return nil, im.Errorf(im.CodeMessageFormat, "DelMsgList has %d messages: want at most %d", len(r.List), keptMost)
	}
	var numbers []int64
	for _, one := range r.List {
		if one.From == system {
			numbers = append(numbers, one.Number)
		}
	}
	if len(numbers) == 0 {
		return nil, nil
	}
	return nil, g.db.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(`DELETE FROM notification WHERE account_id = $1 AND number IN ($2...)`, int64(call.Account), db.Ints(numbers))
		return err
	})
}
