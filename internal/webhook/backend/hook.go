package backend

import (
	"slices"
	"time"
)

// Hook is one address of an application's back end, with what it is told and asked
// (docs/protocol/webhooks.md#protocol). It is off without a URL, and without commands.
type Hook struct {
	// Name tells the application's addresses apart; the first one's is empty.
	Name string
	URL  string
	// Commands are the callbacks that go there, by name; AllCommands stands for every one.
	Commands []string
	// Token signs the query as the reference system does; empty: no Sign.
	Token string
	// Secret signs the body in a header of Magpie's own; empty: no such header.
	Secret string
	// Refuse makes a callback that blocks and gets no usable answer refuse the operation; otherwise it is let through.
	Refuse bool
	// Retry has a callback that only notifies sent again until it arrives; RetryFor bounds for how long.
	Retry    bool
	RetryFor time.Duration
}

// AllCommands among a Hook's commands ticks every callback.
const AllCommands = "all"

// Wants reports whether the callback goes to this address.
func (h *Hook) Wants(command string) bool {
	return h.URL != "" && (slices.Contains(h.Commands, command) || slices.Contains(h.Commands, AllCommands))
}
