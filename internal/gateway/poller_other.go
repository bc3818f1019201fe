//go:build !linux

package gateway

// poller is for Linux only; elsewhere no session sleeps, and each keeps its reader while it waits.
type poller struct{}

func newPoller() (*poller, error) { return nil, nil }

func (*poller) arm(*Session) error { return nil }
func (*poller) forget(*Session)    {}
func (*poller) run()               {}
func (*poller) close()             {}
