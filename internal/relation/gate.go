package relation

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/setting"
)

// Sending is one account that would write to another, as far as their relations have a say in it.
type Sending struct {
	App      *im.App
	From, To im.AccountID

	// Refused is why it may not, and Unheard says that it may, and the other is not to see it. Judge sets both.
	Refused error
	Unheard bool
}

// What the application's settings say of messages from somebody who is blocked.
const (
	blockSilent = "silent" // the sender sees success
	blockRefuse = "refuse"
	blockOff    = "off"
)

var (
	friendCheck = setting.Bool(setting.Spec[bool]{
		Name: "friend.check", Doc: "whether clients write only to friends, who have them as friends too",
	})

	blockCheck = setting.Choice(setting.Spec[string]{
		Name: "blocklist.check", Default: blockSilent,
		Doc: "what becomes of a client's message to somebody who has blocked its sender: silent hides it from the receiver alone",
	}, blockSilent, blockRefuse, blockOff)
)

// Judge decides who may write to whom. It takes a statement for the blocklists and one for the friends of all of them, and none where
// the applications use neither. from is the store, or the transaction that stores the messages.
func (r *Relations) Judge(ctx context.Context, from db.Source, all []*Sending) error {
	var byFriends, byBlocks []*Sending
	for _, s := range all {
		s.Refused, s.Unheard = nil, false
		if friendCheck.Of(s.App) {
			byFriends = append(byFriends, s)
		}
		if blockCheck.Of(s.App) == blockOff {
			continue
		}
		used, err := r.uses.used(ctx, from, s.App.ID, r.DB.Now())
		if err != nil {
			return err
		}
		if used {
			byBlocks = append(byBlocks, s)
		}
	}
	if err := judgeFriends(ctx, from, byFriends); err != nil {
		return err
	}
	return judgeBlocks(ctx, from, byBlocks)
}

// row is the row of an owner's list that has somebody.
type row struct{ owner, who im.AccountID }

// rowsIn tells which rows a list has. query ends where the rows follow.
func rowsIn(ctx context.Context, from db.Source, query string, rows []row) (map[row]bool, error) {
	const width = 2
	found := map[row]bool{}
	err := db.KeyChunks(from, width, rows, func(chunk []row) error {
		args := make([]any, 0, width*len(chunk))
		for _, one := range chunk {
			args = append(args, int64(one.owner), int64(one.who))
		}
		return db.Each(ctx, from, func(scan db.Scanner) error {
			var one row
			err := scan(&one.owner, &one.who)
			found[one] = true
			return err
		}, query+` IN (VALUES `+db.Rows(len(chunk), width, true)+`)`, args...)
	})
	if err != nil {
		return nil, fmt.Errorf("read who may write to whom: %w", err)
	}
	return found, nil
}

// judgeFriends refuses whoever is not a friend of the other, and the other of him.
func judgeFriends(ctx context.Context, from db.Source, all []*Sending) error {
	if len(all) == 0 {
		return nil
	}
	rows := make([]row, 0, 2*len(all))
	for _, s := range all {
		rows = append(rows, row{s.From, s.To}, row{s.To, s.From})
	}
	has, err := rowsIn(ctx, from, `SELECT owner_id, friend_id FROM friend WHERE (owner_id, friend_id)`, rows)
	for _, s := range all {
		switch mine, theirs := has[row{s.From, s.To}], has[row{s.To, s.From}]; {
		case !mine && !theirs:
			s.Refused = im.Errorf(im.CodeNotFriends, "the two are no friends")
		case !theirs:
			s.Refused = im.Errorf(im.CodeNotTheirFriend, "the receiver does not have the sender as a friend")
		case !mine:
			s.Refused = im.Errorf(im.CodeNotOwnFriend, "the sender does not have the receiver as a friend")
		}
	}
	return err
}

// judgeBlocks keeps from the receivers what they do not want to hear.
func judgeBlocks(ctx context.Context, from db.Source, all []*Sending) error {
	if len(all) == 0 {
		return nil
	}
	rows := make([]row, len(all))
	for i, s := range all {
		rows[i] = row{s.To, s.From}
	}
	has, err := rowsIn(ctx, from, `SELECT owner_id, blocked_id FROM block WHERE (owner_id, blocked_id)`, rows)
	for _, s := range all {
		switch blocked := has[row{s.To, s.From}]; {
		case !blocked:
		case blockCheck.Of(s.App) == blockRefuse:
			s.Refused = im.Errorf(im.CodeSenderBlocked, "the receiver has blocked the sender")
		default:
			s.Unheard = true
		}
	}
	return err
}

// blockUses knows which applications have blocklists, so that a message of one that has none costs no statement.
type blockUses struct {
	mutex sync.RWMutex
	apps  map[im.AppID]*blockUse
}

// blockUse is whether an application has blocklists, and when this was read.
type blockUse struct {
	used bool
	read time.Time
}

// unusedFor is how long this node believes that an application has no blocklist: another node may make the first one.
const unusedFor = 2 * time.Second

// used reports whether any account of the application has a blocklist, or had one since this node started.
func (b *blockUses) used(ctx context.Context, from db.Source, app im.AppID, now time.Time) (bool, error) {
	b.mutex.RLock()
	known := b.apps[app]
	b.mutex.RUnlock()
	if known != nil && (known.used || now.Sub(known.read).Abs() < unusedFor) {
		return known.used, nil
	}
	found, err := db.All(ctx, from, db.Number, `SELECT account_id FROM relation WHERE app_id = $1 AND blocked > 0 LIMIT 1`, int64(app))
	if err != nil {
		return false, fmt.Errorf("look for blocklists: %w", err)
	}
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if known = b.apps[app]; known == nil || !known.used { // unless the first one was made meanwhile
		b.apps[app] = &blockUse{len(found) > 0, now}
	}
	return b.apps[app].used, nil
}

// begin is called before a blocklist gets an account.
func (b *blockUses) begin(app im.AppID) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.apps[app] = &blockUse{used: true}
}
