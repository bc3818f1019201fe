package server

import (
	"context"
	"fmt"

	"github.com/magpie-im/magpie/internal/app"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/device"
	"github.com/magpie-im/magpie/internal/im"
)

// RemoveApp removes a disabled application with all that the rooms have of it. It is for a process beside the nodes, which
// see that the application is gone.
func RemoveApp(ctx context.Context, d *db.DB, apps *app.Apps, id im.AppID) error {
	served, err := device.Served(ctx, d)
	if err != nil {
		return fmt.Errorf("look for servers: %w", err)
	}
	return apps.Remove(ctx, id, app.Removal{Served: served, Parts: declared().onRemove()})
}
