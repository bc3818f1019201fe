// Package send is the way of a message from its sender to the store and to its readers, one for every kind of chat: what
// senders give, the question to the back end, the group commit, the pushes and the answer, each in the order of the chat.
//
// A kind brings what is its own as Rules: its callbacks, and whom it pushes to. The package does not know kinds, accounts,
// or what a message looks like on the wire.
package send

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/magpie-im/magpie/internal/bus"
	"github.com/magpie-im/magpie/internal/chat"
	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/event"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/telemetry"
	"github.com/magpie-im/magpie/internal/webhook"
)

// Rules are what a kind of chat adds to the way of its drafts, which are of type D. All of them are needed.
type Rules[D any] struct {
	// Of gives the part that drafts of all kinds have.
	Of func(d *D) *Draft
	// Ask lets the back end decide on the draft and takes over what it rewrites.
	Ask func(ctx context.Context, by *command.Call, d *D) (webhook.Answer, error)
	// Prepare makes the callbacks of a draft that is about to be stored.
	Prepare func(by *command.Call, d *D) error
	// Admit refuses drafts that may not be stored any more, by Refuse, in the transaction that would store them.
	Admit func(tx *db.Tx, drafts []*D) error
	// Tell stores the callbacks of drafts, in the transaction that stores them.
	Tell func(tx *db.Tx, drafts []*D) error
	// TellOnlineOnly stores the callbacks of a draft that is not stored: it was refused for a reason, or is for whoever is
	// online.
	TellOnlineOnly func(ctx context.Context, by *command.Call, d *D, refused error) error
	// Push tells the readers of a message.
	Push func(by *command.Call, d *D)
}

// Parts are what a line is built on.
type Parts struct {
	DB     *db.DB
	Chats  *chat.Chats
	Router *event.Router
	Log    *slog.Logger
	Mutes  Mutes // nil is nobody's
	// Bundles is nil where there are none.
	Bundles Bundles
}

// Line is the way of one kind's drafts.
type Line[D any] struct {
	Parts
	rules Rules[D]
	flow  *db.Flow[D]
}

// NewLine makes a kind's way.
func NewLine[D any](p Parts, rules Rules[D]) *Line[D] {
	l := &Line[D]{Parts: p, rules: rules}
	l.flow = db.NewFlow(p.DB, db.FlowRules[D]{
		Apply: l.Store,
		Order: func(d *D) uint64 {
			of := rules.Of(d).Chat
			return uint64(of.Low ^ of.High)
		},
		Ended: l.committed,
	})
	return l
}

// Send is Submit that waits until the message is on disk and pushed. When ctx ends first, the message may still be
// stored, and d must not be looked at.
func (l *Line[D]) Send(ctx context.Context, by *command.Call, d *D) error {
	return Wait(ctx, func(ended func(error)) { l.Submit(ctx, by, d, ended) })
}

