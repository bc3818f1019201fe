package message

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
)

const (
	// offlinePage ends a new device's page once it holds so many messages; the next page goes on.
	offlinePage = 200
	// missedPage is the same for a device that was away. It is larger because the web client takes one page only.
	missedPage = 1000
	// missedRounds bounds how often such a page looks for further conversations.
	missedRounds = 10
	// syncOverlap is read twice, because another node may commit a little later than its clock said. Clients drop what
	// they have.
	syncOverlap = 10 * time.Second
	// noticeOverlap is the same for recalls and edits. It is shorter, because the web client tells its user of a recall again.
	noticeOverlap = 2 * time.Second
	// changesScanned is how many of a chat's newest messages are searched for recalls and edits that a device missed.
	changesScanned = 200
	// lately is how far back chats are looked at for what a device may have been pushed since it logged in.
	lately = time.Minute
)

// puller reads one page of a sync on one snapshot.
type puller struct {
	accounts *account.Accounts
	from     *db.Snapshot
	me       account.Account
	now      time.Time
	at       *cookie
	first    bool

	messages []Item
	unread   []pairUnread
	notices  []event.Item
	upTo     map[int64]int64 // on the first page: what the snapshot holds of chats that moved lately
	done     bool
}

func (p *puller) pull(ctx context.Context) error {
	p.messages, p.unread, p.notices = []Item{}, []pairUnread{}, nil
	if p.first {
		if err := p.countUnread(ctx); err != nil {
			return err
		}
		if err := p.sequences(ctx); err != nil {
			return err
		}
	}
	for range missedRounds {
		moved, err := p.moved(ctx)
		if err != nil {
			return err
		}
		if full, err := p.fill(ctx, moved); err != nil || full || p.done || !p.away() {
			return err
		}
	}
	return nil
}

// sequences reads the newest sequence of each chat that moved lately.
func (p *puller) sequences(ctx context.Context) error {
	p.upTo = map[int64]int64{}
	err := db.Each(ctx, p.from, func(row db.Scanner) error {
		var chat, last int64
		err := row(&chat, &last)
		p.upTo[chat] = last
		return err
	}, `SELECT c.id, c.last_sequence FROM conversation v JOIN chat c ON c.id = v.chat_id
		WHERE v.owner_id = $1 AND v.changed_at >= $2`, int64(p.me.ID), p.now.Add(-lately).UnixMilli())
	if err != nil {
		return fmt.Errorf("read sequences: %w", err)
	}
	return nil
}

// countUnread lists the conversations with unread messages: the only place where a web client learns the counts.
func (p *puller) countUnread(ctx context.Context) error {
	err := db.Each(ctx, p.from, func(row db.Scanner) error {
		var pair pairUnread
		err := row(&pair.From, &pair.Unread)
		p.unread = append(p.unread, pair)
		return err
	}, `SELECT a.user_id, c.unread FROM conversation c JOIN account a ON a.id = c.peer_id
		WHERE c.owner_id = $1 AND c.unread > 0 ORDER BY c.last_time DESC LIMIT $2`, int64(p.me.ID), im.MaxStatusPerCall)
	if err != nil {
		return fmt.Errorf("count unread: %w", err)
	}
	return nil
}

// movedChat is a conversation in which something happened.
type movedChat struct {
	chat, readTime, cleared, changed int64
	peerRead                         int64
	peer                             im.AccountID
}

// A device that is new here gets the conversations with unread messages, one that was away those that changed.
const (
	selectViews = `SELECT v.chat_id, v.peer_id, v.read_time, v.cleared, v.changed_at, COALESCE(p.read_time, 0)
		FROM conversation v
		LEFT JOIN conversation p ON p.owner_id = v.peer_id AND p.chat_id = v.chat_id AND p.owner_id <> v.owner_id
		WHERE v.owner_id = $1 AND (v.changed_at, v.chat_id) > ($2, $3)`
	selectMovedChats  = selectViews + ` ORDER BY v.changed_at, v.chat_id LIMIT $4`
	selectUnreadChats = selectViews + ` AND v.unread > 0 ORDER BY v.changed_at, v.chat_id LIMIT $4`
)

func (p *puller) moved(ctx context.Context) ([]movedChat, error) {
	query, from := selectUnreadChats, p.at.changed
	if p.away() {
		query, from = selectMovedChats, max(p.at.changed, p.at.since-syncOverlap.Milliseconds())
	}
	moved, err := db.All(ctx, p.from, func(row db.Scanner) (movedChat, error) {
		var c movedChat
		err := row(&c.chat, &c.peer, &c.readTime, &c.cleared, &c.changed, &c.peerRead)
		return c, err
	}, query, int64(p.me.ID), from, p.at.chat, im.MaxOfflineChats)
	if err != nil {
		return nil, fmt.Errorf("list moved conversations: %w", err)
	}
	return moved, nil
}

// away tells a device that was away from one that is new here.
func (p *puller) away() bool { return p.at.since > 0 }

