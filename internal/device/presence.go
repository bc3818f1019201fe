package device

import (
	"context"
	"fmt"
	"time"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/db"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// The states of an account or of one of its platforms (docs/protocol/limits.md#6-login-and-presence).
const (
	statusOnline     = "Online"
	statusPushOnline = "PushOnline" // a phone without a connection that an offline push still reaches
	statusOffline    = "Offline"
)

// pushOnlineFor is how long a phone counts as reachable by offline push after its connection ended.
const pushOnlineFor = 7 * 24 * time.Hour

type onlineRequest struct {
	To     []string  `json:"To_Account"`
	Detail wire.Bool `json:"IsNeedDetail"`
}

type platformStatus struct {
	Platform string `json:"Platform"`
	Status   string `json:"Status"`
}

type accountStatus struct {
	To     string           `json:"To_Account"`
	Status string           `json:"Status"`
	Detail []platformStatus `json:"Detail,omitempty"`
}

type onlineError struct {
	To   string  `json:"To_Account"`
	Code im.Code `json:"ErrorCode"`
}

type onlineReply struct {
	QueryResult []accountStatus `json:"QueryResult"`
	ErrorList   []onlineError   `json:"ErrorList"`
}

func (d *Devices) onlineStatusCommand() command.Command {
	return command.New(command.Spec{
		Service: "openim", Name: "query_online_status", Also: []string{"im_open_login_svc"}, By: command.Administrator,
		Family: im.FamilyMessage(), Fields: map[string]im.Code{"To_Account": im.CodeMessageReceiver},
		Doc: "tell which accounts are online", Section: "rest.md#query_online_status",
	}, d.onlineStatus)
}

func (d *Devices) onlineStatus(ctx context.Context, call *command.Call, r *onlineRequest) (*onlineReply, error) {
	if len(r.To) == 0 {
		return nil, im.Errorf(im.CodeMessageBadJSON, "To_Account names nobody")
	}
	if len(r.To) > im.MaxStatusPerCall {
		return nil, im.Errorf(im.CodeMessageReceivers, "%d accounts in one call: want at most %d", len(r.To), im.MaxStatusPerCall)
	}
	found, err := d.accounts.FindMany(ctx, call.App.ID, r.To)
	if err != nil {
		return nil, err
	}
	ids := make([]im.AccountID, 0, len(found))
	for _, one := range found {
		ids = append(ids, one.ID)
	}
	platforms, err := d.presence(ctx, ids)
	if err != nil {
		return nil, err
	}
	reply := &onlineReply{QueryResult: []accountStatus{}}
	for _, userID := range r.To {
		one, ok := found[userID]
		if !ok {
			reply.ErrorList = append(reply.ErrorList, onlineError{userID, im.CodeAccountUnknown})
			continue
		}
		status := accountStatus{To: userID, Status: overall(platforms[one.ID])}
		if r.Detail {
			status.Detail = platforms[one.ID]
		}
		reply.QueryResult = append(reply.QueryResult, status)
	}
	if len(reply.QueryResult) == 0 {
		return reply, im.Errorf(im.CodeAccountUnknown, "none of the accounts exists")
	}
	return reply, nil
}

// overall is the best of the platforms' states.
func overall(platforms []platformStatus) string {
	status := statusOffline
	for _, p := range platforms {
		if p.Status == statusOnline {
			return statusOnline
		}
		status = p.Status
	}
	return status
}

// Online tells which of the accounts have a session now, on any node.
func (d *Devices) Online(ctx context.Context, accounts []im.AccountID) (map[im.AccountID]bool, error) {
	found := map[im.AccountID]bool{}
	err := db.Each(ctx, d.db, func(scan db.Scanner) error {
		var id im.AccountID
		err := scan(&id)
		found[id] = true
		return err
	}, `SELECT DISTINCT d.account_id FROM device d JOIN node n ON n.id = d.online_on
		WHERE d.revoked = 0 AND n.lease_until > $1 AND n.started_at = d.node_started AND d.account_id IN ($2...)`,
		d.clock.Now().UnixMilli(), db.Ints(accounts))
	if err != nil {
		return nil, fmt.Errorf("read who is online: %w", err)
	}
	return found, nil
}

const presenceQuery = `SELECT d.account_id, d.platform,
	MAX(CASE WHEN n.lease_until > $1 AND n.started_at = d.node_started THEN 1 ELSE 0 END), MAX(d.changed_at)
FROM device d LEFT JOIN node n ON n.id = d.online_on
WHERE d.revoked = 0 AND d.account_id IN ($2...)
GROUP BY d.account_id, d.platform ORDER BY d.account_id, d.platform`

// presence gives the platforms on which each account is online, or reachable by push.
func (d *Devices) presence(ctx context.Context, ids []im.AccountID) (map[im.AccountID][]platformStatus, error) {
	found := map[im.AccountID][]platformStatus{}
	now := d.clock.Now()
	err := db.Each(ctx, d.db, func(scan db.Scanner) error {
		var (
			id       im.AccountID
			platform im.Platform
			online   bool
			changed  int64
		)
		if err := scan(&id, &platform, &online, &changed); err != nil {
			return err
		}
		status := platformState(platform, online, now.Sub(time.UnixMilli(changed)))
		if status != statusOffline {
			found[id] = append(found[id], platformStatus{platform.String(), status})
		}
		return nil
	}, presenceQuery, now.UnixMilli(), db.Ints(ids))
	if err != nil {
		return nil, fmt.Errorf("read presence: %w", err)
	}
	return found, nil
}

func platformState(p im.Platform, online bool, since time.Duration) string {
	switch {
	case online:
		return statusOnline
	case (p == im.PlatformAndroid || p == im.PlatformIOS || p == im.PlatformIPad) && since < pushOnlineFor:
		return statusPushOnline
	default:
		return statusOffline
	}
}
