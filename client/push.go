package client

import (
	"github.com/go-json-experiment/json/jsontext"
	"github.com/lxzan/gws"
)

// RawEvent is an event that has no callback of its own in Options.
type RawEvent struct {
	// ServCmd is the frame's command; openim.getmsg for an event that had waited for a sync.
	ServCmd string
	// Event is the event's number, 0 when it has none or when the frame is no list of events.
	Event int
	// Data is the event, or the body of a frame that has no events. It is lent for the call: copy it to keep it.
	Data jsontext.Value
}

// Recalled says that a message was taken back.
type Recalled struct {
	// From and To are those of the message.
	From, To string
	// Key is the message's; its Time may be 0 if the server leaves it out.
	Key
	// ClientTime and TinyID are the message's too.
	ClientTime int64
	TinyID     string
	// Revoker is the account that recalled it, Reason why.
	Revoker, Reason string
}

// ReadMark says up to when the peer has read.
type ReadMark struct {
	// Peer is the account that has read.
	Peer string
	// Time covers every message to Peer up to and at this Unix second.
	Time int64
}

type pushedEvent struct {
	Event    int                `json:"Event"`
	Messages []wireMessage      `json:"C2cMsgArray"`
	News     []wireNews         `json:"C2cNotifyMsgArray"`
	Groups   []wireGroupMessage `json:"GroupMsgArray"`
	// Edits have fewer fields than a message, and those in the same form.
	Edits []wireMessage `json:"C2cMsgModNotifys"`
}

type wireNews struct {
	Kick *struct {
		KickType int `json:"KickType"`
	} `json:"KickoutMsgNotify"`
	Recall *struct {
		Infos []wireRecall `json:"C2cWithdrawInfoArray"`
	} `json:"WithdrawC2cMsgNotify"`
	Receipt *struct {
		Reader string `json:"To_Account"`
		Marks  []struct {
			Time int64 `json:"LastReadTime"`
		} `json:"UinPairReadArray"`
	} `json:"C2cReadedReceipt"`
}

type wireRecall struct {
	From       string `json:"From_Account"`
	To         string `json:"To_Account"`
	Seq        uint32 `json:"MsgSeq"`
	Random     uint32 `json:"MsgRandom"`
	Time       int64  `json:"MsgTimeStamp"`
	ClientTime int64  `json:"MsgClientTime"`
	TinyID     string `json:"TinyId"`
	Revoker    struct {
		Account string `json:"Revoker_Account"`
		Reason  string `json:"Reason"`
	} `json:"RevokerInfo"`
}

// onEvent gives an event to the callbacks of its kind. An event that cannot be read does not keep the others back.
func (c *Client) onEvent(conn *gws.Conn, cmd, raw []byte) {
	var e pushedEvent
	if err := decode(raw, &e); err != nil {
		c.log.Warn("event dropped", fieldError, err)
		return
	}
	for i := range e.Messages {
		c.notePushed()
		c.give(e.Messages[i].message())
	}
	for i := range e.Groups {
		c.giveGroup(&e.Groups[i])
	}
	if e.Messages != nil || e.Groups != nil && c.opt.OnGroupMessage != nil || c.onChanges(conn, &e) || c.opt.OnPush == nil {
		return
	}
	c.opt.OnPush(RawEvent{ServCmd: string(cmd), Event: e.Event, Data: raw})
}

// onChanges hands out the changes of older messages that an event tells. It reports false when it tells none, or one that
// has no callback of its own.
func (c *Client) onChanges(conn *gws.Conn, e *pushedEvent) bool {
	for i := range e.Edits {
		if c.opt.OnEdited != nil {
			c.opt.OnEdited(e.Edits[i].message())
		}
	}
	return c.onNews(conn, e.News) || e.Edits != nil
}

// onNews hands out news: kicks, recalls, read marks. It reports false when one has no callback of its own, or there is none.
func (c *Client) onNews(conn *gws.Conn, news []wireNews) bool {
	all := len(news) > 0
	for i := range news {
		n := &news[i]
		switch {
		case n.Kick != nil:
			c.onKicked(conn, KickReason(n.Kick.KickType))
		case n.Recall != nil:
			c.onRecall(n.Recall.Infos)
		case n.Receipt != nil:
			for _, mark := range n.Receipt.Marks {
				if c.opt.OnReadByPeer != nil {
					c.opt.OnReadByPeer(ReadMark{Peer: n.Receipt.Reader, Time: mark.Time})
				}
			}
		default:
			all = false
		}
	}
	return all
}

func (c *Client) onRecall(infos []wireRecall) {
	if c.opt.OnRecalled == nil {
		return
	}
	for _, info := range infos {
		c.opt.OnRecalled(Recalled{
			From: info.From, To: info.To, Key: Key{Seq: info.Seq, Random: info.Random, Time: info.Time},
			ClientTime: info.ClientTime, TinyID: info.TinyID,
			Revoker: info.Revoker.Account, Reason: info.Revoker.Reason,
		})
	}
}

// give hands a message to OnMessage unless it has been there or was sent by this very client.
func (c *Client) give(m Message) {
	fresh := c.known.add(duplicateKey(c.seed, &m))
	c.mu.Lock()
	if m.From == c.opt.UserID && c.mine.has(seenKey{seq: m.Seq, random: m.Random}) {
		fresh = false
	}
	if fresh {
		c.stats.Received++
	} else {
		c.stats.Duplicates++
	}
	c.mu.Unlock()
	if fresh && c.opt.OnMessage != nil {
		c.opt.OnMessage(m)
	}
}
