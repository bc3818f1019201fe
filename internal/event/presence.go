package event

// Presence is what a bus message says of an account's presence: not what it is, but what may be different from now on. The
// store says what it is, so it does not matter in which order two nodes tell of the same account.
type Presence byte

// What may be different.
const (
	StateChanged   Presence = 1 // whether the account is online, or its custom status: for its watchers
	CustomChanged  Presence = 2 // its custom status: for its own devices
	WatchesChanged Presence = 3 // whom it watches
)

// TellPresence tells the nodes that have sessions of the audience, which is an account's devices or its watchers. Without any
// it costs a publish that goes nowhere.
func (r *Router) TellPresence(to Audience, what Presence) error {
	return r.publish(to, actionTell, int(what), nil)
}
