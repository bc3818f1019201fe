package message

import (
	"context"
	"maps"
	"time"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/chat/annotate"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
)

const (
	// offlinePage ends a new device's page once it holds so many messages; the next page goes on.
	offlinePage = 200
	// missedPage is the same for a device that was away. It is larger because the web client takes one page only.
	missedPage = im.MaxPeersPerCall
	// eventPage is the same for the recalls and edits that a device that was away is told of with one page.
	eventPage = 200
	// missedRounds bounds how often such a page looks for further conversations.
	missedRounds = 10
	// syncOverlap is read twice, because another node may commit a little later than its clock said. Clients drop what
	// they have.
	syncOverlap = 10 * time.Second
	// eventOverlap is the same for recalls and edits. It is shorter, because the web client tells its user of a recall again.
	eventOverlap = 2 * time.Second
	// lately is how far back chats are looked at for what a device may have been pushed since it logged in.
	lately = time.Minute
)

// syncPage reads one page of a sync on one snapshot.
type syncPage struct {
	chats    *chat.Chats
	attached *annotate.Annotations
	accounts *account.Accounts
	from     *db.Snapshot
	me       account.Account
	now      time.Time
	at       *cookie
	first    bool

	messages []WireMessage
	unread   []pairUnread
	events   []event.Event
	receipts map[int64]int             // where the messages are that asked for receipts, by their ids
	whole    map[int64]account.Account // the peers of the chats of which the page, or one before, holds all that was missed
	here     map[int64]bool            // the chats that the page has messages of
	upTo     map[int64]int64           // what the snapshot holds of chats that moved lately, and whose counts the page has
	kept     func(ctx context.Context, from db.Source, of account.Account, since time.Time) ([]event.Event, error)
	told     []event.Event // what the account was told beside messages
	altered  int           // how many recalls and edits are among the events
	full     bool
	done     bool
}

func (p *syncPage) read(ctx context.Context) error {
	p.messages, p.unread, p.events, p.here = []WireMessage{}, []pairUnread{}, nil, map[int64]bool{}
	p.receipts, p.whole = map[int64]int{}, map[int64]account.Account{}
	if p.first {
		if err := p.begin(ctx); err != nil {
			return err
		}
	}
	if !p.away() {
		return p.round(ctx)
	}
	for range missedRounds {
		if err := p.round(ctx); err != nil {
			return err
		}
		if p.full || p.done {
			break
		}
	}
	if p.first {
		return nil
	}
	return p.goOn(ctx)
}

// round takes the next conversations, as far as the page has room.
func (p *syncPage) round(ctx context.Context) error {
	moved, err := p.moved(ctx)
	if err != nil {
		return err
	}
	p.full, err = p.fill(ctx, moved)
	return err
}

// goOn is begin for a later page of a device that was away: the counts of its chats as they are now, which the web client
// takes in the place of those that it has.
func (p *syncPage) goOn(ctx context.Context) error {
	if err := p.begin(ctx); err != nil {
		return err
	}
	maps.DeleteFunc(p.upTo, func(chat, _ int64) bool { return !p.here[chat] })
	return nil
}

// begin lists the peers with unread messages, the only place where a web client learns the counts, and notes what the
// snapshot holds of chats that moved lately.
func (p *syncPage) begin(ctx context.Context) error {
	peers, err := p.chats.UnreadPeers(ctx, p.from, p.me.ID, mostUnreadPeers)
	if err != nil {
		return err
	}
	for _, one := range peers {
		p.unread = append(p.unread, pairUnread{one.Peer, one.Count})
	}
	if p.first {
		if p.told, err = p.kept(ctx, p.from, p.me, time.UnixMilli(p.at.since).Add(-eventOverlap)); err != nil {
			return err
		}
	}
	p.upTo, err = p.chats.Ends(ctx, p.from, p.me.ID, p.now.Add(-lately).UnixMilli())
	return err
}

// moved lists the next conversations: a device that is new here gets those with unread messages, one that was away those
// that changed.
func (p *syncPage) moved(ctx context.Context) ([]chat.Moved, error) {
	behind := chat.Change{At: p.at.changed, Chat: p.at.chat}
	if p.away() {
		behind.At = max(behind.At, p.at.since-syncOverlap.Milliseconds())
	}
	return p.chats.Moved(ctx, p.from, p.me.ID, chat.Moves{Behind: behind, Unread: !p.away(), Limit: maxOfflineChats})
}

// away tells a device that was away from one that is new here.
func (p *syncPage) away() bool { return p.at.since > 0 }

