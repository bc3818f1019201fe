package device

import "github.com/magpie-im/magpie/internal/im"

// Watcher is told of accounts whose devices came or went. It is called after the commit and must not wait.
type Watcher interface {
	PresenceChanged(of im.AccountID)
}

// TellTo names who is told when devices come and go. Call it before devices log in.
func (d *Devices) TellTo(w Watcher) { d.watcher = w }

// cameOrWent tells that a device of the account came or went.
func (d *Devices) cameOrWent(of im.AccountID) {
	if d.watcher != nil {
		d.watcher.PresenceChanged(of)
	}
}
