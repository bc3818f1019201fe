package main

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"log"
	"net/http"
	"slices"
	"strconv"
	"time"
)

const (
	callbacksKnown = 10_000 // for noticing one that comes again
	showEvery      = time.Second
	likesAtOnce    = 100 // of one message that are believed
)

// figures are the room's statistics, by callbacks.
type figures struct {
	Entered  int `json:"entered"`
	Left     int `json:"left"`
	Messages int `json:"messages"`
	Likes    int `json:"likes"`
	Gifts    int `json:"gifts"`
	Coins    int `json:"coins"`
}

// told is a callback of any kind that the room is told by.
type told struct {
	Room   string            `json:"GroupId"`
	From   string            `json:"From_Account"`
	Joined []json.RawMessage `json:"NewMemberList"`
	Exited []json.RawMessage `json:"ExitMemberList"`
	Body   []struct {
		Content struct{ Text, Data string } `json:"MsgContent"`
	} `json:"MsgBody"`
}

// callback takes what Magpie tells of. With any other status than 200 it comes again later; it may come twice also without that.
func (b *backEnd) callback(w http.ResponseWriter, r *http.Request) {
	query, of := r.URL.Query(), &told{}
	if !genuine(b.options.token, query.Get("RequestTime"), query.Get("Sign"), time.Now()) {
		http.Error(w, "wrong signature", http.StatusForbidden)
		return
	}
	if err := json.NewDecoder(r.Body).Decode(of); err != nil {
		http.Error(w, "not JSON", http.StatusBadRequest)
		return
	}
	if of.Room == b.options.room {
		b.note(r.Header.Get("X-Magpie-Event-Id"), query.Get("CallbackCommand"), of)
	}
	_, _ = w.Write([]byte(`{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""}`))
}

// genuine checks that a callback comes from who knows the token, and is no copy of an old one.
func genuine(token, second, sign string, now time.Time) bool {
	if token == "" {
		return true
	}
	at, err := strconv.ParseInt(second, 10, 64)
	sum := sha256.Sum256([]byte(token + second))
	return err == nil && now.Sub(time.Unix(at, 0)).Abs() <= time.Minute &&
		subtle.ConstantTimeCompare([]byte(sign), []byte(hex.EncodeToString(sum[:]))) == 1
}

func (b *backEnd) note(event, command string, of *told) {
	b.figuresOf(func(f *figures) {
		if event != "" && slices.Contains(b.known, event) {
			return
		}
		b.known = append(b.known[max(0, len(b.known)-callbacksKnown+1):], event)
		switch command {
		case "Group.CallbackAfterNewMemberJoin":
			f.Entered += len(of.Joined)
		case "Group.CallbackAfterMemberExit":
			f.Left += len(of.Exited)
		case "Group.CallbackAfterSendMsg":
			b.said(f, of)
		}
	})
}

// said counts a message: a text, or likes. What was dropped over the room's rate is not told, so it does not count.
func (b *backEnd) said(f *figures, of *told) {
	for _, element := range of.Body {
		var custom struct {
			BusinessID string `json:"businessID"`
			Count      int    `json:"count"`
		}
		_ = json.Unmarshal([]byte(element.Content.Data), &custom) // a text has no data
		switch {
		case element.Content.Text != "":
			f.Messages++
			b.enter(of.From, element.Content.Text)
		case custom.BusinessID == "like":
			f.Likes += min(max(custom.Count, 0), likesAtOnce)
		}
	}
}

// figuresOf changes the figures, and has them shown soon.
func (b *backEnd) figuresOf(change func(*figures)) {
	b.mutex.Lock()
	change(&b.figures)
	b.mutex.Unlock()
	select {
	case b.changed <- struct{}{}:
	default: // they are about to be shown
	}
}

// show writes what changed into the room's attributes, at most once a second however much is said.
func (b *backEnd) show(ctx context.Context) {
	shown := figures{}
	for {
		select {
		case <-b.changed:
		case <-ctx.Done():
			return
		}
		b.mutex.Lock()
		now := b.figures
		b.mutex.Unlock()
		if now.Likes != shown.Likes || now.Coins != shown.Coins {
			if err := b.state(ctx, object{"likes": now.Likes, "coins": now.Coins}); err != nil {
				log.Printf("show figures: %v", err)
			} else {
				shown = now
			}
		}
		select {
		case <-time.After(showEvery):
		case <-ctx.Done():
			return
		}
	}
}

// resume goes on counting from what the room's attributes say.
func (b *backEnd) resume(ctx context.Context) error {
	var reply struct {
		All []struct{ Key, Value string } `json:"GroupAttrAry"`
	}
	if err := b.call(ctx, "group_open_attr_http_svc/get_group_attr", object{"GroupId": b.options.room}, &reply); err != nil {
		return err
	}
	for _, one := range reply.All {
		number, _ := strconv.Atoi(one.Value) // other attributes are texts
		switch one.Key {
		case "likes":
			b.figures.Likes = number
		case "coins":
			b.figures.Coins = number
		}
	}
	return nil
}

type asking struct {
	Ticket string `json:"ticket"`
}

// statistics are the owner's to read, with how many are inside now and who takes part in the lottery.
func (b *backEnd) statistics(ctx context.Context, who *asking) (object, error) {
	if err := b.owner(ctx, who.Ticket); err != nil {
		return nil, err
	}
	var online struct{ OnlineMemberNum int }
	if err := b.call(ctx, "group_open_http_svc/get_online_member_num", object{"GroupId": b.options.room}, &online); err != nil {
		return nil, err
	}
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return object{"inside": online.OnlineMemberNum, "figures": b.figures, "entries": len(b.lottery.order)}, nil
}