// fill takes the conversations' messages until the page is full, which it reports, and moves the cookie over those that
// it holds.
func (p *syncPage) fill(ctx context.Context, moved []chat.Moved) (bool, error) {
	ids := make([]im.AccountID, 0, len(moved))
	for _, c := range moved {
		ids = append(ids, c.Peer)
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
		whole, err := take(ctx, peers[c.Peer], &c)
		if err != nil || !whole {
			return true, err
		}
		p.at.changed, p.at.chat, p.at.cut, p.at.altered, p.at.behind = c.Changed, c.Chat, 0, 0, 0
	}
	p.done = len(moved) < maxOfflineChats
	return false, nil
}

func (p *syncPage) takeOffline(ctx context.Context, peer account.Account, c *chat.Moved) (bool, error) {
	messages, err := p.chats.Offline(ctx, p.from, p.me.ID, c, chat.Span{Now: p.now.Unix(), Limit: maxOfflinePerChat})
	if err != nil {
		return false, err
	}
	p.add(messages, peer, c)
	return true, nil
}

// takeMissed takes a chat's missed messages, oldest first, and tells whether all fit. A chat that is whole also gets
// its events: what was recalled and read meanwhile.
func (p *syncPage) takeMissed(ctx context.Context, peer account.Account, c *chat.Moved) (bool, error) {
	behind := chat.BeginOf(time.UnixMilli(p.at.since).Add(-syncOverlap).Unix())
	if p.at.cut == c.Chat {
		behind = chat.Position{Order: p.at.order, Sequence: p.at.sequence}
	}
	room := missedPage - len(p.messages)
	messages, err := p.chats.Missed(ctx, p.from, p.me.ID, c, chat.Span{Behind: behind, Now: p.now.Unix(), Limit: room + 1})
	if err != nil {
		return false, err
	}
	if len(messages) > room {
		messages = messages[:room]
		last := messages[room-1]
		p.cut(c, last.Position, 0, 0)
		p.add(messages, peer, c)
		return false, nil
	}
	p.add(messages, peer, c)
	if n := len(messages); n > 0 {
		behind = messages[n-1].Position
	}
	return p.addEvents(ctx, peer, c, behind)
}

// add adds messages to the page. To a device that was away an edited one comes as new: the web client would call it an
// edit of a message that its application has never seen. The event that follows brings the version.
func (p *syncPage) add(messages []chat.Message, peer account.Account, c *chat.Moved) {
	var read readState
	read.upTo = map[im.AccountID]int64{peer.ID: c.Read.Sequence, p.me.ID: c.PeerRead}
	for i := range messages {
		p.here[c.Chat] = true
		written := wireFor(&messages[i], p.me, peer, read)
		if p.away() {
			written.Version = 0
		}
		if written.NeedReceipt {
			p.receipts[messages[i].ID] = len(p.messages)
		}
		p.messages = append(p.messages, written)
	}
}

// cut notes that the page ends within a chat: behind which message, and behind which recall or edit.
func (p *syncPage) cut(c *chat.Moved, behind chat.Position, altered, id int64) {
	p.at.cut, p.at.order, p.at.sequence, p.at.altered, p.at.behind = c.Chat, behind.Order, behind.Sequence, altered, id
}

// addEvents adds what happened to a chat's messages while the device was away, when the messages behind a position are all
// told, and tells whether all of it fits. Clients take a repeated event for what it is.
func (p *syncPage) addEvents(ctx context.Context, peer account.Account, c *chat.Moved, behind chat.Position) (bool, error) {
	ask := chat.Alterations{Since: p.at.since - eventOverlap.Milliseconds(), Limit: eventPage - p.altered + 1}
	if p.at.cut == c.Chat && p.at.altered > 0 {
		ask.Since, ask.Behind = p.at.altered, p.at.behind
	}
	all, err := p.chats.Altered(ctx, p.from, p.me.ID, c, ask)
	if err != nil {
		return false, err
	}
	whole := len(all) < ask.Limit
	if !whole {
		all = all[:ask.Limit-1]
	}
	for i := range all {
		p.alter(&all[i].Message, peer)
		ask.Since, ask.Behind = all[i].ChangedAt, all[i].ID
	}
	p.altered += len(all)
	if !whole {
		p.cut(c, behind, ask.Since, ask.Behind)
		return false, nil
	}
	p.whole[c.Chat] = peer
	if c.ReadTime > 0 {
		p.events = append(p.events, ownRead(peer, c.ReadTime))
	}
	if c.PeerReadTime > 0 {
		p.events = append(p.events, peerRead(peer, c.PeerReadTime))
	}
	return true, nil
}

// alter adds the event of a message that was recalled or edited.
func (p *syncPage) alter(m *chat.Message, peer account.Account) {
	from, to := p.me, peer
	if m.From == peer.ID {
		from, to = peer, p.me
	}
	if m.Flags.Has(chat.Recalled) {
		p.events = append(p.events, recallOf(from, to, m))
	} else {
		p.events = append(p.events, modifiedOf(from, to, m))
	}
}
