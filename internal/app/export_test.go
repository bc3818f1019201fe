package app

import "context"

// Refresh is what Watch does at each tick.
func (a *Apps) Refresh(ctx context.Context) error { return a.refresh(ctx) }
