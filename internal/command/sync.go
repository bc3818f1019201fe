package command

// Sync is whoever delivers pushes to the asking device, while the device brings itself up to date by pulling.
type Sync interface {
	// Pending reports whether the device has logged in and its pull has not been answered yet. Whatever it is told before,
	// it is told again by its pull.
	Pending() bool
	// Report tells of one page of the device's pull.
	Report(page SyncReport)
}

// SyncReport is what has to be known of one page of a pull by whoever delivers pushes to the pulling device.
type SyncReport struct {
	// UpTo is what the page's counts cover: the newest sequence of each chat by the chat's id; nil on a page without counts.
	UpTo map[int64]int64
	// Done is set on the last page.
	Done bool
	// Again is set on a page that the client takes for the last one, though there are more: it has to be told to pull again.
	Again bool
	// After is a push to write once the client has taken in the reply; nil for none.
	After []byte
}

// SyncPending is [Sync.Pending] of the call's device; false at a door without pushes.
func (c *Call) SyncPending() bool { return c.Sync != nil && c.Sync.Pending() }

// ReportSync is [Sync.Report] to whoever delivers pushes to the call's device, if anybody does.
func (c *Call) ReportSync(page SyncReport) {
	if c.Sync != nil {
		c.Sync.Report(page)
	}
}
