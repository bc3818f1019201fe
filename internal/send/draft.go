package send

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/chat/element"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/webhook"
	"github.com/magpie-im/magpie/internal/wire"
)

// Draft is what the drafts of every kind of chat have. A kind's own draft embeds it; Number gives one its numbers.
type Draft struct {
	chat.Draft
	// OnlineOnly delivers the message to whoever is online and stores it nowhere.
	OnlineOnly bool
	// Unpushed tells no device of it; whoever reads the history finds it.
	Unpushed bool
	// Unasked and Untold leave the callbacks before and after the message out.
	Unasked, Untold bool
	// Callbacks are stored with it.
	Callbacks []webhook.Callback

	// Of a submitted draft: who sends it, whom to tell when it has ended, and why it is not stored after all.
	by      *command.Call
	ended   func(error)
	refused error
}

// Refuse keeps a draft out of the transaction that would store it, with an *im.Error for its sender.
func (d *Draft) Refuse(why error) { d.refused = why }

// Number draws the sender's numbers of a message that has none.
func (d *Draft) Number() error {
	var random [8]byte
	if _, err := rand.Read(random[:]); err != nil {
		return fmt.Errorf("draw a message's numbers: %w", err)
	}
	d.Seq, d.Random = int64(binary.BigEndian.Uint32(random[:4])), int64(binary.BigEndian.Uint32(random[4:]))
	return nil
}

// Recognise names a back end's message by its random number and what it says, for a stretch of seconds at least: a back end
// gives a message no number of its own and no time.
func (d *Draft) Recognise(now, stretch int64) {
	if stretch <= 0 {
		return
	}
	d.Seq = d.Sum()
	d.KeyTime = now - now%stretch
	d.KeyTimeBefore = d.KeyTime - stretch
}

// Sum stands for a back end's own number: it is that of what the message says.
func (d *Draft) Sum() int64 {
	return int64(crc32.Update(crc32.ChecksumIEEE(d.Body), crc32.IEEETable, []byte(d.CloudData)))
}

// BytesToStore is how much the message takes of what may be stored in a second.
func (d *Draft) BytesToStore() int {
	if d.OnlineOnly {
		return 0
	}
	return len(d.Body) + len(d.CloudData)
}

// MessageID is the id that clients give a message sent at the clock's second (docs/protocol/wire.md#c2c-item).
func (d *Draft) MessageID(clock int64) string {
	return fmt.Sprintf("%d-%d-%d", d.From, clock, d.Random)
}

// TakeOver takes over the content that the back end's answer holds, all of it or nothing. Empty cloud data
// changes nothing, as typed languages answer so for what they leave alone.
func (d *Draft) TakeOver(app *im.App, answer *webhook.Answer) error {
	var changed struct {
		Body      wire.Raw `json:"MsgBody"`
		CloudData *string  `json:"CloudCustomData"`
	}
	if err := answer.Read(&changed); err != nil {
		return err
	}
	cloudData, body := d.CloudData, d.Body
	if changed.CloudData != nil && *changed.CloudData != "" {
		cloudData = wire.Text(*changed.CloudData)
	}
	if len(changed.Body) > 0 && string(changed.Body) != "null" {
		body = changed.Body
	}
	parsed, err := element.Parse(body, maxBytes.Of(app)-len(cloudData))
	if err != nil {
		return err
	}
	d.Body, d.CloudData = parsed.JSON(), cloudData
	return nil
}
