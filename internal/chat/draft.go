package chat

import "github.com/magpie-im/magpie/internal/im"

// Draft is a message before it is stored: the sender's fields, and after Append the result.
type Draft struct {
	App  im.AppID
	Chat Name
	// From is 0 of a tip.
	From im.AccountID
	// Seq and Random are the sender's, and name the message together with its time.
	Seq, Random int64
	// KeyTime is the clock by which a repeat is recognised, a unix second; 0 takes the time of the commit.
	KeyTime int64
	// KeyTimeBefore is another key time by which an earlier message is recognised, of a sender whose clock is not known; 0 is
	// none.
	KeyTimeBefore int64
	// EitherSide makes a message with the same numbers a repeat also if the peer sent it, as imports need.
	EitherSide bool
	// ClientTime is the sender's clock, a unix second; 0 takes the message's time.
	ClientTime int64
	// SentAt is the message's time, a unix second; 0 takes the time of the commit.
	SentAt int64
	// Imported is a message that comes from elsewhere: it stands where its time says, and the chat's newest order is left
	// alone. Others stand at the end.
	Imported bool
	// Lifetime is for how many seconds a device that was away still gets it.
	Lifetime int64
	Flags    Flags
	Hidden   Hidden
	// Body is the JSON of the elements, in normal form.
	Body          []byte
	CloudData     string
	Nick, FaceURL string
	// Readers are who of a group may read the message beside its sender; empty is every member. Mentions is whom it mentions,
	// as JSON.
	Readers  Readers
	Mentions string

	// Message is the message after Append; of a repeat, the message that was stored first.
	Message Message
	// Duplicate says that the draft is a repeat.
	Duplicate bool

	chat    int64   // the chat's id, once it is known
	old     bool    // its chat is stored already
	open    sideSet // the sides that are known to have conversations
	keyTime int64   // KeyTime, or the commit's
	first   *Draft
}

// draftKey is what makes two drafts the same message. A zero from stands for either party.
type draftKey struct {
	chat, seq, random, time int64
	from                    im.AccountID
}

// exactKey is the draft's own, whoever else may have sent the message.
func (d *Draft) exactKey() draftKey { return draftKey{d.chat, d.Seq, d.Random, d.keyTime, d.From} }

// key is the one by which the draft looks for an earlier one.
func (d *Draft) key() draftKey {
	k := d.exactKey()
	if d.EitherSide {
		k.from = 0
	}
	return k
}

// keyBefore is key at the draft's other key time, if it has one.
func (d *Draft) keyBefore() (k draftKey, has bool) {
	k = d.key()
	k.time = d.KeyTimeBefore
	return k, d.KeyTimeBefore != 0
}

// keys are the keys under which a draft is found that came before another one; the second is for imports.
func (d *Draft) keys() [2]draftKey {
	either := d.exactKey()
	either.from = 0
	return [2]draftKey{d.exactKey(), either}
}

// own reports whether the draft's sender is all of a side.
func (d *Draft) own(at side) bool {
	return d.Chat.Kind == OneToOne && at == d.Chat.side(d.From)
}

// seen reports whether a side sees the message.
func (d *Draft) seen(at side) bool {
	if d.own(at) {
		return d.Hidden&FromSender == 0
	}
	return d.Hidden&FromPeer == 0
}

// opened are the sides that have conversations once the draft is stored, as far as the draft knows.
func (d *Draft) opened() sideSet {
	open := d.open
	for _, p := range d.Chat.parties() {
		if d.seen(p.side) {
			open |= setOf(p.side)
		}
	}
	return open
}

// Compose makes the message without a position in a chat, for an online-only message. second is now.
func (d *Draft) Compose(second int64) {
	d.Message = Message{
		Chat: d.chat, Time: d.SentAt, From: d.From, Seq: d.Seq, Random: d.Random, ClientTime: d.ClientTime,
		Flags: d.Flags, Hidden: d.Hidden, Body: d.Body, CloudData: d.CloudData, Nick: d.Nick, FaceURL: d.FaceURL,
		Readers: d.Readers, Mentions: d.Mentions,
	}
	if d.Message.Time == 0 {
		d.Message.Time = second
	}
	if d.Message.ClientTime == 0 {
		d.Message.ClientTime = d.Message.Time
	}
}
