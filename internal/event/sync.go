package event

import "context"

// Synced says how far a client was brought up to date by pulling: up to which sequence in each chat. Chats that are not
// named were not looked at.
type Synced map[int64]int64

// Covers reports whether the client has the message from its pull.
func (s Synced) Covers(p Place) bool { return p.Sequence != 0 && p.Sequence <= s[p.Chat] }

// SyncReport is what whoever delivers pushes to a pulling client has to know of one page of its pull.
type SyncReport struct {
	// UpTo is what the page's counts cover; nil but on the first page, whose counts the client takes.
	UpTo Synced
	// Done is set on the last page.
	Done bool
	// After is a push to write once the client has taken in the reply; nil for none.
	After []byte
}

type syncKey struct{}

// WithSync makes ReportSync of a call tell somebody.
func WithSync(ctx context.Context, tell func(SyncReport)) context.Context {
	return context.WithValue(ctx, syncKey{}, tell)
}

// ReportSync tells whoever delivers pushes to the asking client of a page of its pull.
func ReportSync(ctx context.Context, r SyncReport) {
	if tell, ok := ctx.Value(syncKey{}).(func(SyncReport)); ok {
		tell(r)
	}
}
