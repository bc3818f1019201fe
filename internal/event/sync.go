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

type watcher struct {
	tell    func(SyncReport)
	pending bool
}

// WithSync makes ReportSync of a call tell somebody. pending says that the asking client has logged in and its pull has
// not been answered yet.
func WithSync(ctx context.Context, pending bool, tell func(SyncReport)) context.Context {
	return context.WithValue(ctx, syncKey{}, watcher{tell, pending})
}

// SyncPending reports whether the asking client will pull first, or should: whatever it is told before, it is told again
// by its pull.
func SyncPending(ctx context.Context) bool {
	w, ok := ctx.Value(syncKey{}).(watcher)
	return ok && w.pending
}

// ReportSync tells whoever delivers pushes to the asking client of a page of its pull.
func ReportSync(ctx context.Context, r SyncReport) {
	if w, ok := ctx.Value(syncKey{}).(watcher); ok {
		w.tell(r)
	}
}
