package message

import (
	"context"
	"maps"
	"slices"

	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// readReceipts completes a page with the receipts of its messages, and tells a device that was away of those that came meanwhile.
func (p *syncPage) readReceipts(ctx context.Context) error {
	read, err := p.attached.ReadByAny(ctx, p.from, slices.Collect(maps.Keys(p.receipts)))
	if err != nil {
		return err
	}
	for id, at := range p.receipts {
		p.messages[at].PeerRead = wire.Bool(read[id])
	}
	if !p.away() || len(p.whole) == 0 {
		return nil
	}
	since := p.at.since - eventOverlap.Milliseconds()
	ids, err := p.attached.ReadSince(ctx, p.from, slices.Sorted(maps.Keys(p.whole)), since, eventPage)
	if err != nil {
		return err
	}
	messages, err := p.chats.ByIDs(ctx, p.from, ids)
	if err != nil {
		return err
	}
	p.addReceipts(ids, messages)
	return nil
}

// addReceipts adds an event for each peer who has read messages of the account.
func (p *syncPage) addReceipts(ids []int64, messages map[int64]*chat.Message) {
	byPeer := map[im.AccountID][]*chat.Message{}
	for _, id := range slices.Sorted(slices.Values(ids)) {
		if m := messages[id]; m != nil && m.From == p.me.ID {
			peer := p.whole[m.Chat]
			byPeer[peer.ID] = append(byPeer[peer.ID], m)
		}
	}
	for _, peer := range p.whole {
		if read := byPeer[peer.ID]; len(read) > 0 {
			p.events = append(p.events, receiptOf(peer, p.me, read, p.now.Unix()))
		}
	}
}
