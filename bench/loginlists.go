package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/magpie-im/magpie/client"
)

// Lists is what two users read after their login, in turn: one with a few conversations and friends, one with many.
type Lists struct {
	// Conversations and Friends are how many the second user has.
	Conversations int `json:"conversations"`
	Friends       int `json:"friends"`
	// Page is the first page of the list of conversations, FriendPage that of friends, and Sync the first question for what came.
	Page       FewMany `json:"page"`
	FriendPage FewMany `json:"friend_page"`
	Sync       FewMany `json:"sync"`
}

// FewMany is one question of both users.
type FewMany struct {
	Few  Latency `json:"few"`
	Many Latency `json:"many"`
	// Times is by how much the second user's median is above the first one's.
	Times float64 `json:"times"`
}

const (
	fewListed = 10
	// listRounds is how often each of the two users asks each question.
	listRounds = 200
	// mostCallAccounts and mostCallReceivers bound one call of a back end.
	mostCallAccounts  = 100
	mostCallReceivers = 500
)

// lister is one of the two users.
type lister struct {
	client                  *client.Client
	page, friendPage, syncs histogram
}

// lists measures what the two users read. Their numbers follow those of all others.
func (o *LoginOptions) lists(ctx context.Context, s *stage, found *Lists) error {
	found.Conversations, found.Friends = o.Conversations, o.Friends
	there := s.target()
	b, err := s.backEnd(s.nodes[0])
	if err != nil {
		return err
	}
	if err := b.call(ctx, "magpie_app/set_settings", map[string]any{"Settings": map[string]string{"conversation.recent": "500"}}, &struct{}{}); err != nil {
		return err
	}
	var both [2]lister
	defer func() { hangUp([]*client.Client{both[0].client, both[1].client}) }()
	for i, has := range [2][2]int{{fewListed, fewListed}, {o.Conversations, o.Friends}} {
		if err := b.furnish(ctx, there.user(o.Users+i), has[0], has[1]); err != nil {
			return fmt.Errorf("give a user conversations and friends: %w", err)
		}
		if both[i].client, err = there.login(ctx, o.Users+i, func(int, *client.Options) {}); err != nil {
			return err
		}
	}
	for range listRounds {
		for i := range both {
			if err := both[i].read(ctx); err != nil {
				return err
			}
		}
	}
	few, many := &both[0], &both[1]
	found.Page, found.FriendPage, found.Sync = fewMany(&few.page, &many.page), fewMany(&few.friendPage, &many.friendPage), fewMany(&few.syncs, &many.syncs)
	s.progress("first page of conversations: %.2f ms with %d of them, %.2f ms with %d", found.Page.Few.P50, fewListed, found.Page.Many.P50, o.Conversations)
	return nil
}

func fewMany(few, many *histogram) FewMany {
	f := FewMany{Few: few.summary(), Many: many.summary()}
	f.Times = ratio(f.Many.P50, f.Few.P50)
	return f
}

// furnish makes an account with as many friends, and a message from it to each of its conversations' peers.
func (b *backEnd) furnish(ctx context.Context, user string, conversations, friends int) error {
	peers := make([]string, max(conversations, friends))
	for i := range peers {
		peers[i] = fmt.Sprintf("%s-%d", user, i)
	}
	nothing := &struct{}{}
	for some := range slices.Chunk(append([]string{user}, peers...), mostCallAccounts) {
		if err := b.call(ctx, "im_open_login_svc/multiaccount_import", map[string]any{"Accounts": some}, nothing); err != nil {
			return err
		}
	}
	for some := range slices.Chunk(peers[:conversations], mostCallReceivers) {
		if err := b.call(ctx, "openim/batchsendmsg", map[string]any{
			"From_Account": user, "To_Account": some, "MsgRandom": 1,
			"MsgBody": []any{map[string]any{"MsgType": "TIMTextElem", "MsgContent": map[string]any{"Text": "hello"}}},
		}, nothing); err != nil {
			return err
		}
	}
	for some := range slices.Chunk(peers[:friends], mostCallAccounts) {
		imported := make([]map[string]any, len(some))
		for i, one := range some {
			imported[i] = map[string]any{"To_Account": one, "AddSource": "AddSource_Type_Bench", "Remark": "remark of " + one}
		}
		if err := b.call(ctx, "sns/friend_import", map[string]any{"From_Account": user, "AddFriendItem": imported}, nothing); err != nil {
			return err
		}
	}
	return nil
}

// read asks the questions once, as the web SDK asks them after a login.
func (l *lister) read(ctx context.Context) error {
	user := l.client.UserID()
	for _, question := range []struct {
		command, list string
		body          map[string]any
		took          *histogram
	}{
		{"recentcontact.page_get", "SessionItem", map[string]any{
			"From_Account": user, "TimeStamp": 0, "StartIndex": 0, "TopTimeStamp": 0, "TopStartIndex": 0, "AssistFlags": 31,
		}, &l.page},
		{"sns.friend_get", "UserDataItem", map[string]any{
			"From_Account": user, "StartIndex": 0, "StandardSequence": 0, "CustomSequence": 0,
		}, &l.friendPage},
		{"openim.getmsg", "MsgList", map[string]any{"Cookie": "", "SyncFlag": 0}, &l.syncs},
	} {
		var reply map[string]json.RawMessage // read no further: what a client makes of it is not the server's time
		watch := stopwatch{now()}
		if err := l.client.Call(ctx, question.command, question.body, &reply); err != nil {
			return fmt.Errorf("%s of %s: %w", question.command, user, err)
		}
		question.took.record(watch.ns())
		if list := reply[question.list]; len(list) == 0 || string(list) == "[]" && question.list != "MsgList" {
			return errors.New(question.command + " of " + user + " answers without its list")
		}
	}
	return nil
}

func (l *Lists) figures() []Figure {
	var all []Figure
	for _, one := range []struct {
		key, name string
		of        *FewMany
	}{
		{"page", "first page of conversations", &l.Page},
		{"friends", "first page of friends", &l.FriendPage},
		{"sync", "first sync", &l.Sync},
	} {
		all = append(all,
			newFigure(one.key+"_few_p50_ms", one.name+", of few: p50", "ms", Less, one.of.Few.P50),
			newFigure(one.key+"_many_p50_ms", one.name+", of many: p50", "ms", Less, one.of.Many.P50),
			newFigure(one.key+"_times", one.name+": times", "", Less, one.of.Times),
		)
	}
	return all
}
