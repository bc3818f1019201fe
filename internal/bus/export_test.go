package bus

import (
	"context"
	"log/slog"
	"time"
)

// ConnectSmall connects with limits a test can reach: so many messages wait in each direction and writes never time out.
func ConnectSmall(ctx context.Context, url, cluster string, log *slog.Logger, messages int) (*NATS, error) {
	lim := defaultLimits()
	lim.out.messages, lim.in.messages, lim.writeWait = messages, messages, time.Hour
	return connectNATS(ctx, target{url, cluster}, log, lim)
}
