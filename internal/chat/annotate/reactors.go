package annotate

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// Summary is how many reacted to a message with one thing.
type Summary struct {
	Reaction string     `json:"Reaction"`
	Count    int64      `json:"Count"`
	Users    []string   `json:"Reaction_Account"` // the first of them
	Own      *wire.Bool `json:"ReactedByMe,omitzero"`
}

type summariesRequest struct {
	Naming
	Count *wire.Number `json:"Count"`
}

type summaryOf struct {
	Name
	Summary []Summary `json:"MsgReactionSummary"`
}

type summariesReply struct {
	Results []summaryOf `json:"Results"`
}

const (
	// mostSummarized bounds the messages of one call: a page of a history.
	mostSummarized = im.MaxHistoryPage
	// usualReactors and mostNamed are how many are named with a summary.
	usualReactors = 10
	mostNamed     = 100
)

func (a *Annotations) summaries(ctx context.Context, k Kind, call *command.Call, r *summariesRequest) (*summariesReply, error) {
	names := r.several()
	if len(names) == 0 || len(names) > mostSummarized {
		return nil, im.Errorf(im.CodeGroupParameter, "the list names %d messages: want 1 to %d", len(names), mostSummarized)
	}
	if err := mayReact(call); err != nil {
		return nil, err
	}
	by := callerOf(call, reactionFeature)
	at, err := k.Open(ctx, by, &r.Naming)
	if err != nil {
		return nil, err
	}
	messages, err := at.Find(ctx, a.DB, names)
	if err != nil {
		return nil, err
	}
	ask := question{own: by.As, users: usualReactors}
	if r.Count != nil {
		ask.users = min(max(int(*r.Count), 0), mostNamed)
	}
	for _, m := range messages {
		if m != nil {
			ask.messages = append(ask.messages, m.ID)
		}
	}
	all, err := a.summarize(ctx, a.DB, ask)
	if err != nil {
		return nil, err
	}
	reply := &summariesReply{Results: make([]summaryOf, len(names))}
	for i, name := range names {
		reply.Results[i] = summaryOf{name, []Summary{}}
		if m := messages[i]; m != nil && all[m.ID] != nil {
			reply.Results[i].Summary = all[m.ID]
		}
	}
	return reply, nil
}

// question asks for the reactions to messages.
type question struct {
	messages []int64
	own      im.AccountID // whose own reactions are marked
	users    int          // how many are named of each
}

// The reactions come as they were first given, and of each those who gave it in that order.
const selectSummaries = `SELECT message_id, reaction, account_id, turn, total, own FROM (
	SELECT message_id, reaction, account_id,
		ROW_NUMBER() OVER (PARTITION BY message_id, reaction ORDER BY number) AS turn,
		COUNT(*) OVER (PARTITION BY message_id, reaction) AS total,
		SUM(CASE WHEN account_id = $1 THEN 1 ELSE 0 END) OVER (PARTITION BY message_id, reaction) AS own,
		MIN(number) OVER (PARTITION BY message_id, reaction) AS first
	FROM reaction WHERE message_id IN ($2...)) AS ranked
	WHERE turn <= $3 ORDER BY message_id, first, turn`

// summarize reads the reactions to messages in two statements, whatever their number, by the messages' ids.
func (a *Annotations) summarize(ctx context.Context, from db.Source, q question) (map[int64][]Summary, error) {
	all, users := map[int64][]Summary{}, map[int64][][]im.AccountID{}
	var named []im.AccountID
	err := db.Each(ctx, from, func(scan db.Scanner) error {
		var (
			message, turn, own int64
			one                Summary
			who                im.AccountID
		)
		if err := scan(&message, &one.Reaction, &who, &turn, &one.Count, &own); err != nil {
			return err
		}
		if turn == 1 {
			mine := wire.Bool(own > 0)
			one.Own, one.Users = &mine, []string{}
			all[message], users[message] = append(all[message], one), append(users[message], nil)
		}
		if turn <= int64(q.users) {
			last := len(users[message]) - 1
			users[message][last], named = append(users[message][last], who), append(named, who)
		}
		return nil
	}, selectSummaries, int64(q.own), db.Ints(q.messages), max(q.users, 1))
	if err != nil {
		return nil, fmt.Errorf("read reactions: %w", err)
	}
	names, err := a.Accounts.ByID(ctx, from, named)
	for message, lists := range users {
		for i, list := range lists {
			for _, who := range list {
				all[message][i].Users = append(all[message][i].Users, names[who].UserID)
			}
		}
	}
	return all, err
}

type reactorsRequest struct {
	Naming
	Reaction string      `json:"Reaction"`
	Next     wire.Number `json:"NextSeq"`
	Count    wire.Number `json:"Count"`
}

// reactorsReply has where the next page begins, 0 for none.
type reactorsReply struct {
	Users []string `json:"Reaction_Account"`
	Next  int64    `json:"NextSeq"`
}

func (a *Annotations) reactors(ctx context.Context, k Kind, call *command.Call, r *reactorsRequest) (*reactorsReply, error) {
	if err := mayReact(call); err != nil {
		return nil, err
	}
	if err := checkReaction(&r.Reaction); err != nil {
		return nil, err
	}
	at, err := k.Open(ctx, callerOf(call, reactionFeature), &r.Naming)
	if err != nil {
		return nil, err
	}
	m, err := find(ctx, a.DB, at, &r.Naming)
	if err != nil {
		return nil, err
	}
	if m == nil {
		return nil, at.Unknown(r.one()[0])
	}
	limit := int(r.Count)
	if limit <= 0 || limit > mostReactors {
		limit = mostReactors
	}
	return a.reactorPage(ctx, m.ID, r, limit)
}

func (a *Annotations) reactorPage(ctx context.Context, message int64, r *reactorsRequest, limit int) (*reactorsReply, error) {
	type reactor struct {
		account im.AccountID
		number  int64
	}
	found, err := db.All(ctx, a.DB, func(scan db.Scanner) (one reactor, err error) { return one, scan(&one.account, &one.number) },
		`SELECT account_id, number FROM reaction WHERE message_id = $1 AND reaction = $2 AND number >= $3 ORDER BY number LIMIT $4`,
		message, r.Reaction, int64(r.Next), limit+1)
	if err != nil {
		return nil, fmt.Errorf("list who reacted: %w", err)
	}
	reply := &reactorsReply{Users: []string{}}
	if len(found) > limit {
		reply.Next, found = found[limit].number, found[:limit]
	}
	ids := make([]im.AccountID, len(found))
	for i, one := range found {
		ids[i] = one.account
	}
	names, err := a.Accounts.ByID(ctx, a.DB, ids)
	for _, id := range ids {
		reply.Users = append(reply.Users, names[id].UserID)
	}
	return reply, err
}
