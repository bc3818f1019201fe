package event

import "context"

// Synced says how far a client was brought up to date by pulling: up to which sequence in each chat. Chats that are not
// named were not looked at.
type Synced map[int64]int64

// Covers reports whether the client has the message from its pull.
func (s Synced) Covers(p Place) bool { return p.Sequence != 0 && p.Sequence <= s[p.Chat] }

type syncKey struct{}

// WithSync makes ReportSync of a call tell somebody.
func WithSync(ctx context.Context, tell func(upTo Synced, done bool)) context.Context {
	return context.WithValue(ctx, syncKey{}, tell)
}

// ReportSync tells whoever delivers pushes to the asking client what its pull covers. upTo is nil but on the first page
// of a pull, whose counts the client takes; done is the pull's last page.
func ReportSync(ctx context.Context, upTo Synced, done bool) {
	if tell, ok := ctx.Value(syncKey{}).(func(Synced, bool)); ok {
		tell(upTo, done)
	}
}
