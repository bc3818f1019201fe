package message

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
)

// Send is Submit that waits until the message is on disk and pushed. When ctx ends first, the message may still be
// committed, and d must not be looked at.
func (m *Messages) Send(ctx context.Context, by *command.Call, d *Draft) error {
	return wait(ctx, func(ended func(error)) { m.Submit(ctx, by, d, ended) })
}

// wait begins something and waits until it has ended, or the context has.
func wait(ctx context.Context, begin func(ended func(error))) error {
	ended := make(chan error, 1)
	begin(func(err error) { ended <- err })
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Submit asks the back end and then has the message stored and pushed. ended is called once, when it is on disk and
// pushed, or with the reason why it is not; perhaps before Submit returns, perhaps later by another goroutine, which it
// must not hold up. Messages of one chat that are submitted one after the other are stored, pushed and ended in that order.
//
// It is safe to repeat: the same key finds the first message. by is who sends: a client's or a back end's call, or a call
// of whoever speaks for the server itself, which has an Actor and nothing else.
func (m *Messages) Submit(ctx context.Context, by *command.Call, d *Draft, ended func(error)) {
	if err := by.Store(1, d.bytesToStore()); err != nil {
		ended(err)
		return
	}
	goal, err := m.admit(ctx, by, d)
	switch {
	case err != nil || goal == nowhere:
		ended(err)
	case goal == online:
		m.pushNew(by, d)
		m.flush()
		ended(nil)
	default:
		m.submit(ctx, by, d, ended)
	}
}

// submit is Submit of a message that nobody is asked about.
func (m *Messages) submit(ctx context.Context, by *command.Call, d *Draft, ended func(error)) {
	d.by, d.ended = by, ended
	if err := m.sends.Submit(ctx, d); err != nil {
		ended(fmt.Errorf("store message: %w", err))
	}
}

// goal is where a message goes that its sender may send.
type goal int

const (
	nowhere goal = iota // its sender is to think that it was sent
	online              // to whoever is online
	kept                // into the store, and from there to everybody
)

// admit takes the message past the back end.
func (m *Messages) admit(ctx context.Context, by *command.Call, d *Draft) (goal, error) {
	answer, err := m.ask(ctx, by, d)
	if err != nil {
		// What the back end itself forbade it is not told of.
		if _, refused := im.Refusal(err); refused && !answer.Refused {
			if failed := m.tellOnlineOnly(ctx, by, d, err); failed != nil {
				return nowhere, failed
			}
		}
		return nowhere, err
	}
	if answer.Silent || d.OnlineOnly {
		d.Compose(m.db.Now().Unix())
	}
	switch {
	case answer.Silent:
		return nowhere, nil
	case d.OnlineOnly:
		return online, m.tellOnlineOnly(ctx, by, d, nil)
	}
	return kept, m.prepare(by, d)
}

// flow is the way of submitted messages into the store. A chat's messages keep their order.
func (m *Messages) flow() db.FlowRules[Draft] {
	return db.FlowRules[Draft]{
		Apply: m.store,
		Order: func(d *Draft) uint64 { return uint64(d.Chat.Low ^ d.Chat.High) },
		Ended: m.committed,
	}
}

// store writes the drafts of one commit, with the callbacks that tell of them.
func (m *Messages) store(tx *db.Tx, drafts []*Draft) error {
	all := make([]*chat.Draft, len(drafts))
	for i, d := range drafts {
		all[i] = &d.Draft
	}
	if err := m.chats.Append(tx, all); err != nil {
		return err
	}
	if err := m.tellSent(tx, drafts); err != nil {
		return fmt.Errorf("store callbacks: %w", err)
	}
	return nil
}

// committed is told of drafts whose commit has ended. It pushes them in the order of their chats, and answers their senders
// when what was pushed has left this process.
func (m *Messages) committed(drafts []*Draft, errs []error) {
	pushed := false
	for i, d := range drafts {
		if errs[i] == nil && m.mustPush(d) {
			m.guard(func() { m.pushNew(d.by, d) })
			pushed = true
		}
	}
	if pushed {
		m.flush()
	}
	for i, d := range drafts {
		err := errs[i]
		if err != nil {
			err = fmt.Errorf("store message: %w", err)
		}
		m.guard(func() { d.ended(err) })
	}
}

// guard keeps one message's panic from the others that were stored with it.
func (m *Messages) guard(do func()) {
	defer func() {
		if fault := recover(); fault != nil {
			m.log.Error("a stored message panicked", telemetry.FieldError, fmt.Errorf("panic: %v\n%s", fault, debug.Stack()))
		}
	}()
	do()
}

// mustPush tells whether the message is to be pushed. One that was stored already was pushed when it was stored, unless
// another node stored it: that node may have died before, and then its client repeats the request here.
func (m *Messages) mustPush(d *Draft) bool {
	return !d.Unpushed && (!d.Duplicate || !m.db.Made(d.Message.ID))
}

// flushWithin bounds how long the acknowledgement of stored messages waits for their pushes to leave this process. While the
// bus is known not to answer, it does not wait at all.
const flushWithin = 250 * time.Millisecond

// flush is called between the pushes of stored messages and their acknowledgement. Without it a node that is killed right
// after the acknowledgement would take the pushes along, and a receiver on another node, who stays connected, would have
// no reason to pull.
func (m *Messages) flush() {
	ctx, cancel := context.WithTimeout(context.Background(), flushWithin)
	defer cancel()
	if err := m.router.Flush(ctx); err != nil && !errors.Is(err, bus.ErrDisconnected) { // of which the bus itself tells
		m.log.WarnContext(ctx, "flush events", telemetry.FieldError, err)
	}
}
