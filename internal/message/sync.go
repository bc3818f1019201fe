package message

import (
	"context"
	"strconv"
	"strings"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
)

// syncRequest asks for the messages that came while a device was away (docs/protocol/wire.md#offline-sync).
type syncRequest struct {
	Cookie string `json:"Cookie"`
}

type pairUnread struct {
	From   string `json:"From_Account"`
	Unread int64  `json:"UnreadCount"`
}

type syncReply struct {
	Cookie    string        `json:"Cookie"`
	SyncFlag  int           `json:"SyncFlag"` // 1 more to come, 2 the end
	Messages  []WireMessage `json:"MsgList"`
	Unread    []pairUnread  `json:"C2CPairUnreadCount"`
	Remaining []struct{}    `json:"C2CRemainingUnreadCount"`
	Events    []event.Event `json:"EventArray"` // what the account was told beside messages
	// More is ours: a device that was away is told "the end" after every page, because the web client takes the
	// messages of earlier pages for old ones. Clients that look at More ask again at once; the others, the web client among
	// them, are told to by a push that follows the page.
	More int `json:"MoreFlag,omitzero"`
}

const (
	syncMore = 1
	syncEnd  = 2
)

// cookie says where a device stands. since is 0 for a device that is new here and gets what is unread; otherwise the
// device has everything from before since (unix milliseconds). The other fields belong to a pull of several pages: when
// it began, the last conversation that is done, by its change and chat, and where in which chat the last page was cut: behind
// which message, and, when the messages are all told, behind which recall or edit.
type cookie struct {
	since, until    int64
	changed, chat   int64
	cut             int64
	order, sequence int64
	altered, behind int64
}

// formerFields is how many fields a cookie had that an older program gave.
const formerFields = 7

func (c *cookie) fields() [9]*int64 {
	return [9]*int64{&c.since, &c.until, &c.changed, &c.chat, &c.cut, &c.order, &c.sequence, &c.altered, &c.behind}
}

func (c cookie) String() string {
	var parts []string
	for _, field := range c.fields() {
		parts = append(parts, itoa(*field))
	}
	return strings.Join(parts, ".")
}

// readCookie reads a cookie; anything else counts as a new device, as the interface calls the cookie opaque.
func readCookie(text string) cookie {
	var c cookie
	fields := c.fields()
	parts := strings.Split(text, ".")
	if len(parts) != len(fields) && len(parts) != formerFields {
		return cookie{}
	}
	for i, part := range parts {
		n, err := strconv.ParseInt(part, 10, 64)
		if err != nil || n < 0 {
			return cookie{}
		}
		*fields[i] = n
	}
	return c
}

func (m *Messages) syncCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "getmsg", By: command.Account, Family: im.FamilyMessage(),
		Doc: "bring a device what came while it was away", Section: "wire.md#offline-sync",
	}, m.sync)
}

func (m *Messages) sync(ctx context.Context, call *command.Call, r *syncRequest) (*syncReply, error) {
	at := readCookie(r.Cookie)
	me, err := m.accounts.Find(ctx, call.App.ID, call.UserID)
	if err != nil {
		return nil, err
	}
	p := syncPage{
		chats: m.chats, attached: m.attached, accounts: m.accounts, me: me, now: m.db.Now(), at: &at, first: at.until == 0,
		kept: m.told.Kept, told: []event.Event{},
	}
	if p.first {
		at.until = p.now.UnixMilli()
	}
	// One snapshot, because the client adds up: a message that is in the list and not in the count stays uncounted.
	err = m.db.InSnapshot(ctx, func(from *db.Snapshot) error {
		p.from = from
		if err := p.read(ctx); err != nil {
			return err
		}
		return p.readReceipts(ctx)
	})
	if err != nil {
		return nil, err
	}
	m.reportSync(call, &p)
	reply := &syncReply{
		SyncFlag: syncEnd, Messages: p.messages, Unread: p.unread, Remaining: []struct{}{}, Events: p.told,
	}
	switch {
	case p.done:
		at = cookie{since: at.until}
	case at.since > 0:
		reply.More = 1
	default:
		reply.SyncFlag = syncMore
	}
	reply.Cookie = at.String()
	return reply, nil
}

// reportSync has the page's events pushed after its messages. The web client does not take them from the reply: there a
// recall leaves the unread count as it was, and a read mark is ignored.
func (m *Messages) reportSync(call *command.Call, p *syncPage) {
	report := command.SyncReport{UpTo: p.upTo, Done: p.done, Again: !p.done && p.away()}
	if len(p.events) > 0 {
		frame, err := m.router.Frame(p.events...)
		if err != nil {
			m.warn(p.me.ID, err)
		}
		report.After = frame
	}
	call.ReportSync(report)
}
