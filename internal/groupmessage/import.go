package groupmessage

import (
	"context"
	"math"

	"github.com/magpie-im/magpie/internal/account"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/chat/element"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/group"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/send"
	"github.com/magpie-im/magpie/internal/wire"
)

type importRequest struct {
	GroupID string     `json:"GroupId"`
	TopicID string     `json:"TopicId"`
	List    []imported `json:"MsgList"`
	// Listed says that the messages move the conversation in the members' lists.
	Listed wire.Bool `json:"RecentContactFlag"`
}

// imported is a message as it was elsewhere. Time is a unix second.
type imported struct {
	From      string   `json:"From_Account"`
	Time      int64    `json:"SendTime"`
	Random    *uint32  `json:"Random"`
	Body      wire.Raw `json:"MsgBody"`
	CloudData string   `json:"CloudCustomData"`
}

type importResult struct {
	Sequence int64 `json:"MsgSeq"` // 0 of a message that was not taken
	Time     int64 `json:"MsgTime"`
	// Code is 0, or says why a message was not taken: its time, or its length.
	Code im.Code `json:"Result"`
}

type importReply struct {
	Results []importResult `json:"ImportMsgResult"`
}

// mostImported bounds the messages of one call.
const mostImported = 20

func (g *GroupMessages) importCommand() command.Command {
	return command.New(command.Spec{
		Service: service, Name: "import_group_msg", By: command.Administrator, Family: im.FamilyGroup(), Codes: codes(),
		Doc: "take over messages of a group from elsewhere; nobody is told", Section: "rest.md#import_group_msg",
	}, g.importMessages)
}

// importing are messages on their way in, each with its place in the reply.
type importing struct {
	group   *group.Group
	drafts  []*Draft
	results []importResult
}

// importMessages stores messages behind all that are there. Nobody is asked and nobody is told; they do not count as unread, and
// whoever had not read something has read it then.
func (g *GroupMessages) importMessages(ctx context.Context, call *command.Call, r *importRequest) (*importReply, error) {
	of, err := g.find(ctx, call, r.GroupID, r.TopicID)
	if err != nil {
		return nil, err
	}
	switch {
	case !of.Type.Yes("import.message"):
		return nil, im.Errorf(im.CodeGroupRights, "messages of groups of type %s are not imported", of.Type)
	case len(r.List) == 0 || len(r.List) > mostImported:
		return nil, im.Errorf(im.CodeGroupParameter, "MsgList has %d messages: want 1 to %d", len(r.List), mostImported)
	}
	i := &importing{group: of, results: make([]importResult, len(r.List)), drafts: make([]*Draft, len(r.List))}
	if err := i.read(ctx, g, call, r); err != nil {
		return nil, err
	}
	newest, err := g.storeImported(ctx, call, i)
	if err != nil || newest == 0 {
		return &importReply{i.results}, err
	}
	return &importReply{i.results}, g.readAll(ctx, of, newest)
}

// read makes drafts of the messages that are well-formed.
func (i *importing) read(ctx context.Context, g *GroupMessages, call *command.Call, r *importRequest) error {
	senders, err := i.senders(ctx, g, call, r)
	if err != nil {
		return err
	}
	size := 0
	for n, m := range r.List {
		i.results[n].Time = m.Time
		body, err := element.Parse(m.Body, send.MaxBytes(call.App)-len(m.CloudData))
		if refusal, ok := im.Refusal(err); ok && refusal.Code == im.CodeMessageTooLong {
			i.results[n].Code = refusal.Code
			continue
		}
		if err != nil {
			return err
		}
		d := draft(i.group, senders[m.From], body.JSON())
		d.CloudData = wire.Text(m.CloudData)
		if err := d.Number(); err != nil {
			return err
		}
		if m.Random != nil {
			d.Random = int64(*m.Random)
			d.Seq = d.Sum()
		}
		d.Imported, d.Lifetime, d.Flags = true, 0, chat.NoUnread
		d.SentAt, d.KeyTime, d.ClientTime = m.Time, m.Time, m.Time
		if !r.Listed {
			d.Flags |= chat.NoLast
		}
		i.drafts[n] = d
		size += d.BytesToStore()
	}
	return call.Store(len(r.List), size)
}

func (i *importing) senders(ctx context.Context, g *GroupMessages, call *command.Call, r *importRequest) (map[string]account.Account, error) {
	names := make([]string, len(r.List))
	for n, m := range r.List {
		names[n] = m.From
	}
	found, err := g.accounts.FindMany(ctx, call.App.ID, names)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if _, ok := found[name]; !ok {
			return nil, im.Errorf(im.CodeGroupAccount, "account %.40q does not exist", name)
		}
	}
	return found, nil
}

// storeImported stores those messages whose times fit, and gives the sequence of the last one; 0 if there is none.
func (g *GroupMessages) storeImported(ctx context.Context, call *command.Call, i *importing) (newest int64, err error) {
	in, err := g.chats.Find(ctx, i.group.Chat())
	if err != nil {
		return 0, err
	}
	err = g.groups.Hold(ctx, call, i.group, func(h *group.Held) (refused, err error) {
		newest = 0
		last := chat.Message{Time: h.Group.Created}
		if found, err := g.chats.Before(ctx, h.Tx, in, math.MaxInt64, 1); err != nil {
			return nil, err
		} else if len(found) > 0 {
			last = found[0]
		}
		taken := i.fitting(last.Time, h.Tx.Now().Unix())
		if len(taken) == 0 {
			return nil, nil
		}
		if err := g.chats.Append(h.Tx, taken); err != nil { //nolint:contextcheck // it runs in the transaction
			return nil, err
		}
		if err := g.line.KeepBundlesOf(ctx, h.Tx, taken); err != nil {
			return nil, err
		}
		for n, d := range i.drafts {
			if i.results[n].Code == 0 && d != nil {
				i.results[n].Sequence = d.Message.Sequence
				newest = max(newest, d.Message.Sequence)
			}
		}
		return nil, nil
	})
	return newest, err
}

// fitting gives the drafts whose times rise from one that is there to now, and says of the others that theirs do not.
func (i *importing) fitting(last, now int64) []*chat.Draft {
	var taken []*chat.Draft
	for n, d := range i.drafts {
		if d == nil {
			continue
		}
		i.results[n].Code = im.CodeOK
		if d.SentAt < last || d.SentAt > now {
			i.results[n].Code, i.results[n].Sequence = im.CodeGroupParameter, 0
			continue
		}
		last = d.SentAt
		taken = append(taken, &d.Draft.Draft)
	}
	return taken
}
