package message

import (
	"context"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/send"
)

// Send is Submit that waits until the message is on disk and pushed. When ctx ends first, the message may still be
// committed, and d must not be looked at.
func (m *Messages) Send(ctx context.Context, by *command.Call, d *Draft) error {
	return m.line.Send(ctx, by, d)
}

// Submit has a message stored and pushed, as [send.Line.Submit] says.
func (m *Messages) Submit(ctx context.Context, by *command.Call, d *Draft, ended func(error)) {
	m.line.Submit(ctx, by, d, ended)
}

// rules are what a one-to-one message adds to its way into the store.
func (m *Messages) rules() send.Rules[Draft] {
	return send.Rules[Draft]{
		Of: func(d *Draft) *send.Draft { return &d.Draft }, Ask: m.ask, Prepare: m.prepare,
		Admit: m.admit, Tell: m.tellSent, TellOnlineOnly: m.tellOnlineOnly, Push: m.pushNew,
	}
}
