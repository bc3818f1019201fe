package client

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/lxzan/gws"
)

// syncState is how far this client has been told everything.
type syncState struct {
	cookie  string
	flag    int  // SyncFlag of the last page, to be echoed
	online  int  // IsOnlineSync of the round
	busy    bool // a round is under way
	again   bool // another is to follow
	phase   syncPhase
	pages   int
	pushed  int // messages received otherwise since the last round
	waiting []chan error
	later   []chan error // for the round after this one
}

// syncPhase says what the messages of a round are.
type syncPhase int

const (
	phaseWaiting syncPhase = iota // what waited at the first login
	phaseRepeats                  // what the server repeats after that: it reads the last seconds before a cookie twice
	phaseNews                     // what was missed
)

func (s *syncState) takeAll() []chan error {
	all := slices.Concat(s.waiting, s.later)
	s.waiting, s.later = nil, nil
	return all
}

// maxSyncPages ends a round that does not end by itself.
const maxSyncPages = 10_000

var errNoCookie = errors.New("client: an answer to getmsg without a cookie")

type syncReply struct {
	reply
	Cookie   string           `json:"Cookie"`
	SyncFlag int              `json:"SyncFlag"`
	More     int              `json:"MoreFlag"` // the server has more, though its SyncFlag says that this is the end
	MsgList  []wireMessage    `json:"MsgList"`
	Events   []jsontext.Value `json:"EventArray"`
}

// Cookie is where the last finished sync stood; with [Options.Cookie] a later client goes on from there. It is empty
// before the first sync. It is safe to keep only when the messages until then are taken care of, which is so for those
// that OnMessage has returned from.
func (c *Client) Cookie() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sync.cookie
}

// Sync asks for messages that were missed and returns when OnMessage has had them. The client does it by itself after a
// reconnect and when the server says so; while it is disconnected, this waits for that. Not to be called from a callback.
func (c *Client) Sync(ctx context.Context) error {
	waiter := make(chan error, 1)
	if err := c.startSync(1, waiter); err != nil {
		return err
	}
	select {
	case err := <-waiter:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// startSync begins a round, or marks another to follow the one under way. Without a connection the login begins it.
func (c *Client) startSync(online int, waiter chan error) error {
	c.mu.Lock()
	s := &c.sync
	if waiter != nil {
		if c.ended != nil || len(s.waiting)+len(s.later) >= c.opt.MaxPending {
			defer c.mu.Unlock()
			if c.ended != nil {
				return c.ended
			}
			return ErrBusy
		}
		s.later = append(s.later, waiter)
	}
	if s.busy || !c.loggedIn || c.kick != 0 {
		s.again = s.busy
		c.mu.Unlock()
		return nil
	}
	s.busy, s.again, s.flag, s.pages, s.online = true, false, 0, 0, online
	s.waiting = s.takeAll()
	c.due.retry = 0
	conn := c.conn
	c.mu.Unlock()
	c.askSync(conn)
	return nil
}

// loginSync begins the round after a login, if it is wanted.
func (c *Client) loginSync() {
	c.mu.Lock()
	wanted := !c.opt.NoSync || len(c.sync.waiting)+len(c.sync.later) > 0
	c.mu.Unlock()
	if wanted {
		_ = c.startSync(0, nil)
	}
}

// askSync requests the next page of the round.
func (c *Client) askSync(conn *gws.Conn) {
	c.mu.Lock()
	body := appendString([]byte(`{"Cookie":`), c.sync.cookie)
	body = strconv.AppendInt(append(body, `,"SyncFlag":`...), int64(c.sync.flag), 10)
	body = strconv.AppendInt(append(body, `,"NeedAbstract":1,"IsOnlineSync":`...), int64(c.sync.online), 10)
	body = append(body, `,"NeedSignaling":1,"NeedCachedMsg":1}`...)
	c.due.sync = c.clock() + int64(c.opt.CallTimeout)
	c.mu.Unlock()
	c.system(conn, cmdGetMsg, string(body), &c.own.sync)
}

// onSync takes a page: its messages are delivered before its cookie is kept.
func (c *Client) onSync(conn *gws.Conn, body []byte) {
	const end = 2
	var page syncReply
	err := decode(body, &page)
	switch {
	case err != nil:
	case page.Code != 0:
		err = page.err()
		c.onSessionCode(conn, &page.reply)
	case page.Cookie == "":
		err = errNoCookie
	}
	if err != nil {
		c.synced(err)
		return
	}
	c.deliverPage(conn, &page)
	c.mu.Lock()
	s := &c.sync
	stuck := page.Cookie == s.cookie && len(page.MsgList) == 0
	s.cookie, s.flag, s.pages = page.Cookie, page.SyncFlag, s.pages+1
	more := (page.SyncFlag != end || page.More != 0) && !stuck && s.pages < maxSyncPages
	c.mu.Unlock()
	if more {
		c.askSync(conn)
		return
	}
	c.synced(nil)
}

// deliverPage gives out what is news in a page, and remembers what is none in case a later page repeats it.
func (c *Client) deliverPage(conn *gws.Conn, page *syncReply) {
	c.mu.Lock()
	phase := c.sync.phase
	c.mu.Unlock()
	news := phase == phaseNews || phase == phaseWaiting && c.opt.DeliverOffline
	for i := range page.MsgList {
		w := &page.MsgList[i]
		m := w.message()
		switch {
		case !news:
			c.waited.add(duplicateKey(c.seed, &m))
		case w.Events != nil:
			for j := range w.Events {
				c.onChanges(conn, &w.Events[j])
			}
		case !c.waited.has(duplicateKey(c.seed, &m)):
			c.give(m)
		}
	}
	if !news {
		return
	}
	for _, event := range page.Events {
		c.onEvent(conn, []byte(cmdGetMsg), event)
	}
}

// synced ends the round. One that failed is tried again later; what it would have brought is not lost.
func (c *Client) synced(err error) {
	const pause = 5 * time.Second
	c.mu.Lock()
	s := &c.sync
	s.busy = false
	c.due.sync, c.own.sync = 0, 0
	if err == nil {
		s.phase++
	}
	if err == nil && s.phase == phaseRepeats {
		c.mu.Unlock()
		_ = c.startSync(0, nil) // for whoever waits, this is part of the round
		return
	}
	waiting, again := s.waiting, s.again && err == nil
	s.waiting = nil
	if err == nil {
		s.phase, s.pushed = phaseNews, 0
	} else if c.conn != nil && c.ended == nil {
		c.due.retry = c.clock() + int64(pause)
		c.timer.Reset(min(pause, c.pace()))
	}
	c.mu.Unlock()
	for _, waiter := range waiting {
		waiter <- err
	}
	if err != nil {
		c.log.Warn("sync failed", fieldError, err)
	}
	c.becomeReady()
	if again {
		_ = c.startSync(1, nil)
	}
}

// notePushed counts a message that did not come by a sync. When half a window is full, the cookie is moved on.
func (c *Client) notePushed() {
	c.mu.Lock()
	c.sync.pushed++
	due := !c.opt.NoSync && c.sync.pushed == (c.opt.Window+1)/2
	c.mu.Unlock()
	if due {
		_ = c.startSync(1, nil)
	}
}