// Wait begins something and waits until it has ended, or the context has.
func Wait(ctx context.Context, begin func(ended func(error))) error {
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
func (l *Line[D]) Submit(ctx context.Context, by *command.Call, d *D, ended func(error)) {
	if err := by.Store(1, l.rules.Of(d).BytesToStore()); err != nil {
		ended(err)
		return
	}
	if err := l.CheckMuted(ctx, by, d); err != nil {
		ended(err)
		return
	}
	goal, err := l.admit(ctx, by, d)
	switch {
	case err != nil || goal == nowhere:
		ended(err)
	case goal == online:
		l.rules.Push(by, d)
		l.Flush()
		ended(nil)
	default:
		l.SubmitUnasked(ctx, by, d, ended)
	}
}

// SubmitUnasked is Submit of a message that nobody is asked about, whose callbacks are prepared.
func (l *Line[D]) SubmitUnasked(ctx context.Context, by *command.Call, d *D, ended func(error)) {
	of := l.rules.Of(d)
	of.by, of.ended = by, ended
	if err := l.flow.Submit(ctx, d); err != nil {
		ended(fmt.Errorf("store message: %w", err))
	}
}

// goal is where a message goes that its sender may send.
type goal int

const (
	nowhere goal = iota // its sender is to think that it was sent
	online              // to whoever is online
	toStore             // into the store, and from there to everybody
)

// admit takes the message past the back end.
func (l *Line[D]) admit(ctx context.Context, by *command.Call, d *D) (goal, error) {
	of := l.rules.Of(d)
	answer, err := l.rules.Ask(ctx, by, d)
	if err != nil {
		// What the back end itself forbade it is not told of.
		if _, refused := im.Refusal(err); refused && !answer.Refused {
			if failed := l.rules.TellOnlineOnly(ctx, by, d, err); failed != nil {
				return nowhere, failed
			}
		}
		return nowhere, err
	}
	if answer.Silent || of.OnlineOnly {
		of.Compose(l.DB.Now().Unix())
	}
	switch {
	case answer.Silent:
		return nowhere, nil
	case of.OnlineOnly:
		return online, l.rules.TellOnlineOnly(ctx, by, d, nil)
	}
	return toStore, l.rules.Prepare(by, d)
}

// Store writes drafts in one transaction, with the callbacks that tell of them. Those that Admit refuses are left out.
func (l *Line[D]) Store(tx *db.Tx, drafts []*D) error {
	for _, d := range drafts {
		l.rules.Of(d).refused = nil
	}
	if err := l.rules.Admit(tx, drafts); err != nil {
		return fmt.Errorf("admit drafts: %w", err)
	}
	if err := l.refuseMuted(tx, drafts); err != nil {
		return fmt.Errorf("refuse muted senders: %w", err)
	}
	admitted, all := make([]*D, 0, len(drafts)), make([]*chat.Draft, 0, len(drafts))
	for _, d := range drafts {
		if of := l.rules.Of(d); of.refused == nil {
			admitted, all = append(admitted, d), append(all, &of.Draft)
		}
	}
	if err := l.Chats.Append(tx, all); err != nil {
		return err
	}
	if err := l.KeepBundlesOf(context.Background(), tx, all); err != nil {
		return err
	}
	if err := l.rules.Tell(tx, admitted); err != nil {
		return fmt.Errorf("store callbacks: %w", err)
	}
	return nil
}

// committed is told of drafts whose commit has ended. It pushes them in the order of their chats, and answers their senders
// when what was pushed has left this process.
func (l *Line[D]) committed(drafts []*D, errs []error) {
	pushed := false
	for i, d := range drafts {
		of := l.rules.Of(d)
		if errs[i] == nil && of.refused == nil && l.MustPush(of) {
			l.guard(func() { l.rules.Push(of.by, d) })
			pushed = true
		}
	}
	if pushed {
		l.Flush()
	}
	for i, d := range drafts {
		of, err := l.rules.Of(d), errs[i]
		if err != nil {
			err = fmt.Errorf("store message: %w", err)
		} else {
			err = of.refused
		}
		l.guard(func() { of.ended(err) })
	}
}

// guard keeps one message's panic from the others that were stored with it.
func (l *Line[D]) guard(do func()) {
	defer func() {
		if fault := recover(); fault != nil {
			l.Log.Error("a stored message panicked", telemetry.FieldError, fmt.Errorf("panic: %v\n%s", fault, debug.Stack()))
		}
	}()
	do()
}

// MustPush tells whether a stored message is to be pushed. One that was stored already was pushed when it was stored,
// unless another node stored it: that node may have died before, and then its client repeats the request here.
func (l *Line[D]) MustPush(d *Draft) bool {
	return !d.Unpushed && (!d.Duplicate || !l.DB.Made(d.Message.ID))
}

// flushWithin bounds how long the acknowledgement of stored messages waits for their pushes to leave this process. While the
// bus is known not to answer, it does not wait at all.
const flushWithin = 250 * time.Millisecond

// Flush is called between the pushes of stored messages and their acknowledgement. Without it a node that is killed right
// after the acknowledgement would take the pushes along, and a receiver on another node, who stays connected, would have
// no reason to pull.
func (l *Line[D]) Flush() {
	ctx, cancel := context.WithTimeout(context.Background(), flushWithin)
	defer cancel()
	if err := l.Router.Flush(ctx); err != nil && !errors.Is(err, bus.ErrDisconnected) { // of which the bus itself tells
		l.Log.WarnContext(ctx, "flush events", telemetry.FieldError, err)
	}
}