// fill takes the conversations' messages until the page is full, which it reports, and moves the cookie over those that
// it holds.
func (p *puller) fill(ctx context.Context, moved []movedChat) (bool, error) {
	ids := make([]im.AccountID, 0, len(moved))
	for _, c := range moved {
		ids = append(ids, c.peer)
	}
	peers, err := p.accounts.ByID(ctx, p.from, ids)
	if err != nil {
		return false, err
	}
	take, most := p.takeOffline, offlinePage
	if p.away() {
		take, most = p.takeMissed, missedPage
	}
	for _, c := range moved {
		if len(p.messages) >= most {
			return true, nil
		}
		whole, err := take(ctx, peers[c.peer], c)
		if err != nil || !whole {
			return true, err
		}
		p.at.changed, p.at.chat, p.at.cut = c.changed, c.chat, 0
	}
	p.done = len(moved) < im.MaxOfflineChats
	return false, nil
}

// What a new device misses of a chat are the peer's newest messages after the read mark, as far as they are still
// brought to devices that were away; what one that was away misses is everything newer than its cookie.
const (
	selectOffline = `SELECT ` + storedColumns + ` FROM message WHERE chat_id = $1 AND sent_at > $2 AND sequence > $3
		AND from_id <> $4 AND (hidden & 2) = 0 AND offline_until > $5 ORDER BY sent_at DESC, sequence DESC LIMIT $6`
	selectMissed = `SELECT ` + storedColumns + ` FROM message WHERE chat_id = $1 AND (sent_at, sequence) > ($2, $3)
		AND sequence > $4 AND offline_until > $5
		AND ((from_id = $6 AND (hidden & 1) = 0) OR (from_id <> $6 AND (hidden & 2) = 0))
		ORDER BY sent_at, sequence LIMIT $7`
	selectChanges = `SELECT ` + storedColumns + ` FROM (SELECT * FROM message WHERE chat_id = $1 AND sequence > $5
		AND ((from_id = $6 AND (hidden & 1) = 0) OR (from_id <> $6 AND (hidden & 2) = 0))
		ORDER BY sent_at DESC, sequence DESC LIMIT $4) AS newest WHERE changed_at >= $2 AND ((flags & $3) <> 0 OR version > 0)
		ORDER BY sent_at, sequence`
)

func (p *puller) takeOffline(ctx context.Context, peer account.Account, c movedChat) (bool, error) {
	messages, err := allStored(ctx, p.from, selectOffline, c.chat, c.readTime, c.cleared, int64(p.me.ID), p.now.Unix(),
		im.MaxOfflinePerChat)
	if err != nil {
		return false, fmt.Errorf("read offline messages: %w", err)
	}
	slices.Reverse(messages)
	p.add(messages, peer, c)
	return true, nil
}

// takeMissed takes a chat's missed messages, oldest first, and tells whether all fit. A chat that is whole also gets
// its notices: what was recalled and read meanwhile.
func (p *puller) takeMissed(ctx context.Context, peer account.Account, c movedChat) (bool, error) {
	after := position{time.UnixMilli(p.at.since).Add(-syncOverlap).Unix(), 0}
	if p.at.cut == c.chat {
		after = position{p.at.time, p.at.sequence}
	}
	room := missedPage - len(p.messages)
	messages, err := allStored(ctx, p.from, selectMissed, c.chat, after.time, after.sequence, c.cleared, p.now.Unix(),
		int64(p.me.ID), room+1)
	if err != nil {
		return false, fmt.Errorf("read missed messages: %w", err)
	}
	if len(messages) > room {
		messages = messages[:room]
		last := messages[room-1]
		p.at.cut, p.at.time, p.at.sequence = c.chat, last.time, last.sequence
		p.add(messages, peer, c)
		return false, nil
	}
	p.add(messages, peer, c)
	return true, p.notice(ctx, peer, c)
}

// add adds messages to the page. To a device that was away an edited one comes as new: the web client would call it an
// edit of a message that its application has never seen. The notice that follows brings the version.
func (p *puller) add(messages []stored, peer account.Account, c movedChat) {
	readBy := map[im.AccountID]int64{peer.ID: c.readTime, p.me.ID: c.peerRead}
	for i := range messages {
		it := messages[i].item(p.me, peer, readBy)
		if p.away() {
			it.Version = 0
		}
		p.messages = append(p.messages, it)
	}
}

// notice adds what happened to a chat's messages while the device was away. Clients take a repeated notice for what it
// is.
func (p *puller) notice(ctx context.Context, peer account.Account, c movedChat) error {
	changes, err := allStored(ctx, p.from, selectChanges, c.chat, p.at.since-noticeOverlap.Milliseconds(), int64(Recalled),
		changesScanned, c.cleared, int64(p.me.ID))
	if err != nil {
		return fmt.Errorf("read missed changes: %w", err)
	}
	for i := range changes {
		from, to := p.me, peer
		if changes[i].from == peer.ID {
			from, to = peer, p.me
		}
		if changes[i].flags.Has(Recalled) {
			p.notices = append(p.notices, recalled.Of([]recallNotice{recallOf(from, to, &changes[i])}))
		} else {
			p.notices = append(p.notices, modifiedOf(from, to, &changes[i]))
		}
	}
	if c.readTime > 0 {
		p.notices = append(p.notices, ownRead(peer, c.readTime))
	}
	if c.peerRead > 0 {
		p.notices = append(p.notices, peerRead(peer, c.peerRead))
	}
	return nil
}
