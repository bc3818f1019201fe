package client

import (
	"github.com/go-json-experiment/json/jsontext"
	"github.com/lxzan/gws"
)

// RawItem is a pushed item that has no callback of its own.
type RawItem struct {
	// ServCmd is the frame's command; openim.getmsg for an event that had waited for a sync.
	ServCmd string
	// Event is the item's number, 0 when it has none or when the frame is no list of items.
	Event int
	// Data is the item, or the body of a frame that has no items. It is lent for the call: copy what is kept.
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
	// Revoker is who took it back, Reason what he said about it.
	Revoker, Reason string
}

// ReadMark says up to when the other side has read.
type ReadMark struct {
	// Peer is who has read.
	Peer string
	// Time covers every message to Peer up to and at this Unix second.
	Time int64
}

type pushItem struct {
	Event    int           `json:"Event"`
	Messages []wireMessage `json:"C2cMsgArray"`
	Notices  []wireNotice  `json:"C2cNotifyMsgArray"`
	// Edits have fewer fields than a message, and those in the same form.
	Edits []wireMessage `json:"C2cMsgModNotifys"`
}

type wireNotice struct {
	Kick *struct {
		KickType int `json:"KickType"`
	} `json:"KickoutMsgNotify"`
	Withdraw *struct {
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

// onItem routes an item by what is in it. One that cannot be read does not keep the others back.
func (c *Client) onItem(conn *gws.Conn, cmd, raw []byte) {
	var item pushItem
	if err := decode(raw, &item); err != nil {
		c.log.Warn("pushed item dropped", fieldError, err)
		return
	}
	for i := range item.Messages {
		c.notePushed()
		c.deliver(item.Messages[i].message())
	}
	if item.Messages != nil || c.onChanges(conn, &item) || c.opt.OnPush == nil {
		return
	}
	c.opt.OnPush(RawItem{ServCmd: string(cmd), Event: item.Event, Data: raw})
}

// onChanges hands out what an item says of messages that there were before. It reports false when that is nothing, or
// something with no callback of its own.
func (c *Client) onChanges(conn *gws.Conn, item *pushItem) bool {
	for i := range item.Edits {
		if c.opt.OnEdited != nil {
			c.opt.OnEdited(item.Edits[i].message())
		}
	}
	return c.onNotices(conn, item.Notices) || item.Edits != nil
}

// onNotices hands out notices. It reports false when there was one with no callback of its own, or none.
func (c *Client) onNotices(conn *gws.Conn, notices []wireNotice) bool {
	all := len(notices) > 0
	for i := range notices {
		n := &notices[i]
		switch {
		case n.Kick != nil:
			c.onKicked(conn, KickReason(n.Kick.KickType))
		case n.Withdraw != nil:
			c.onWithdraw(n.Withdraw.Infos)
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

func (c *Client) onWithdraw(infos []wireRecall) {
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

// deliver hands a message to OnMessage unless it has been there or was sent by this very client.
func (c *Client) deliver(m Message) {
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
