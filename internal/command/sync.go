package command

// Sync is the side of the door that pushes to the asking device, while the device syncs. A sync is one call or several,
// each of which brings a page.
type Sync interface {
	// Pending reports whether the device has logged in and its sync has not been answered yet. What is pushed to the
	// device before that, the sync brings again.
	Pending() bool
	// Report tells of one page of the device's sync.
	Report(page SyncReport)
}

// SyncReport is what Sync has to know of one page of a sync.
type SyncReport struct {
	// UpTo is what the page's counts cover: the newest sequence of each chat by the chat's id; nil on a page without counts.
	UpTo map[int64]int64
	// Done is set on the last page.
	Done bool
	// Again is set on a page that the client takes for the last one, though there are more: it has to be told to sync again.
	Again bool
	// After is a push to write once the client has taken in the reply; nil for none.
	After []byte
}

// SyncPending is [Sync.Pending] of the call's device; false at a door without pushes.
func (c *Call) SyncPending() bool { return c.Sync != nil && c.Sync.Pending() }

// ReportSync is [Sync.Report] of the call's device; at a door without pushes it does nothing.
func (c *Call) ReportSync(page SyncReport) {
	if c.Sync != nil {
		c.Sync.Report(page)
	}
}
